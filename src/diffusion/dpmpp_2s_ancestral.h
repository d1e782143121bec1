#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// DPM-Solver++(2S) (Lu et al. 2022, algorithm 1) to below the next noise level, and fresh noise to
/// come up to it: two calls and one draw per step but the last. k-diffusion's
/// sample_dpmpp_2s_ancestral with its convention (plan_k_diffusion; kAutomatic means Karras, as in
/// A1111): A1111's "DPM++ 2S a". `eta` scales the noise, takes `s_noise`.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_2s_ancestral(const SamplerRequest& request
);

}  // namespace tessera
