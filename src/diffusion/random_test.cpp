#include "diffusion/random.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <random>
#include <vector>

namespace tessera {
namespace {

std::vector<float> draw(TorchRandom& random, std::size_t count) {
    std::vector<float> values(count);
    random.randn(values);
    return values;
}

TEST(MersenneTwister, IsTheStreamOfTheStandardLibrary) {
    EXPECT_TRUE(rc::check([](std::uint32_t seed) {
        MersenneTwister ours(seed);
        std::mt19937 theirs(seed);
        for (int i = 0; i < 1500; ++i) {
            RC_ASSERT(ours.next() == theirs());
        }
    }));
}

TEST(TorchRandom, OnlyTheLow32BitsOfTheSeedCountAsInTorch) {
    TorchRandom low(42);
    TorchRandom high(42 + (std::uint64_t{7} << 32));
    EXPECT_EQ(draw(low, 64), draw(high, 64));
}

TEST(TorchRandom, GoesOnFromASavedState) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed) {
        const auto before = *rc::gen::inRange<std::size_t>(0, 50);
        const auto after = *rc::gen::inRange<std::size_t>(1, 50);
        TorchRandom random(seed);
        draw(random, before);
        ByteWriter out;
        random.save(out);
        const Bytes bytes = out.take();
        ByteReader in(bytes);
        auto loaded = TorchRandom::load(in);
        RC_ASSERT(loaded.has_value());
        RC_ASSERT(in.at_end());
        RC_ASSERT(draw(*loaded, after) == draw(random, after));
    }));
}

TEST(TorchRandom, RefusesStatesThatNoGeneratorHas) {
    ByteWriter out;
    TorchRandom(1).save(out);
    const Bytes good = out.take();
    const auto load = [](Bytes bytes) {
        ByteReader in(bytes);
        return TorchRandom::load(in);
    };
    Bytes beyond = good;
    beyond[624 * 4 + 1] = std::byte{0xff};
    EXPECT_FALSE(load(beyond));
    Bytes flag = good;
    flag[624 * 4 + 4] = std::byte{2};
    EXPECT_FALSE(load(flag));
    EXPECT_FALSE(load(Bytes(good.begin(), good.end() - 1)));
    EXPECT_TRUE(load(good));
}

}  // namespace
}  // namespace tessera
