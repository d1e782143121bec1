#include "diffusion/sampler_registry.h"

#include "diffusion/ddim.h"
#include "diffusion/dpmpp_2m.h"
#include "diffusion/euler.h"
#include "diffusion/euler_ancestral.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tessera {

namespace {

const std::vector<SamplerInfo>& table() {
    static const std::vector<SamplerInfo> samplers{
        {"Euler", {"k_euler", "sample_euler"}, make_euler},
        {"Euler a",
         {"k_euler_a", "Euler ancestral", "k_euler_ancestral", "sample_euler_ancestral"},
         make_euler_ancestral},
        {"DPM++ 2M", {"k_dpmpp_2m", "sample_dpmpp_2m"}, make_dpmpp_2m},
        {"DDIM", {"DDIMScheduler"}, make_ddim},
        {"EulerDiscreteScheduler", {}, make_diffusers_euler},
        {"EulerAncestralDiscreteScheduler", {}, make_diffusers_euler_ancestral},
        {"DPMSolverMultistepScheduler", {}, make_diffusers_dpmpp_2m},
    };
    return samplers;
}

struct ScheduleName {
    std::string_view name;
    ScheduleKind kind;
};

/// The first name of each kind is the one to show.
constexpr std::array<ScheduleName, 6> kSchedules{{
    {"Automatic", ScheduleKind::kAutomatic},
    {"Uniform", ScheduleKind::kUniform},
    {"Normal", ScheduleKind::kUniform},
    {"discrete", ScheduleKind::kUniform},
    {"Karras", ScheduleKind::kKarras},
    {"Exponential", ScheduleKind::kExponential},
}};

std::string normalised(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c >= 'A' && c <= 'Z') {
            out += static_cast<char>(c - 'A' + 'a');
        } else if (c == '+') {
            out += 'p';
        } else if (c != ' ' && c != '_' && c != '-') {
            out += c;
        }
    }
    return out;
}

const SamplerInfo* find_exact(const std::string& wanted) {
    const auto& samplers = table();
    const auto found =
        std::find_if(samplers.begin(), samplers.end(), [&](const SamplerInfo& sampler) {
            return normalised(sampler.name) == wanted ||
                   std::any_of(
                       sampler.aliases.begin(),
                       sampler.aliases.end(),
                       [&](std::string_view alias) { return normalised(alias) == wanted; }
                   );
        });
    return found == samplers.end() ? nullptr : &*found;
}

/// Names come from outside: short enough to print, or cut.
std::string_view shown(std::string_view name) {
    return name.substr(0, 64);
}

}  // namespace

std::span<const SamplerInfo> known_samplers() {
    return table();
}

Result<SamplerChoice> find_sampler(std::string_view name) {
    const std::string wanted = normalised(name);
    if (const SamplerInfo* sampler = find_exact(wanted)) {
        return SamplerChoice{sampler};
    }
    for (const ScheduleName& schedule : kSchedules) {
        const std::string suffix = normalised(schedule.name);
        if (wanted.ends_with(suffix)) {
            const std::string rest = wanted.substr(0, wanted.size() - suffix.size());
            if (const SamplerInfo* sampler = find_exact(rest)) {
                return SamplerChoice{sampler, schedule.kind};
            }
        }
    }
    std::string known;
    for (const SamplerInfo& sampler : table()) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", sampler.name);
    }
    return fail(
        ErrorKind::kNotFound, "no sampler is called \"{}\"; there are {}", shown(name), known
    );
}

Result<ScheduleKind> find_schedule(std::string_view name) {
    const std::string wanted = normalised(name);
    std::string known;
    for (const ScheduleName& schedule : kSchedules) {
        if (normalised(schedule.name) == wanted) {
            return schedule.kind;
        }
        known += fmt::format("{}{}", known.empty() ? "" : ", ", schedule.name);
    }
    return fail(
        ErrorKind::kNotFound, "no schedule type is called \"{}\"; there are {}", shown(name), known
    );
}

std::string_view to_string(ScheduleKind schedule) {
    return std::find_if(
               kSchedules.begin(),
               kSchedules.end(),
               [&](const ScheduleName& entry) { return entry.kind == schedule; }
    )->name;
}

Result<std::unique_ptr<Sampler>> make_sampler(std::string_view name, SamplerRequest request) {
    TESSERA_ASSIGN(const auto choice, find_sampler(name));
    if (choice.schedule != ScheduleKind::kAutomatic) {
        if (request.schedule != ScheduleKind::kAutomatic && request.schedule != choice.schedule) {
            return fail(
                ErrorKind::kInvalidArgument,
                "sampler \"{}\" contradicts schedule type {}",
                shown(name),
                to_string(request.schedule)
            );
        }
        request.schedule = choice.schedule;
    }
    return choice.sampler->make(request);
}

}  // namespace tessera
