#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/denoiser.h"
#include "diffusion/latent_mask.h"
#include "diffusion/noise.h"
#include "diffusion/sampler.h"
#include "diffusion/sampler_registry.h"
#include "diffusion/scheduler_config.h"
#include "diffusion/sealed_bytes.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

/// What to denoise. Pictures of one request share all but the seed.
struct DenoiseRequest {
    /// As find_sampler takes it.
    std::string sampler;
    SamplerRequest plan;
    /// A seed for each picture, and where random numbers come from.
    NoiseRequest noise;
    /// One picture's latents: {channels, height, width}.
    Shape latent_shape;

    /// Clean latents to begin with, {pictures, channels, height, width}: image-to-image. Needs
    /// plan.strength or a mask, and both need these.
    std::optional<Tensor> init;
    /// Inpainting: {1, 1, height, width}, 0 where the pictures stay `init`, 1 where they are
    /// painted anew, in between a mix. Without plan.strength they begin as noise alone.
    std::optional<Tensor> mask;
    /// Starting noise of the same shape as `init` in place of the seeds' first draw (which is made
    /// all the same, so that later draws do not shift).
    std::optional<Tensor> given_noise;

    /// What computes the steps (the engine's fingerprint); kept with the loop and in its saved form
    /// so that whoever resumes can compare. Not interpreted here.
    std::string fingerprint;
};

/// What save() writes; a change of its layout raises the version.
inline constexpr SealKind kLoopSeal{"TSRALOOP", 2};

/// The way from noise to clean latents, one step at a time. Between steps it can be looked at,
/// saved, dropped or moved to another process. Each picture comes out the same to the bit alone or
/// in any batch, given a denoiser of which that holds. One thread at a time.
class DenoiseLoop {
  public:
    /// Draws the starting noise; no step is taken yet. kInvalidArgument, kNotFound (sampler) or
    /// kUnsupported, with what is wrong. With a strength too small for a single step the loop is
    /// done at once and its latents are `init`.
    [[nodiscard]] static Result<DenoiseLoop> start(DenoiseRequest request);

    /// Takes one step. On failure the loop stands where it stood, so that it can be saved, or
    /// advanced again. kCancelled when `stop` is requested, kConflict when it is done, kCorrupt
    /// when the step gave latents that are not finite numbers, else what the denoiser says.
    [[nodiscard]] Status advance(Denoiser& denoiser, const std::stop_token& stop);

    /// Steps taken, of how many. For image-to-image the skipped ones do not count.
    [[nodiscard]] std::size_t step() const;
    [[nodiscard]] std::size_t steps() const { return sampler_->steps(); }
    [[nodiscard]] bool done() const { return call_ == sampler_->calls().size(); }

    /// {pictures, channels, height, width}; when done, the result.
    [[nodiscard]] const Tensor& latents() const { return state_.latents; }
    /// What the network took for the clean latents at the last step: for previews. Empty before the
    /// first step.
    [[nodiscard]] const Tensor& predicted_clean() const { return state_.predicted_clean; }
    [[nodiscard]] const Sampler& sampler() const { return *sampler_; }
    [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

    /// All that is needed to go on from here in another process: 8 to 24 bytes per latent value, 8
    /// more with a mask, and up to 2.5 KB per picture.
    [[nodiscard]] Bytes save() const;
    /// The loop that save() wrote; from there it gives the identical result. The bytes may be
    /// anything: kCorrupt or kUnsupported when they are not a whole, consistent saved loop.
    [[nodiscard]] static Result<DenoiseLoop> resume(ByteView bytes);

  private:
    DenoiseLoop(
        std::string sampler_name,
        SamplerConvention convention,
        SamplerRequest plan,
        std::shared_ptr<const Sampler> sampler,
        PictureNoise noise,
        std::string fingerprint
    );

    static Result<DenoiseLoop> read(ByteReader& in);
    void begin(DenoiseRequest request, const Shape& shape);
    void keep_after(std::size_t call, SamplerState& state) const;

    std::string sampler_name_;
    SamplerConvention convention_;
    SamplerRequest plan_;
    std::shared_ptr<const Sampler> sampler_;
    PictureNoise noise_;
    std::string fingerprint_;
    std::optional<KeptLatents> kept_;
    SamplerState state_;
    std::size_t call_ = 0;
};

}  // namespace tessera
