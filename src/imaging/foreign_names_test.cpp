#include "imaging/foreign_names.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(ForeignNames, AreA1111sInTheEnd) {
    EXPECT_EQ(a1111_sampler_name("euler_ancestral"), "Euler a");
    EXPECT_EQ(a1111_sampler_name("dpmpp_2m_sde_gpu"), "DPM++ 2M SDE");
    EXPECT_EQ(a1111_sampler_name("k_dpmpp_2s_ancestral"), "DPM++ 2S a");
    EXPECT_EQ(a1111_sampler_name("dpm++2m"), "DPM++ 2M");
    EXPECT_EQ(a1111_sampler_name("DPM++ 2M Karras"), "DPM++ 2M Karras");
    EXPECT_EQ(a1111_sampler_name("res_multistep"), "res_multistep");
    EXPECT_EQ(a1111_schedule_name("sgm_uniform"), "SGM Uniform");
    EXPECT_EQ(a1111_schedule_name("normal"), "Uniform");
    EXPECT_EQ(a1111_schedule_name("Karras"), "Karras");
}

TEST(ForeignNames, SamplersThatDrawNoiseAreKnownInEverySpelling) {
    for (const char* noisy :
         {"euler_a", "k_euler_ancestral", "Euler a", "DPM++ 2M SDE Karras", "ddpm", "lcm"}) {
        EXPECT_TRUE(draws_noise_in_steps(noisy)) << noisy;
    }
    for (const char* calm : {"euler", "Euler", "DPM++ 2M Karras", "ddim", "uni_pc", "", "LCMish"}) {
        EXPECT_FALSE(draws_noise_in_steps(calm)) << calm;
    }
}

}  // namespace
}  // namespace tessera
