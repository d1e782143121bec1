#pragma once

#include "diffusion/sampler.h"
#include "diffusion/sigma_plan.h"

#include <functional>
#include <optional>

namespace tessera {

/// What samplers that count in sigmas and call the network once or twice per step have in common.
class SigmaSampler : public Sampler {
  protected:
    /// The noise level of the second call in the step between two levels; nothing for a step of one
    /// call.
    using SecondSigma = std::function<std::optional<double>(double from, double to)>;

    /// One call per step.
    explicit SigmaSampler(const SigmaPlan& plan);
    /// Up to two.
    SigmaSampler(const SigmaPlan& plan, const SecondSigma& second);

    /// The noise levels where the step to which the call belongs starts and ends.
    [[nodiscard]] double sigma_from(std::size_t call) const;
    [[nodiscard]] double sigma_to(std::size_t call) const;
    /// The noise level of the latents before the call.
    [[nodiscard]] double sigma_at(std::size_t call) const { return call_sigmas_[call]; }
    [[nodiscard]] bool is_second(std::size_t call) const;
    /// Whether another call of the same step follows.
    [[nodiscard]] bool has_second(std::size_t call) const;

    /// The clean latents that the network's output stands for.
    [[nodiscard]] Tensor predict_clean(
        std::size_t call, const Tensor& output, const Tensor& latents
    ) const;

    /// Latents at `to` on the straight line from the latents at `from` to `clean`: Euler's step
    /// along (latents - clean) / sigma.
    [[nodiscard]] Tensor move(const Tensor& latents, double from, double to, const Tensor& clean)
        const;

    /// What latents of that noise level are multiplied with to be kept between steps.
    [[nodiscard]] double scale_at(double sigma) const;

  private:
    LatentSpace space_;
    PredictionType prediction_;
    std::size_t first_;
    std::vector<double> call_sigmas_;
};

}  // namespace tessera
