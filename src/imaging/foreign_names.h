#pragma once

#include <string>
#include <string_view>

namespace tessera {

/// A sampler's name as A1111 spells it, from the spelling of ComfyUI, SwarmUI, InvokeAI, NovelAI or
/// stable-diffusion.cpp: "dpmpp_2m_sde_gpu" is "DPM++ 2M SDE". A name that is not known comes back
/// as it is.
[[nodiscard]] std::string a1111_sampler_name(std::string_view name);

/// The same for a noise schedule: "karras" is "Karras", "normal" is "Uniform" (in ComfyUI's sense).
[[nodiscard]] std::string a1111_schedule_name(std::string_view name);

/// Whether the sampler draws noise between its steps, so that where that noise comes from matters.
/// Knows all programs' spellings; a name that is not known counts as one that does not.
[[nodiscard]] bool draws_noise_in_steps(std::string_view sampler);

}  // namespace tessera
