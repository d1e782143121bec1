#include "diffusion/sampler_registry.h"
#include "tessera/commands.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace tessera::cli {
namespace {

/// Those that the sampler can be set up with for a Stable Diffusion model.
std::vector<std::string> schedules_of(const SamplerInfo& sampler) {
    SamplerRequest request;
    request.config.beta_schedule = BetaSchedule::kScaledLinear;
    request.config.beta_start = 0.00085;
    request.config.beta_end = 0.012;
    std::vector<std::string> names;
    for (const ScheduleKind schedule : known_schedules()) {
        request.schedule = schedule;
        if (make_sampler(sampler.name, request)) {
            names.emplace_back(to_string(schedule));
        }
    }
    return names;
}

template <class Texts>
std::string joined(const Texts& texts) {
    return fmt::format("{}", fmt::join(texts, ", "));
}

Result<ExitCode> list_samplers(bool json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const SamplerInfo& sampler : known_samplers()) {
        const auto schedules = schedules_of(sampler);
        const bool diffusers = sampler.convention == SamplerConvention::kDiffusers;
        if (json) {
            list.push_back(
                {{"name", sampler.name},
                 {"aliases", sampler.aliases},
                 {"convention", diffusers ? "diffusers" : "k-diffusion"},
                 {"eta", sampler.takes.eta},
                 {"s_noise", sampler.takes.s_noise},
                 {"schedules", schedules}}
            );
            continue;
        }
        std::printf("%s\n", std::string(sampler.name).c_str());
        if (!sampler.aliases.empty()) {
            std::printf("  also      %s\n", joined(sampler.aliases).c_str());
        }
        std::printf("  as in     %s\n", diffusers ? "diffusers" : "A1111, k-diffusion");
        std::printf("  schedules %s\n", joined(schedules).c_str());
        if (sampler.takes.eta || sampler.takes.s_noise) {
            std::printf(
                "  takes     %s%s\n",
                sampler.takes.eta ? "--eta " : "",
                sampler.takes.s_noise ? "--s-noise" : ""
            );
        }
    }
    if (json) {
        std::printf("%s\n", list.dump(2).c_str());
    }
    return ExitCode::kDone;
}

}  // namespace

void add_samplers(CLI::App& program, Action& action) {
    auto* command =
        program.add_subcommand("samplers", "List samplers, their names and noise schedules");
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "As JSON");
    command->footer(
        "Examples:\n"
        "  tessera samplers\n"
        "  tessera render \"a lake\" --sampler \"DPM++ 2M SDE\" --schedule Exponential\n\n"
        "A schedule may follow the sampler's name, as in \"DPM++ 2M Karras\"."
    );
    command->callback([json, &action] { action = [json] { return list_samplers(*json); }; });
}

}  // namespace tessera::cli
