#include "diffusion/sampler_registry.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(SamplerRegistry, KnowsEverySamplerByNameAndAlias) {
    for (const SamplerInfo& sampler : known_samplers()) {
        const auto by_name = find_sampler(sampler.name);
        ASSERT_TRUE(by_name) << sampler.name;
        EXPECT_EQ(by_name->sampler, &sampler);
        for (const auto alias : sampler.aliases) {
            const auto by_alias = find_sampler(alias);
            ASSERT_TRUE(by_alias) << alias;
            EXPECT_EQ(by_alias->sampler, &sampler) << alias;
        }
    }
}

TEST(SamplerRegistry, ReadsFreelyWrittenNames) {
    const auto name_of = [](std::string_view name) {
        const auto found = find_sampler(name);
        return found ? found->sampler->name : std::string_view("none");
    };
    EXPECT_EQ(name_of("euler_a"), "Euler a");
    EXPECT_EQ(name_of("k_euler_a"), "Euler a");
    EXPECT_EQ(name_of("EULER A"), "Euler a");
    EXPECT_EQ(name_of("dpmpp_2m"), "DPM++ 2M");
    EXPECT_EQ(name_of("dpm++ 2m karras"), "DPM++ 2M");
    EXPECT_EQ(name_of("ddim"), "DDIM");
    EXPECT_EQ(name_of("eulerdiscretescheduler"), "EulerDiscreteScheduler");
    EXPECT_EQ(name_of("Karras"), "none");
    EXPECT_EQ(name_of(""), "none");
}

TEST(SamplerRegistry, TakesTheScheduleFromTheEndOfAName) {
    EXPECT_EQ(find_sampler("Euler a Karras")->schedule, ScheduleKind::kKarras);
    EXPECT_EQ(find_sampler("Euler exponential")->schedule, ScheduleKind::kExponential);
    EXPECT_EQ(find_sampler("Euler")->schedule, ScheduleKind::kAutomatic);
    SamplerRequest request;
    request.schedule = ScheduleKind::kExponential;
    const auto contradiction = make_sampler("Euler Karras", request);
    ASSERT_FALSE(contradiction);
    EXPECT_EQ(contradiction.error().kind, ErrorKind::kInvalidArgument);
}

