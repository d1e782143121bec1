#include "diffusion/philox.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace tessera {
namespace {

using Words = std::array<std::uint32_t, 4>;

std::vector<float> draw(PhiloxRandom& random, std::size_t count) {
    std::vector<float> values(count);
    random.randn(values);
    return values;
}

/// The known answers that come with the authors' own library, Random123.
TEST(Philox, GivesTheKnownAnswers) {
    EXPECT_EQ(philox4x32({}, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    constexpr std::uint32_t kOnes = 0xffffffff;
    EXPECT_EQ(
        philox4x32({kOnes, kOnes, kOnes, kOnes}, ~std::uint64_t{0}),
        (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd})
    );
    EXPECT_EQ(
        philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
        (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1})
    );
}

TEST(PhiloxRandom, AllBitsOfTheSeedCount) {
    for (int bit = 0; bit < 64; ++bit) {
        PhiloxRandom zero(0);
        PhiloxRandom other(std::uint64_t{1} << bit);
        EXPECT_NE(draw(zero, 4), draw(other, 4)) << bit;
    }
}

TEST(PhiloxRandom, ALongerDrawBeginsLikeAShorterOne) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed) {
        const auto length = *rc::gen::inRange<std::size_t>(0, 40);
        PhiloxRandom one(seed);
        PhiloxRandom other(seed);
        auto longer = draw(one, 40);
        longer.resize(length);
        RC_ASSERT(draw(other, length) == longer);
        RC_ASSERT(draw(one, 8) == draw(other, 8));
    }));
}

TEST(PhiloxRandom, GoesOnFromASavedState) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed) {
        PhiloxRandom random(seed);
        const auto draws = *rc::gen::inRange(0, 5);
        for (int i = 0; i < draws; ++i) {
            draw(random, 3);
        }
        ByteWriter out;
        random.save(out);
        const Bytes bytes = out.take();
        ByteReader in(bytes);
        auto loaded = PhiloxRandom::load(in);
        RC_ASSERT(loaded.has_value());
        RC_ASSERT(in.at_end());
        RC_ASSERT(draw(*loaded, 9) == draw(random, 9));
    }));
}

TEST(PhiloxRandom, RefusesAStateThatEndsEarly) {
    ByteWriter out;
    PhiloxRandom(1).save(out);
    const Bytes good = out.take();
    for (std::size_t length = 0; length < good.size(); ++length) {
        ByteReader in(ByteView(good).first(length));
        const auto loaded = PhiloxRandom::load(in);
        ASSERT_FALSE(loaded) << length;
        EXPECT_EQ(loaded.error().kind, ErrorKind::kCorrupt);
    }
}

}  // namespace
}  // namespace tessera
