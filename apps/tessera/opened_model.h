#pragma once

#include "base/result.h"
#include "diffusion/pipeline_model.h"
#include "tessera/locations.h"
#include "tessera/render_listener.h"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

struct EngineChoice {
    int threads = 0;  ///< 0: one per core
    bool cache = true;
};

/// The engine of a command. Its warnings go to `listener`, which must outlive it.
[[nodiscard]] Result<std::shared_ptr<Engine>> make_engine(
    const Locations& locations, const EngineChoice& choice, RenderListener& listener
);

/// Before the engine goes: after success waits until its cache has what this process added to it,
/// unless a stop is asked for; after a failure gives that up.
void finish_engine(
    Engine& engine, bool success, RenderListener& listener, const std::stop_token& stop
);

/// The embeddings of a folder that can be read, by name; of others `listener` tells.
[[nodiscard]] std::vector<TextualInversion> read_embeddings(
    const std::filesystem::path& folder, RenderListener& listener
);

/// A model to render with.
struct OpenedModel {
    std::shared_ptr<Engine> engine;
    std::shared_ptr<PipelineModel> pipeline;
    std::string hash;  ///< see model_hash
};

/// Opens the model and checks that all of its files are there, so that nothing is found missing
/// after minutes of work. The engine's warnings go to `listener`, which must
/// outlive the model.
[[nodiscard]] Result<OpenedModel> open_model(
    const Locations& locations,
    const std::filesystem::path& folder,
    const EngineChoice& choice,
    RenderListener& listener
);

/// finish_engine before the model goes.
void finish_engines(
    const OpenedModel& model, bool success, RenderListener& listener, const std::stop_token& stop
);

}  // namespace tessera::cli
