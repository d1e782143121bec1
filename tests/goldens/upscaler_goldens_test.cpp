#include "goldens/upscaler_goldens.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

void expect_match(const char* name, std::size_t networks) {
    const GoldenEngine engine{Engine::create({}).value(), {}};
    const auto rows = check_case(std::filesystem::path(TESSERA_TEST_DATA) / name, engine);
    EXPECT_EQ(rows.size(), 2 * networks);
    for (const auto& row : rows) {
        EXPECT_EQ(row.status, GoldenStatus::kPass)
            << row.golden << " " << row.tensor << ": " << row.error << " of " << row.tolerance
            << " " << row.note;
    }
}

TEST(UpscalerGoldens, EveryNetworkMatchesTheReferenceInBothDialects) {
    expect_match("upscaler", 4);
}

TEST(UpscalerGoldens, TheShippedRepairNetworkMatchesItsTrainingCode) {
    expect_match("upscaler-restore", 1);
}

}  // namespace
}  // namespace tessera
