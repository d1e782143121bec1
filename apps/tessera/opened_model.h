#pragma once

#include "base/result.h"
#include "diffusion/pipeline_model.h"
#include "tessera/locations.h"
#include "tessera/progress.h"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace tessera::cli {

struct EngineChoice {
    int threads = 0;  ///< 0: one per core
    bool cache = true;
};

/// A model to render with.
struct OpenedModel {
    std::shared_ptr<Engine> engine;
    std::shared_ptr<PipelineModel> pipeline;
    std::string hash;  ///< see model_hash
};

/// Opens the model and checks that all of its files are there, so that nothing is found missing
/// after minutes of work. The engine's warnings go to `progress`, which must
/// outlive the model.
[[nodiscard]] Result<OpenedModel> open_model(
    const Locations& locations,
    const std::filesystem::path& folder,
    const EngineChoice& choice,
    Progress& progress
);

/// Before the model goes: after success waits until the engine cache has what this process added to
/// it, unless a stop is asked for; after a failure gives that up.
void finish_engines(
    const OpenedModel& model, bool success, Progress& progress, const std::stop_token& stop
);

}  // namespace tessera::cli
