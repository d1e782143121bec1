#pragma once

#include "diffusion/sampler.h"
#include "diffusion/sigma_plan.h"

namespace tessera {

/// What samplers that count in sigmas and call the network once per step have in common.
class SigmaSampler : public Sampler {
  protected:
    explicit SigmaSampler(const SigmaPlan& plan);

    /// The noise level at call `call` and the one to reach.
    [[nodiscard]] double sigma_from(std::size_t call) const { return sigmas()[first_ + call]; }
    [[nodiscard]] double sigma_to(std::size_t call) const { return sigmas()[first_ + call + 1]; }

    /// The clean latents that the network's output stands for.
    [[nodiscard]] Tensor predict_clean(
        std::size_t call, const Tensor& output, const Tensor& latents
    ) const;

    /// Latents at `sigma` on the straight line from the latents at sigma_from(call) to `clean`:
    /// Euler's step along (latents - clean) / sigma.
    [[nodiscard]] Tensor move_towards(
        const Tensor& clean, double sigma, std::size_t call, const Tensor& latents
    ) const;

  private:
    [[nodiscard]] double scale_at(double sigma) const;

    LatentSpace space_;
    PredictionType prediction_;
    std::size_t first_;
};

}  // namespace tessera
