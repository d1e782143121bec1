#include "job/job_spec.h"

#include "job/job_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace tessera {
namespace {

using ::testing::HasSubstr;

TEST(JobSpecHash, IsEqualForEqualWorkAlone) {
    EXPECT_TRUE(rc::check([] {
        const JobSpec spec = testing::any_job_spec();
        JobSpec again = spec;
        again.idempotency_key += "other";
        again.traceparent += "other";
        RC_ASSERT(body_hash(again) == body_hash(spec));
        again.render.prompt += "!";
        RC_ASSERT(body_hash(again) != body_hash(spec));
    }));
}

TEST(JobSpecHash, StaysTheSameForEver) {
    // Stored with idempotency keys: another value here means that a field's number, type or
    // default has changed, and that repeated submissions conflict.
    JobSpec spec;
    spec.render = {
        .model = "m",
        .prompt = "a lighthouse",
        .negative_prompt = "fog",
        .styles = {"ink"},
        .plain = true,
        .clip_skip = 2,
        .steps = 20,
        .sampler = "euler",
        .schedule = "karras",
        .cfg = 7.5,
        .cfg_rescale = 0.5,
        .cfg_interval = "0.2-0.8",
        .eta = 0.25,
        .s_noise = 1.0,
        .zero_snr = true,
        .seed = "42",
        .rng = "cuda",
        .variation_seed = "7",
        .variation_strength = 0.125,
        .seed_resize = "512x512",
        .later_seed_offset = 31337,
        .size = "512x768",
        .exact_size = true,
        .hires = "2",
        .hires_steps = 10,
        .hires_strength = 0.5,
        .upscaler = "u",
        .restore = true,
        .strength = 0.75,
        .resize_mode = "crop",
        .mask_from_alpha = true,
        .mask_invert = true,
        .mask_blur = 4.0,
        .masked_content = "original",
        .only_masked = 32,
        .outpaint = "64",
    };
    spec.upscale = {"x4", "2", true};
    spec.count = 3;
    spec.init = std::string(64, 'a');
    spec.mask = std::string(64, 'b');
    spec.output = {"jpeg", 90};
    spec.tenant = "t";
    spec.priority = Priority::kInteractive;
    spec.deadline = WallTime(std::chrono::milliseconds(1'700'000'000'000));
    spec.webhook = "https://example.org/hook";
    spec.client_tag = "tag";
    EXPECT_EQ(body_hash(spec), "4b5ded80aab25721ab4d3fc80fb39218fb1c4375e45211c4feee2e517fe5f46f");
}

TEST(JobNames, AreFoundAgain) {
    for (const JobKind kind : {JobKind::kRender, JobKind::kUpscale}) {
        EXPECT_EQ(find_job_kind(to_string(kind)), kind);
    }
    for (const Priority priority : {Priority::kBatch, Priority::kNormal, Priority::kInteractive}) {
        EXPECT_EQ(find_priority(to_string(priority)), priority);
    }
    EXPECT_THAT(find_job_kind("paint").error().message, HasSubstr("render and upscale"));
    EXPECT_THAT(find_priority("high").error().message, HasSubstr("batch, normal and interactive"));
}

}  // namespace
}  // namespace tessera
