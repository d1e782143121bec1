#include "diffusion/random_kind.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(RandomKind, HasTheNamesOfTorchAndOfA1111) {
    for (const char* name : {"cpu", "CPU"}) {
        EXPECT_EQ(find_random_kind(name).value(), RandomKind::kCpu) << name;
    }
    for (const char* name : {"cuda", "CUDA", "GPU", "gpu", "NV"}) {
        EXPECT_EQ(find_random_kind(name).value(), RandomKind::kCuda) << name;
    }
}

TEST(RandomKind, IsFoundByTheNameItShows) {
    for (const RandomKind kind : {RandomKind::kCpu, RandomKind::kCuda}) {
        EXPECT_EQ(find_random_kind(to_string(kind)).value(), kind);
    }
}

TEST(RandomKind, RefusesOtherNamesAndSaysWhichThereAre) {
    for (const char* name : {"", "tpu", "cpu ", "cud"}) {
        const auto kind = find_random_kind(name);
        ASSERT_FALSE(kind) << name;
        EXPECT_EQ(kind.error().kind, ErrorKind::kNotFound);
        EXPECT_NE(kind.error().message.find("cuda"), std::string::npos);
    }
}

}  // namespace
}  // namespace tessera
