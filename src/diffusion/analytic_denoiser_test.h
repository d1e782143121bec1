#pragma once

#include "diffusion/denoiser.h"

#include <algorithm>
#include <cmath>

namespace tessera {

/// A stand-in network that works element by element and depends on both of its inputs.
class AnalyticDenoiser final : public Denoiser {
  public:
    Result<Tensor> denoise(
        const Tensor& model_input, const ModelCall& call, [[maybe_unused]] std::stop_token stop
    ) override {
        Tensor output(model_input.shape);
        const auto shift = static_cast<float>(call.timestep / 100.0);
        std::transform(
            model_input.values.begin(),
            model_input.values.end(),
            output.values.begin(),
            [shift](float x) { return 0.3F * x + 0.1F * std::sin(2.0F * x + shift); }
        );
        return output;
    }
};

}  // namespace tessera
