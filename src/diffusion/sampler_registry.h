#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// One sampler that can be asked for by name. All that is known about samplers outside their own
/// files is the table of these in sampler_registry.cpp.
struct SamplerInfo {
    /// A1111's name ("Euler a": k-diffusion's convention, DDIM excepted) or diffusers' class name
    /// ("EulerDiscreteScheduler": diffusers' convention).
    std::string_view name;
    /// Further names.
    std::vector<std::string_view> aliases;
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

/// Upper and lower case, spaces, "-" and "_" do not matter, and "pp" means "++". kNotFound with the
/// names that there are.
[[nodiscard]] Result<SamplerChoice> find_sampler(std::string_view name);

/// "Automatic", "Uniform", "Karras", "Exponential" (and k-diffusion's "discrete", "normal" for
/// Uniform), as freely written as a sampler's name. kNotFound with the names that there are.
[[nodiscard]] Result<ScheduleKind> find_schedule(std::string_view name);

/// The name that find_schedule takes, for people and metadata: "Karras".
[[nodiscard]] std::string_view to_string(ScheduleKind schedule);

/// Sets up the sampler of that name. A schedule in the name holds where the request says
/// kAutomatic; kInvalidArgument when the two contradict each other.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_sampler(
    std::string_view name, SamplerRequest request
);

}  // namespace tessera
