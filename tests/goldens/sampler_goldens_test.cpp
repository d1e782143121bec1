#include "goldens/sampler_goldens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

namespace tessera {
namespace {

const std::filesystem::path test_data = TESSERA_TEST_DATA;

std::size_t count(const std::vector<GoldenRow>& rows, GoldenStatus status) {
    return static_cast<std::size_t>(std::count_if(
        rows.begin(), rows.end(), [&](const GoldenRow& row) { return row.status == status; }
    ));
}

void expect_no_failure(const std::vector<GoldenRow>& rows) {
    for (const GoldenRow& row : rows) {
        EXPECT_NE(row.status, GoldenStatus::kFail)
            << row.golden << " " << row.tensor << ": " << row.error << " against " << row.tolerance
            << " " << row.note;
    }
}

std::size_t passed_runs(const std::vector<GoldenRow>& rows, const std::string& prefix) {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
        return row.tensor.starts_with(prefix) && row.tensor.ends_with("/latents") &&
               row.status == GoldenStatus::kPass;
    }));
}

TEST(SchedulerGoldens, EveryRunMatchesDiffusers) {
    const auto rows = check_schedulers(test_data / "schedulers");
    expect_no_failure(rows);
    for (const char* sampler :
         {"ddim/",
          "pndm/",
          "ddpm/",
          "euler/",
          "euler_karras/",
          "euler_a/",
          "heun/",
          "dpmpp_2m/",
          "dpmpp_2m_karras/",
          "dpmpp_2m_sde_karras/",
          "dpmpp_sde/",
          "dpmpp_sde_karras/",
          "unipc/"}) {
        EXPECT_EQ(passed_runs(rows, sampler), 18U) << sampler;
    }
    EXPECT_EQ(passed_runs(rows, "lcm/"), 6U);
    EXPECT_EQ(passed_runs(rows, "ddim_zsnr/"), 1U);
    EXPECT_EQ(passed_runs(rows, "euler_zsnr/"), 1U);
    EXPECT_EQ(count(rows, GoldenStatus::kNotBuilt), 0U);
}

TEST(KDiffusionGoldens, EveryRunMatchesKDiffusion) {
    const auto rows = check_kdiffusion(test_data / "kdiffusion");
    expect_no_failure(rows);
    for (const char* sampler :
         {"euler/",
          "euler_ancestral/",
          "heun/",
          "dpm_2/",
          "dpm_2_ancestral/",
          "lms/",
          "dpmpp_2s_ancestral/",
          "dpmpp_sde/",
          "dpmpp_2m/",
          "dpmpp_2m_sde/",
          "dpmpp_3m_sde/"}) {
        EXPECT_EQ(passed_runs(rows, sampler), 14U) << sampler;
    }
}

TEST(RngGoldens, NoiseMatchesTheCpuAndTheCudaGeneratorOfTorch) {
    const auto rows = check_rng(test_data / "rng");
    expect_no_failure(rows);
    EXPECT_EQ(count(rows, GoldenStatus::kPass), 95U);
}

TEST(SamplerGoldens, AMissingFolderIsOneFailedRow) {
    const auto rows = check_schedulers(test_data / "no-such-folder");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows.front().status, GoldenStatus::kFail);
    EXPECT_NE(rows.front().note, "");
}

/// A copy of the rng folder with the first stored value moved.
TEST(SamplerGoldens, AMovedValueFails) {
    const auto folder = std::filesystem::path(testing::TempDir()) / "moved-rng";
    std::filesystem::remove_all(folder);
    std::filesystem::copy(test_data / "rng", folder);
    const auto path = folder / "expected.safetensors";
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::uint64_t header_bytes = 0;
    file.read(reinterpret_cast<char*>(&header_bytes), sizeof(header_bytes));
    file.seekp(static_cast<std::streamoff>(sizeof(header_bytes) + header_bytes));
    const float moved = 77.0F;
    file.write(reinterpret_cast<const char*>(&moved), sizeof(moved));
    file.close();
    const auto rows = check_rng(folder);
    std::filesystem::remove_all(folder);
    EXPECT_EQ(count(rows, GoldenStatus::kFail), 1U);
    EXPECT_EQ(count(rows, GoldenStatus::kPass), 94U);
}

}  // namespace
}  // namespace tessera
