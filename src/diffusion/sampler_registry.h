#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"
#include "diffusion/schedule_names.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// Whose arithmetic a sampler follows to the last detail: schedule, rounding, image-to-image.
enum class SamplerConvention : std::uint8_t {
    kKDiffusion,  ///< k-diffusion as A1111 and ComfyUI use it
    kDiffusers,   ///< diffusers 0.30
};

/// Which choices of SamplerRequest about fresh noise a sampler takes.
struct NoiseChoices {
    bool eta = false;
    bool s_noise = false;
};

/// One sampler that can be asked for by name. All that is known about samplers outside their own
/// files is the table of these in sampler_registry.cpp.
struct SamplerInfo {
    /// A1111's name ("Euler a"), k-diffusion's where that differs ("sample_dpm_2"), or diffusers'
    /// class name ("EulerDiscreteScheduler").
    std::string_view name;
    /// Further names: A1111's, ComfyUI's, k-diffusion's, diffusers'.
    std::vector<std::string_view> aliases;
    SamplerConvention convention;
    NoiseChoices takes;
    /// For make_sampler, which checks what is taken.
    Result<std::unique_ptr<Sampler>> (*make)(const SamplerRequest&);
};

/// Every sampler, A1111's names first.
[[nodiscard]] std::span<const SamplerInfo> known_samplers();

/// A sampler's name may end in a schedule's, as in "DPM++ 2M Karras".
struct SamplerChoice {
    const SamplerInfo* sampler = nullptr;
    /// kAutomatic where the name says nothing of it.
    ScheduleKind schedule = ScheduleKind::kAutomatic;
};

/// Upper and lower case, spaces, "-" and "_" do not matter, and "pp" means "++". kNotFound with a
/// name near to it, or else those that A1111 knows.
[[nodiscard]] Result<SamplerChoice> find_sampler(std::string_view name);

/// The strength with which image-to-image takes just the last `steps` of `whole` steps: what
/// rounding down, in either convention, makes that number of. 1 <= steps <= whole.
[[nodiscard]] double strength_for(int steps, int whole, SamplerConvention convention);

/// Sets up the sampler of that name. A schedule in the name holds where the request says
/// kAutomatic; kInvalidArgument when the two contradict each other; kUnsupported for an eta or an
/// s_noise that the sampler does not take.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_sampler(
    std::string_view name, SamplerRequest request
);

}  // namespace tessera
