#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/denoise_loop.h"
#include "diffusion/pipeline_model.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

/// Everything that decides how pictures come out. Two equal requests on equal engine fingerprints
/// give equal bytes.
struct RenderRequest {
    std::string prompt;
    std::string negative_prompt;
    int width;  ///< pixels, a multiple of the autoencoder's downscale (8)
    int height;
    int steps;
    std::string sampler;  ///< any name that find_sampler knows
    /// Classifier-free guidance; 1 leaves the negative prompt out and halves the work.
    double guidance_scale = 7.0;
    /// One picture each.
    std::vector<std::uint64_t> seeds;
    /// Image-to-image: a picture {1, 3, height, width} in -1..1 and how much of it is repainted,
    /// 0..1. Its latents are the mean of the autoencoder's posterior, so nothing is drawn for them.
    std::optional<Tensor> init_image;
    double strength = 0.75;
};

/// Widths and heights above this are refused: attention's work grows with the fourth power.
inline constexpr int kMaxSide = 2048;

/// What can be told of a request before any work, the init image's absence apart: kInvalidArgument
/// names the field and its range. Sampler, steps and strength are the sampler's to check.
[[nodiscard]] Status check(const RenderRequest& request, const ModelInfo& info);

/// A render in progress: text is encoded, latents exist, and the step loop can be advanced one step
/// at a time, observed, saved and resumed. One thread at a time.
class Render {
  public:
    /// Checks the request against the model and does all that precedes the first step.
    /// kInvalidArgument names the field and its range. kCancelled soon after `stop` is requested.
    [[nodiscard]] static Result<Render> start(
        std::shared_ptr<PipelineModel> model, RenderRequest request, const std::stop_token& stop
    );

    /// Goes on from `save`'s bytes, with the identical result. kConflict when they were made with
    /// another engine fingerprint, kCorrupt when they are not what save wrote.
    [[nodiscard]] static Result<Render> resume(
        std::shared_ptr<PipelineModel> model, ByteView saved, const std::stop_token& stop
    );

    /// The request's own steps, or fewer for image-to-image.
    [[nodiscard]] std::size_t steps() const { return loop_.steps(); }
    [[nodiscard]] std::size_t step() const { return loop_.step(); }
    [[nodiscard]] bool done() const { return step() == steps(); }
    [[nodiscard]] const DenoiseLoop& loop() const { return loop_; }
    [[nodiscard]] const RenderRequest& request() const { return request_; }

    /// One step. After kCancelled the render stands where it stood before.
    [[nodiscard]] Status advance(const std::stop_token& stop);

    /// The latents as they stand, decoded: {pictures, 3, height, width}, about -1..1.
    [[nodiscard]] Result<Tensor> decode(const std::stop_token& stop) const;

    /// Request, position, latents and random state; the init image is not needed any more.
    [[nodiscard]] Bytes save() const;

  private:
    Render(
        std::shared_ptr<PipelineModel> model,
        RenderRequest request,
        DenoiseLoop loop,
        std::shared_ptr<Denoiser> denoiser
    );

    std::shared_ptr<PipelineModel> model_;
    RenderRequest request_;
    DenoiseLoop loop_;
    std::shared_ptr<Denoiser> denoiser_;
};

/// The UNet with a prompt, a negative prompt and guidance bound to it.
[[nodiscard]] Result<std::shared_ptr<Denoiser>> make_guided_denoiser(
    std::shared_ptr<PipelineModel> model,
    const std::string& prompt,
    const std::string& negative_prompt,
    double guidance_scale,
    const std::stop_token& stop
);

}  // namespace tessera
