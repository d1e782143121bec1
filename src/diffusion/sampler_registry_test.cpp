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

TEST(SamplerRegistry, AnUnknownNameGetsTheListOfKnownOnes) {
    const auto unknown = find_sampler("Eulre");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound);
    for (const SamplerInfo& sampler : known_samplers()) {
        EXPECT_NE(unknown.error().message.find(sampler.name), std::string::npos);
    }
}

TEST(SamplerRegistry, ScheduleNamesReadBack) {
    for (const auto kind :
         {ScheduleKind::kAutomatic,
          ScheduleKind::kUniform,
          ScheduleKind::kKarras,
          ScheduleKind::kExponential}) {
        const auto found = find_schedule(to_string(kind));
        ASSERT_TRUE(found);
        EXPECT_EQ(*found, kind);
    }
    EXPECT_FALSE(find_schedule("sideways"));
}

TEST(SamplerRegistry, AutomaticMeansKarrasForDpmpp2mOnly) {
    SamplerRequest request;
    const auto automatic = make_sampler("DPM++ 2M", request);
    const auto karras = make_sampler("DPM++ 2M Karras", request);
    ASSERT_TRUE(automatic && karras);
    EXPECT_EQ((*automatic)->sigmas(), (*karras)->sigmas());
    EXPECT_NE(
        (*make_sampler("Euler", request))->sigmas(),
        (*make_sampler("Euler Karras", request))->sigmas()
    );
}

TEST(SamplerRegistry, SchedulesThatASamplerLacksAreUnsupported) {
    for (const char* name :
         {"DDIM Karras",
          "EulerAncestralDiscreteScheduler Karras",
          "EulerDiscreteScheduler Exponential"}) {
        const auto sampler = make_sampler(name, SamplerRequest{});
        ASSERT_FALSE(sampler) << name;
        EXPECT_EQ(sampler.error().kind, ErrorKind::kUnsupported) << name;
    }
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

}  // namespace
}  // namespace tessera
