#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

// Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion
// Models", on clean latents: one call per step, whose result also corrects the step before.
// Deterministic.

/// Order 3 with B1(h) = h: the variant of A1111's "UniPC" and ComfyUI's "uni_pc"; and with
/// B2(h) = e^h - 1: ComfyUI's "uni_pc_bh2". With k-diffusion's convention (plan_k_diffusion) and
/// without the last but one noise level, as in ComfyUI; A1111's has a spacing of its own.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_unipc(const SamplerRequest& request);
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_unipc_bh2(const SamplerRequest& request);

/// diffusers' UniPCMultistepScheduler 0.30 (plan_diffusers_dpm) with the config's solver_type,
/// solver_order, lower_order_final and final_sigmas_type. kUnsupported for other values than that
/// class knows, for orders above 3 and for predict_x0 false.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_unipc(const SamplerRequest& request);

}  // namespace tessera
