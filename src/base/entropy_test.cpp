#include "base/entropy.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <set>
#include <string>

namespace tessera {
namespace {

/// Gives the same byte again and again.
class ConstantEntropy final : public Entropy {
  public:
    explicit ConstantEntropy(unsigned char byte) : byte_(byte) {}
    void fill(std::span<std::byte> bytes) override { std::ranges::fill(bytes, std::byte{byte_}); }

  private:
    unsigned char byte_;
};

TEST(SeededEntropy, IsSplitMix64) {
    // The first values of the reference implementation for seed 1234567.
    SeededEntropy entropy(1234567);
    EXPECT_EQ(entropy.next(), 6457827717110365317ULL);
    EXPECT_EQ(entropy.next(), 3203168211198807973ULL);
    EXPECT_EQ(entropy.next(), 9817491932198370423ULL);
}

TEST(SeededEntropy, FillsEveryByteOfAnyLength) {
    SeededEntropy entropy(1);
    std::array<std::byte, 13> bytes{};
    std::array<std::set<std::byte>, 13> seen;
    for (int i = 0; i < 64; ++i) {
        entropy.fill(bytes);
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            seen.at(at).insert(bytes.at(at));
        }
    }
    for (const auto& values : seen) {
        EXPECT_GT(values.size(), 32U);
    }
    entropy.fill({});
}

TEST(Entropy, UnitsAreAtLeastZeroAndBelowOne) {
    ConstantEntropy zeros(0);
    ConstantEntropy ones(0xFF);
    EXPECT_EQ(zeros.unit(), 0.0);
    EXPECT_EQ(ones.unit(), 1.0 - 0x1p-53);
}

TEST(Entropy, OfTheSystemDoesNotRepeatItself) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(Entropy::system().next());
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Ulid, SortsByTime) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed) {
        constexpr std::int64_t kEnd = std::int64_t{1} << 48;
        const auto early = *rc::gen::inRange<std::int64_t>(0, kEnd - 1);
        const auto late = *rc::gen::inRange<std::int64_t>(early + 1, kEnd);
        SeededEntropy entropy(seed);
        const auto at = [&](std::int64_t time) {
            return new_ulid(WallTime(std::chrono::milliseconds(time)), entropy);
        };
        RC_ASSERT(at(early) < at(late));
    }));
}

TEST(Ulid, Is26DigitsOfCrockfordsBase32) {
    // The time of the ULID specification's example.
    const WallTime time(std::chrono::milliseconds(1'469'918'176'385));
    ConstantEntropy zeros(0);
    EXPECT_EQ(new_ulid(time, zeros), "01aryz6s410000000000000000");
    ConstantEntropy ones(0xFF);
    EXPECT_EQ(new_ulid(time, ones), "01aryz6s41zzzzzzzzzzzzzzzz");
    SeededEntropy entropy(5);
    const auto id = new_ulid(time, entropy);
    EXPECT_EQ(id.size(), 26U);
    EXPECT_EQ(id.find_first_of("ilouABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
}

TEST(Ulid, DiffersWithinOneMillisecond) {
    SeededEntropy entropy(7);
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(new_ulid(WallTime{}, entropy));
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(RandomBase62, UsesEveryDigitEquallyOften) {
    SeededEntropy entropy(11);
    constexpr int kDraws = 62 * 2000;
    std::map<char, int> counts;
    for (const char digit : random_base62(kDraws, entropy)) {
        ASSERT_TRUE(std::isalnum(static_cast<unsigned char>(digit)));
        ++counts[digit];
    }
    ASSERT_EQ(counts.size(), 62U);
    double chi_squared = 0.0;
    for (const auto& [digit, count] : counts) {
        chi_squared += (count - 2000.0) * (count - 2000.0) / 2000.0;
    }
    EXPECT_LT(chi_squared, 112.0);  // 61 degrees of freedom: one fair seed in 10,000 is above
}

TEST(RandomBase62, HasTheLengthThatIsAskedFor) {
    SeededEntropy entropy(13);
    for (const std::size_t length : {0U, 1U, 43U, 64U, 65U}) {
        EXPECT_EQ(random_base62(length, entropy).size(), length);
    }
}

}  // namespace
}  // namespace tessera