TEST(SamplerRegistry, AnUnknownNameGetsANearOneOrTheList) {
    const std::vector<std::pair<const char*, const char*>> cases{
        {"Eulre", "near to it: Euler"},
        {"Eular Karras", "near to it: Euler"},
        {"dpmpp_2m_sdee", "near to it: DPM++ 2M SDE"},
        {"DPMSolverMultistep", "near to it: DPMSolverMultistepScheduler"},
        {"DPM fast", "what comes near is DPM++ 2M"},
        {"dpm_adaptive", "what comes near is DPM++ 2M"},
        {"Restart Karras", "what comes near is Heun"},
        {"something else", "there are Euler, Euler a, Heun, "},
        {"", "there are Euler, Euler a, Heun, "},
    };
    for (const auto& [name, hint] : cases) {
        const auto unknown = find_sampler(name);
        ASSERT_FALSE(unknown) << name;
        EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound);
        EXPECT_NE(unknown.error().message.find(hint), std::string::npos) << unknown.error().message;
    }
    EXPECT_LT(find_sampler(std::string(100'000, 'x')).error().message.size(), 400U);
}

TEST(SamplerRegistry, KnowsTheNamesOfOtherPrograms) {
    const std::vector<std::pair<const char*, const char*>> names{
        {"euler", "Euler"},
        {"euler_ancestral", "Euler a"},
        {"heun", "Heun"},
        {"dpm_2", "DPM2"},
        {"dpm_2_ancestral", "DPM2 a"},
        {"lms", "LMS"},
        {"dpmpp_2s_ancestral", "DPM++ 2S a"},
        {"dpmpp_sde_gpu", "DPM++ SDE"},
        {"dpmpp_2m", "DPM++ 2M"},
        {"dpmpp_2m_sde_gpu", "DPM++ 2M SDE"},
        {"dpmpp_2m_sde_heun", "DPM++ 2M SDE Heun"},
        {"dpmpp_3m_sde", "DPM++ 3M SDE"},
        {"uni_pc", "UniPC"},
        {"uni_pc_bh2", "UniPC bh2"},
        {"ddim", "DDIM"},
        {"ddpm", "DDPM"},
        {"lcm", "LCM"},
        {"PNDMScheduler", "PLMS"},
    };
    for (const auto& [name, meant] : names) {
        const auto found = find_sampler(name);
        ASSERT_TRUE(found) << name;
        EXPECT_EQ(found->sampler->name, meant) << name;
        EXPECT_EQ(found->schedule, ScheduleKind::kAutomatic) << name;
    }
    EXPECT_EQ(find_sampler("k_dpmpp_2m_ka")->schedule, ScheduleKind::kKarras);
    EXPECT_EQ(find_sampler("Euler SGM Uniform")->schedule, ScheduleKind::kSgmUniform);
    EXPECT_EQ(find_sampler("DPM++ 2M SDE Heun Exponential")->sampler->name, "DPM++ 2M SDE Heun");
}

TEST(SamplerRegistry, ScheduleNamesReadBack) {
    for (const ScheduleKind kind : known_schedules()) {
        const auto found = find_schedule(to_string(kind));
        ASSERT_TRUE(found) << to_string(kind);
        EXPECT_EQ(*found, kind);
    }
    EXPECT_EQ(find_schedule("ddim_uniform"), ScheduleKind::kDdim);
    EXPECT_EQ(find_schedule("sgm_uniform"), ScheduleKind::kSgmUniform);
    EXPECT_EQ(find_schedule("normal"), ScheduleKind::kUniform);
    EXPECT_EQ(find_schedule("polyexponential"), ScheduleKind::kExponential);
    const auto unknown = find_schedule("sideways");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("SGM Uniform"), std::string::npos);
}

TEST(SamplerRegistry, AutomaticMeansWhatA1111TakesForEachSampler) {
    const SamplerRequest request;
    const auto is_automatic = [&](const std::string& name, const std::string& schedule) {
        const auto automatic = make_sampler(name, request);
        const auto named = make_sampler(name + " " + schedule, request);
        return automatic && named && (*automatic)->sigmas() == (*named)->sigmas();
    };
    for (const char* name : {"Euler", "Euler a", "Heun", "LMS", "UniPC"}) {
        EXPECT_TRUE(is_automatic(name, "Uniform")) << name;
        EXPECT_FALSE(is_automatic(name, "Karras")) << name;
    }
    for (const char* name : {"DPM2", "DPM2 a", "DPM++ 2S a", "DPM++ SDE", "DPM++ 2M"}) {
        EXPECT_TRUE(is_automatic(name, "Karras")) << name;
    }
    for (const char* name : {"DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE"}) {
        EXPECT_TRUE(is_automatic(name, "Exponential")) << name;
    }
}

TEST(SamplerRegistry, SchedulesThatASamplerLacksAreUnsupported) {
    for (const char* name :
         {"DDIM Karras",
          "DDPM Exponential",
          "PLMS Karras",
          "LCM SGM Uniform",
          "EulerAncestralDiscreteScheduler Karras",
          "EulerDiscreteScheduler KL Optimal",
          "UniPCMultistepScheduler Simple",
          "Euler Align Your Steps"}) {
        const auto sampler = make_sampler(name, SamplerRequest{});
        ASSERT_FALSE(sampler) << name;
        EXPECT_EQ(sampler.error().kind, ErrorKind::kUnsupported) << name;
    }
}

TEST(SamplerRegistry, ConfigVariantsThatASamplerLacksAreUnsupported) {
    const auto kind_of = [](const char* name, auto change) {
        SamplerRequest request;
        change(request.config);
        const auto sampler = make_sampler(name, request);
        return sampler ? ErrorKind::kInternal : sampler.error().kind;
    };
    constexpr auto kUnsupported = ErrorKind::kUnsupported;
    const char* multistep = "DPMSolverMultistepScheduler";
    const char* unipc = "UniPCMultistepScheduler";
    using Config = SchedulerConfig;
    EXPECT_EQ(kind_of(multistep, [](Config& c) { c.algorithm_type = "magic"; }), kUnsupported);
    EXPECT_EQ(kind_of(multistep, [](Config& c) { c.algorithm_type = "dpmsolver"; }), kUnsupported);
    EXPECT_EQ(kind_of(multistep, [](Config& c) { c.solver_type = "magic"; }), kUnsupported);
    EXPECT_EQ(kind_of(multistep, [](Config& c) { c.solver_order = 4; }), kUnsupported);
    EXPECT_EQ(
        kind_of(
            multistep,
            [](Config& c) {
                c.algorithm_type = "sde-dpmsolver++";
                c.solver_order = 3;
            }
        ),
        kUnsupported
    );
    EXPECT_EQ(kind_of(unipc, [](Config& c) { c.solver_order = 0; }), kUnsupported);
    EXPECT_EQ(kind_of(unipc, [](Config& c) { c.predict_x0 = false; }), kUnsupported);
    EXPECT_EQ(kind_of("PLMS", [](Config& c) { c.skip_prk_steps = false; }), kUnsupported);
    EXPECT_EQ(kind_of("DDPM", [](Config& c) { c.variance_type = "learned"; }), kUnsupported);
    EXPECT_EQ(
        kind_of("LCM", [](Config& c) { c.original_inference_steps = 19; }),
        ErrorKind::kInvalidArgument
    );
}

TEST(SamplerRegistry, StepsThatWouldShareANoiseLevelAreRefused) {
    SamplerRequest request;
    request.config.timestep_spacing = TimestepSpacing::kLeading;
    request.steps = 1000;
    const auto stuck = make_sampler("DPMSolverMultistepScheduler", request);
    ASSERT_FALSE(stuck);
    EXPECT_EQ(stuck.error().kind, ErrorKind::kInvalidArgument);
    request.config.steps_offset = 1;
    for (const char* name : {"EulerDiscreteScheduler", "DDIM"}) {
        const auto beyond = make_sampler(name, request);
        ASSERT_FALSE(beyond);
        EXPECT_NE(beyond.error().message.find("steps_offset 1"), std::string::npos);
    }
}

TEST(StrengthFor, LeavesJustTheStepsThatAreMeant) {
    SamplerRequest request;
    for (const char* name : {"Euler", "DDIM"}) {
        const auto convention = find_sampler(name)->sampler->convention;
        for (int steps = 1; steps <= 20; ++steps) {
            for (request.steps = steps; request.steps <= 40; ++request.steps) {
                request.strength = strength_for(steps, request.steps, convention);
                const auto sampler = make_sampler(name, request);
                ASSERT_TRUE(sampler) << sampler.error().message;
                EXPECT_EQ((*sampler)->steps(), static_cast<std::size_t>(steps))
                    << name << " of " << request.steps;
            }
        }
    }
}

}  // namespace
}  // namespace tessera
