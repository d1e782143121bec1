#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/sampler.h"

#include <stop_token>

namespace tessera {

/// A network with its conditioning and guidance bound to it: what the step loop calls.
class Denoiser {
  public:
    Denoiser() = default;
    Denoiser(const Denoiser&) = delete;
    Denoiser& operator=(const Denoiser&) = delete;
    virtual ~Denoiser() = default;

    /// The guided model output for a batch, {pictures, channels, height, width} in and out, in the
    /// meaning that the model's prediction type has. kCancelled soon after `stop` is requested.
    [[nodiscard]] virtual Result<Tensor> denoise(
        const Tensor& model_input, const ModelCall& call, std::stop_token stop
    ) = 0;
};

}  // namespace tessera
