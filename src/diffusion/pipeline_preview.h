#pragma once

#include "base/result.h"
#include "diffusion/latent_preview.h"
#include "diffusion/pipeline_model.h"

#include <stop_token>

namespace tessera {

/// The preview that fits the model's own VAE, found by decoding a few made-up latents: half the
/// work of decoding one picture of 64 x 64 latents. It is kept in the engine's cache folder, where
/// there is one, and read from there the next time; what cannot be kept is no error. Ask once for a
/// model and hold on to it. kCancelled, and what PipelineModel::decode says.
[[nodiscard]] Result<LatentPreview> preview_of(PipelineModel& model, const std::stop_token& stop);

}  // namespace tessera
