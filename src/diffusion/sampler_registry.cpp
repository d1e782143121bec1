#include "diffusion/sampler_registry.h"

#include "base/similar_name.h"
#include "diffusion/ddim.h"
#include "diffusion/ddpm.h"
#include "diffusion/dpm2.h"
#include "diffusion/dpm_solver_multistep.h"
#include "diffusion/dpmpp_2m.h"
#include "diffusion/dpmpp_2s_ancestral.h"
#include "diffusion/dpmpp_sde.h"
#include "diffusion/euler.h"
#include "diffusion/euler_ancestral.h"
#include "diffusion/heun.h"
#include "diffusion/lcm.h"
#include "diffusion/lms.h"
#include "diffusion/pndm.h"
#include "diffusion/sampler_request.h"
#include "diffusion/unipc.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera {

namespace {

const std::vector<SamplerInfo>& table() {
    constexpr auto kK = SamplerConvention::kKDiffusion;
    constexpr auto kD = SamplerConvention::kDiffusers;
    constexpr NoiseChoices kNone{};
    constexpr NoiseChoices kEta{true, false};
    constexpr NoiseChoices kSNoise{false, true};
    constexpr NoiseChoices kBoth{true, true};
    static const std::vector<SamplerInfo> samplers{
        {"Euler", {"k_euler", "sample_euler"}, kK, kNone, make_euler},
        {"Euler a",
         {"k_euler_a", "euler_ancestral", "k_euler_ancestral", "sample_euler_ancestral"},
         kK,
         kBoth,
         make_euler_ancestral},
        {"Heun", {"k_heun", "sample_heun"}, kK, kNone, make_heun},
        {"LMS", {"k_lms", "sample_lms"}, kK, kNone, make_lms},
        {"DPM2", {"k_dpm_2"}, kK, kNone, make_dpm2},
        {"DPM2 a",
         {"k_dpm_2_a", "dpm_2_ancestral", "k_dpm_2_ancestral"},
         kK,
         kBoth,
         make_dpm2_ancestral},
        {"DPM++ 2S a",
         {"k_dpmpp_2s_a", "dpmpp_2s_ancestral", "sample_dpmpp_2s_ancestral"},
         kK,
         kBoth,
         make_dpmpp_2s_ancestral},
        {"DPM++ SDE",
         {"k_dpmpp_sde", "dpmpp_sde_gpu", "sample_dpmpp_sde"},
         kK,
         kBoth,
         make_dpmpp_sde},
        {"DPM++ 2M", {"k_dpmpp_2m", "sample_dpmpp_2m"}, kK, kNone, make_dpmpp_2m},
        {"DPM++ 2M SDE",
         {"k_dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "sample_dpmpp_2m_sde"},
         kK,
         kBoth,
         make_dpmpp_2m_sde},
        {"DPM++ 2M SDE Heun",
         {"k_dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu"},
         kK,
         kBoth,
         make_dpmpp_2m_sde_heun},
        {"DPM++ 3M SDE", {"k_dpmpp_3m_sde", "dpmpp_3m_sde_gpu"}, kK, kBoth, make_dpmpp_3m_sde},
        {"UniPC", {"uni_pc", "k_unipc"}, kK, kNone, make_unipc},
        {"UniPC bh2", {"uni_pc_bh2"}, kK, kNone, make_unipc_bh2},
        {"DDIM", {"DDIMScheduler"}, kD, kEta, make_ddim},
        {"DDPM", {"DDPMScheduler"}, kD, kNone, make_ddpm},
        {"PLMS", {"PNDM", "PNDMScheduler"}, kD, kNone, make_pndm},
        {"LCM", {"k_lcm", "sample_lcm", "LCMScheduler"}, kD, kNone, make_lcm},
        {"sample_dpm_2", {}, kK, kNone, make_sample_dpm_2},
        {"sample_dpm_2_ancestral", {}, kK, kBoth, make_sample_dpm_2_ancestral},
        {"sample_dpmpp_3m_sde", {}, kK, kBoth, make_sample_dpmpp_3m_sde},
        {"EulerDiscreteScheduler", {}, kD, kNone, make_diffusers_euler},
        {"EulerAncestralDiscreteScheduler", {}, kD, kNone, make_diffusers_euler_ancestral},
        {"HeunDiscreteScheduler", {}, kD, kNone, make_diffusers_heun},
        {"LMSDiscreteScheduler", {}, kD, kNone, make_diffusers_lms},
        {"KDPM2DiscreteScheduler", {}, kD, kNone, make_diffusers_kdpm2},
        {"KDPM2AncestralDiscreteScheduler", {}, kD, kNone, make_diffusers_kdpm2_ancestral},
        {"DPMSolverSDEScheduler", {}, kD, kSNoise, make_diffusers_dpm_sde},
        {"DPMSolverMultistepScheduler", {}, kD, kNone, make_dpm_solver_multistep},
        {"UniPCMultistepScheduler", {}, kD, kNone, make_diffusers_unipc},
    };
    return samplers;
}

/// Well-known samplers that there are not, and what comes near to them.
struct Substitute {
    std::string_view name;
    std::string_view instead;
};

constexpr std::array<Substitute, 14> kSubstitutes{{
    {"DPM fast", "DPM++ 2M"},
    {"k_dpm_fast", "DPM++ 2M"},
    {"DPM adaptive", "DPM++ 2M"},
    {"k_dpm_ad", "DPM++ 2M"},
    {"Restart", "Heun"},
    {"heunpp2", "Heun"},
    {"DDIM CFG++", "DDIM"},
    {"ipndm", "PLMS"},
    {"ipndm_v", "PLMS"},
    {"IPNDMScheduler", "PNDMScheduler"},
    {"deis", "DPM++ 2M"},
    {"DEISMultistepScheduler", "DPMSolverMultistepScheduler"},
    {"DPMSolverSinglestepScheduler", "DPMSolverMultistepScheduler"},
    {"TCDScheduler", "LCMScheduler"},
}};

const SamplerInfo* find_exact(const std::string& wanted) {
    const auto& samplers = table();
    const auto found =
        std::find_if(samplers.begin(), samplers.end(), [&](const SamplerInfo& sampler) {
            return normalised_name(sampler.name) == wanted ||
                   std::any_of(
                       sampler.aliases.begin(),
                       sampler.aliases.end(),
                       [&](std::string_view alias) { return normalised_name(alias) == wanted; }
                   );
        });
    return found == samplers.end() ? nullptr : &*found;
}

std::string_view substitute_for(const std::string& wanted) {
    for (const NameReading& reading : readings_of(wanted)) {
        for (const Substitute& substitute : kSubstitutes) {
            if (normalised_name(substitute.name) == reading.sampler) {
                return substitute.instead;
            }
        }
    }
    return {};
}

std::size_t common_prefix(std::string_view left, std::string_view right) {
    const auto end =
        left.begin() + static_cast<std::ptrdiff_t>(std::min(left.size(), right.size()));
    return static_cast<std::size_t>(
        std::mismatch(left.begin(), end, right.begin()).first - left.begin()
    );
}

/// Every name and alias, normalised, with its sampler.
std::vector<std::pair<std::string, const SamplerInfo*>> all_names() {
    std::vector<std::pair<std::string, const SamplerInfo*>> names;
    for (const SamplerInfo& sampler : table()) {
        names.emplace_back(normalised_name(sampler.name), &sampler);
        for (const std::string_view alias : sampler.aliases) {
            names.emplace_back(normalised_name(alias), &sampler);
        }
    }
    return names;
}

/// The sampler with the fewest edits to its name, and some that begin alike; few, or none.
std::vector<std::string_view> near_names(const std::string& wanted) {
    constexpr std::size_t kMost = 3;
    constexpr std::size_t kShortestPrefix = 3;
    const auto names = all_names();
    std::vector<std::string_view> near;
    const auto offer = [&](const SamplerInfo& sampler) {
        if (near.size() < kMost &&
            std::find(near.begin(), near.end(), sampler.name) == near.end()) {
            near.push_back(sampler.name);
        }
    };
    std::vector<std::string_view> candidates;
    std::size_t longest = std::max(kShortestPrefix, (wanted.size() + 1) / 2);
    for (const auto& [name, sampler] : names) {
        candidates.push_back(name);
        longest = std::max(longest, common_prefix(wanted, name));
    }
    for (const NameReading& reading : readings_of(wanted)) {
        const auto similar = most_similar(reading.sampler, candidates);
        const auto at = std::find(candidates.begin(), candidates.end(), similar);
        if (at != candidates.end()) {
            offer(*names[static_cast<std::size_t>(at - candidates.begin())].second);
        }
    }
    for (const auto& [name, sampler] : names) {
        if (common_prefix(wanted, name) == longest) {
            offer(*sampler);
        }
    }
    return near;
}

tl::unexpected<Error> unknown_sampler(std::string_view name) {
    const std::string wanted = normalised_name(shown_name(name));
    if (const auto instead = substitute_for(wanted); !instead.empty()) {
        return fail(
            ErrorKind::kNotFound,
            "sampler \"{}\" is not available here; what comes near is {}",
            shown_name(name),
            instead
        );
    }
    if (const auto near = near_names(wanted); !near.empty()) {
        return fail(
            ErrorKind::kNotFound,
            "no sampler is called \"{}\"; near to it: {}",
            shown_name(name),
            fmt::join(near, ", ")
        );
    }
    std::string known;
    for (const SamplerInfo& sampler : table()) {
        if (sampler.name.find("Scheduler") == std::string_view::npos &&
            !sampler.name.starts_with("sample_")) {
            known += fmt::format("{}, ", sampler.name);
        }
    }
    return fail(
        ErrorKind::kNotFound,
        "no sampler is called \"{}\"; there are {}and diffusers' class names",
        shown_name(name),
        known
    );
}

tl::unexpected<Error> not_taken(const SamplerInfo& sampler, const char* choice) {
    return fail(
        ErrorKind::kUnsupported,
        "sampler {} takes no {}; leave it out, or take a sampler that does, such as Euler a",
        sampler.name,
        choice
    );
}

}  // namespace

std::span<const SamplerInfo> known_samplers() {
    return table();
}

Result<SamplerChoice> find_sampler(std::string_view name) {
    for (const NameReading& reading : readings_of(normalised_name(name))) {
        if (const SamplerInfo* sampler = find_exact(reading.sampler)) {
            return SamplerChoice{sampler, reading.schedule};
        }
    }
    return unknown_sampler(name);
}

double strength_for(int steps, int whole, SamplerConvention convention) {
    // Just between two whole numbers of steps, so that rounding leaves the one that is meant.
    const double half = convention == SamplerConvention::kDiffusers ? 0.5 : -0.5;
    return std::clamp((steps + half) / whole, 0.0, 1.0);
}

Result<std::unique_ptr<Sampler>> make_sampler(std::string_view name, SamplerRequest request) {
    TESSERA_ASSIGN(const auto choice, find_sampler(name));
    if (choice.schedule != ScheduleKind::kAutomatic) {
        if (request.schedule != ScheduleKind::kAutomatic && request.schedule != choice.schedule) {
            return fail(
                ErrorKind::kInvalidArgument,
                "sampler \"{}\" contradicts schedule type {}",
                shown_name(name),
                to_string(request.schedule)
            );
        }
        request.schedule = choice.schedule;
    }
    TESSERA_TRY(check(request));
    const SamplerInfo& sampler = *choice.sampler;
    if (request.eta && !sampler.takes.eta) {
        return not_taken(sampler, "eta");
    }
    if (request.s_noise && !sampler.takes.s_noise) {
        return not_taken(sampler, "s_noise");
    }
    return sampler.make(request);
}

}  // namespace tessera
