#pragma once

#include "goldens/golden.h"
#include "inference/engine.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tessera {

/// What the golden checks of networks run on.
struct GoldenEngine {
    std::shared_ptr<Engine> engine;
    std::filesystem::path clip_merges;  ///< vocabulary for models without a tokenizer folder
};

/// A model folder with single-network references (sd15-tiny, sd21-tiny): text encoder, UNet, VAE.
[[nodiscard]] std::vector<GoldenRow> check_networks(
    const std::string& name, const std::filesystem::path& folder, const GoldenEngine& engine
);

/// A case with `txt2img.*` and `img2img.*` references on its base model (e2e-sd15).
[[nodiscard]] std::vector<GoldenRow> check_end_to_end(
    const std::string& name, const std::filesystem::path& folder, const GoldenEngine& engine
);

/// The demo model's own case (tessera-tiny).
[[nodiscard]] std::vector<GoldenRow> check_demo_model(
    const std::string& name, const std::filesystem::path& folder, const GoldenEngine& engine
);

/// Runs whatever the folder's case.json says it is; kNotBuilt rows for what Tessera lacks.
[[nodiscard]] std::vector<GoldenRow> check_case(
    const std::filesystem::path& folder, const GoldenEngine& engine
);

/// check_case for every folder with a case.json in `folder`, sorted, or for `folder` itself.
[[nodiscard]] std::vector<GoldenRow> check_all(
    const std::filesystem::path& folder, const GoldenEngine& engine
);

}  // namespace tessera
