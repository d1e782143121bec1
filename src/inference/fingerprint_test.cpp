#include "inference/fingerprint.h"

#include "inference/cpu_features.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Fingerprint, IsTheSameEveryTime) {
    EXPECT_EQ(this_fingerprint(), this_fingerprint());
    EXPECT_EQ(this_fingerprint().hash().size(), 32U);
}

TEST(Fingerprint, ChangesWithEveryPart) {
    const Fingerprint here = this_fingerprint();
    for (const auto part :
         {&Fingerprint::graph_writer,
          &Fingerprint::runtime,
          &Fingerprint::session,
          &Fingerprint::shapes,
          &Fingerprint::precision,
          &Fingerprint::provider,
          &Fingerprint::cpu}) {
        Fingerprint other = here;
        (other.*part) += "x";
        EXPECT_NE(other.text(), here.text());
        EXPECT_NE(other.hash(), here.hash());
    }
}

TEST(Fingerprint, HasEveryPart) {
    const Fingerprint here = this_fingerprint();
    EXPECT_NE(here.runtime.find("git-commit-id"), std::string::npos) << here.runtime;
    EXPECT_EQ(here.cpu, cpu_features());
    EXPECT_EQ(here.text().find("=;"), std::string::npos) << here.text();
}

#if defined(__x86_64__)
TEST(CpuFeatures, AgreeWithTheCompilersView) {
    const std::string words = " " + cpu_features() + " ";
    const auto has = [&](const char* feature) {
        return words.find(std::string(" ") + feature + " ") != std::string::npos;
    };
    EXPECT_EQ(has("avx2"), __builtin_cpu_supports("avx2") != 0);
    EXPECT_EQ(has("fma"), __builtin_cpu_supports("fma") != 0);
    EXPECT_EQ(has("avx512f"), __builtin_cpu_supports("avx512f") != 0);
    EXPECT_EQ(has("avx512vnni"), __builtin_cpu_supports("avx512vnni") != 0);
}
#endif

}  // namespace
}  // namespace tessera
