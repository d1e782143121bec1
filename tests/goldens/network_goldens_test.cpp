#include "goldens/network_goldens.h"

#include "goldens/tokenizer_goldens.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

const std::filesystem::path kData = TESSERA_TEST_DATA;

GoldenEngine golden_engine() {
    return {Engine::create({}).value(), TESSERA_CLIP_MERGES};
}

/// No row may fail, and at least `expected` must pass: a check that compares nothing is no check.
void expect_passes(const std::vector<GoldenRow>& rows, std::size_t expected) {
    std::size_t passed = 0;
    for (const auto& row : rows) {
        EXPECT_NE(row.status, GoldenStatus::kFail)
            << row.golden << " " << row.tensor << ": " << row.error << " of " << row.tolerance
            << " " << row.note;
        passed += row.status == GoldenStatus::kPass ? 1 : 0;
    }
    EXPECT_GE(passed, expected);
}

TEST(NetworkGoldens, StableDiffusion1MatchesTheReferenceInBothDialects) {
    expect_passes(check_case(kData / "sd15-tiny", golden_engine()), 2 * 11);
}

TEST(NetworkGoldens, StableDiffusion2MatchesTheReferenceInBothDialects) {
    expect_passes(check_case(kData / "sd21-tiny", golden_engine()), 2 * 11);
}

TEST(NetworkGoldens, TextToImageAndImageToImageMatchThePipelines) {
    expect_passes(check_case(kData / "e2e-sd15", golden_engine()), 31);
}

TEST(NetworkGoldens, TheDemoModelMatchesItsOwnReference) {
    expect_passes(check_case(kData / "tessera-tiny", golden_engine()), 50);
}

TEST(NetworkGoldens, TheTokenizerMatchesOnEveryPrompt) {
    expect_passes(check_tokenizer("tokenizer", kData / "tokenizer", TESSERA_CLIP_MERGES), 1);
}

}  // namespace
}  // namespace tessera
