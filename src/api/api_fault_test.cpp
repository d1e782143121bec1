#include "api/api_fault.h"

#include <gtest/gtest.h>

#include <array>

namespace tessera::api {
namespace {

constexpr std::array<FieldName, 4> kNames{{
    {"sampler", "sampler_name"},
    {"schedule", "scheduler"},
    {"model", "model"},
    {"resize_mode", "resize_mode"},
}};

std::string field_of(ErrorKind kind, std::string message) {
    return fault_of(Refusal{{kind, std::move(message)}, {}}, kNames).field;
}

TEST(ApiFault, WhatIsNotFoundIsTheFieldsThatNamesIt) {
    constexpr auto kKind = ErrorKind::kNotFound;
    EXPECT_EQ(field_of(kKind, "no sampler is called \"model\"; near to it: Euler"), "sampler_name");
    EXPECT_EQ(field_of(kKind, "no schedule type is called \"x\"; there are Karras"), "scheduler");
    EXPECT_EQ(field_of(kKind, "there is no model 'x'; there are demo"), "model");
    EXPECT_EQ(field_of(kKind, "no resize mode is called \"x\"; there are crop"), "resize_mode");
    EXPECT_EQ(field_of(kKind, "there is no upscaler \"x\""), "");
    EXPECT_EQ(field_of(ErrorKind::kInternal, "the model is broken"), "");
}

TEST(ApiFault, KeepsWhenToComeAgain) {
    const auto fault =
        fault_of(Refusal{{ErrorKind::kExhausted, "full"}, std::chrono::seconds(3)}, kNames);
    EXPECT_EQ(fault.retry_after, std::chrono::seconds(3));
}

}  // namespace
}  // namespace tessera::api
