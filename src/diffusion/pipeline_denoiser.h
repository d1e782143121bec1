#pragma once

#include "diffusion/conditioning.h"
#include "diffusion/denoiser.h"
#include "diffusion/guidance.h"
#include "diffusion/pipeline_model.h"

#include <memory>

namespace tessera {

/// The UNet with a prompt, a negative prompt and guidance bound to it.
class GuidedDenoiser final : public Denoiser {
  public:
    /// `positive` has one part or more, `negative` one, or none if `guidance` and `positive` need
    /// none. `steps` is how many steps there are in all, of which `guidance` may leave out some.
    GuidedDenoiser(
        std::shared_ptr<PipelineModel> model,
        Conditioning positive,
        Conditioning negative,
        const Guidance& guidance,
        std::size_t steps
    );

    [[nodiscard]] Result<Tensor> denoise(
        const Tensor& model_input, const ModelCall& call, std::stop_token stop
    ) override;

    /// Whether a render with these needs its negative prompt at all.
    [[nodiscard]] static bool needs_negative(
        const Conditioning& positive, const Guidance& guidance
    );

  private:
    std::shared_ptr<PipelineModel> model_;
    Conditioning positive_;
    Conditioning negative_;
    Guidance guidance_;
    std::size_t steps_;
};

}  // namespace tessera
