#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// A sampler's or schedule type's name as names are compared: without upper case, spaces, "-" and
/// "_", and with "p" for "+".
[[nodiscard]] std::string normalised_name(std::string_view name);

/// A name from outside, short enough to print.
[[nodiscard]] std::string_view shown_name(std::string_view name);

/// A1111's and ComfyUI's names of schedule types, as freely written as a sampler's name: Automatic,
/// Uniform (Normal, discrete), Karras, Exponential (Polyexponential, whose default is the same),
/// SGM Uniform, KL Optimal, Align Your Steps, Simple, DDIM (ddim_uniform), Beta. kNotFound with the
/// names that there are.
[[nodiscard]] Result<ScheduleKind> find_schedule(std::string_view name);

/// Every schedule type.
[[nodiscard]] std::span<const ScheduleKind> known_schedules();

/// The name that find_schedule takes, for people and metadata: "Karras".
[[nodiscard]] std::string_view to_string(ScheduleKind schedule);

/// What a normalised name says when it ends in a schedule's.
struct NameReading {
    std::string sampler;
    ScheduleKind schedule;
};

/// The name as it is, then every way to take its end for a schedule's name.
[[nodiscard]] std::vector<NameReading> readings_of(const std::string& name);

}  // namespace tessera
