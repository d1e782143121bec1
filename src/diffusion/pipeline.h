#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/denoise_loop.h"
#include "diffusion/guidance.h"
#include "diffusion/pipeline_denoiser.h"
#include "diffusion/pipeline_model.h"
#include "prompt/prompt_language.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

/// What the part to be painted anew holds before the first step. (A1111's fourth, "fill", is
/// painted into the init image before it gets here.)
enum class MaskedContent : std::uint8_t {
    kOriginal,       ///< the init image
    kLatentNoise,    ///< unit noise of the picture's seed
    kLatentNothing,  ///< latents of 0
};

/// Everything that decides how pictures come out. Two equal requests on equal engine fingerprints
/// give equal bytes.
struct RenderRequest {
    std::string prompt;
    std::string negative_prompt;
    PromptSyntax syntax = PromptSyntax::kA1111;
    /// From 1, which takes the text encoder's last layer.
    int clip_skip = 1;

    int width;  ///< pixels, a multiple of the autoencoder's downscale (8)
    int height;

    int steps;
    std::string sampler;  ///< any name that find_sampler knows
    std::optional<double> eta;
    std::optional<double> s_noise;
    /// Rescales the model's noise schedule to end in pure noise, whatever its configuration says.
    bool zero_terminal_snr = false;
    Guidance guidance;

    /// Where noise comes from. One picture for each of its seeds.
    NoiseRequest noise;

    /// Image-to-image: a picture {1, 3, height, width} in -1..1 and how much of it is repainted,
    /// 0..1. Its latents are the mean of the autoencoder's posterior, so nothing is drawn for them.
    std::optional<Tensor> init_image;
    double strength = 0.75;
    /// Inpainting: {1, 1, height, width} of the latents, 0 (keep) .. 1 (paint anew). Needs an init
    /// image. With strength 1 and a sampler of diffusers' convention the rendering starts from
    /// noise alone, as there.
    std::optional<Tensor> mask;
    MaskedContent masked_content = MaskedContent::kOriginal;

    /// Set: this is the second pass of a high-resolution render whose first pass had so many
    /// steps. It matters to prompts with a schedule alone.
    std::optional<int> first_pass_steps;
};

/// Widths and heights above this are refused: attention's work grows with the fourth power.
inline constexpr int kMaxSide = 2048;

/// What is known of a render before any work.
struct RenderPlan {
    std::size_t steps;  ///< that will be taken: fewer than asked for with image-to-image
    /// What a person should know of the prompts: one sentence each.
    std::vector<std::string> remarks;
    TokenCount prompt_tokens;
    TokenCount negative_tokens;
    /// The textual-inversion embeddings in use, by name, with the hashes of their files.
    std::map<std::string, std::string> embeddings;
};

/// Checks all that can be told of a request before any work; images and masks count by being there
/// and by their shapes. kInvalidArgument names the field and its range.
[[nodiscard]] Result<RenderPlan> plan_render(
    const PipelineModel& model, const RenderRequest& request
);

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

    /// Request, position, latents and random state; the init image and the mask are not needed any
    /// more.
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

/// The UNet with the request's prompts and guidance bound to it, for a loop with that sampler.
[[nodiscard]] Result<std::shared_ptr<Denoiser>> make_denoiser(
    std::shared_ptr<PipelineModel> model,
    const RenderRequest& request,
    const Sampler& sampler,
    const std::stop_token& stop
);

}  // namespace tessera
