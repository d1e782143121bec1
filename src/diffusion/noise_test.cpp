#include "diffusion/noise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace tessera {
namespace {

Tensor picture_of(const Tensor& batch, std::size_t index) {
    const Shape shape(batch.shape.begin() + 1, batch.shape.end());
    const std::size_t size = element_count(shape);
    const auto begin = batch.values.begin() + static_cast<std::ptrdiff_t>(index * size);
    return {shape, {begin, begin + static_cast<std::ptrdiff_t>(size)}};
}

NoiseRequest one_picture(RandomKind random, const PictureSeed& seed) {
    NoiseRequest request;
    request.random = random;
    request.seeds = {seed};
    return request;
}

Tensor first_of(const NoiseRequest& request, Shape shape) {
    shape.insert(shape.begin(), static_cast<std::int64_t>(request.seeds.size()));
    return PictureNoise(request).first(shape);
}

double norm(const Tensor& tensor) {
    double sum = 0.0;
    for (const float value : tensor.values) {
        sum += static_cast<double>(value) * static_cast<double>(value);
    }
    return std::sqrt(sum);
}

void expect_near(const Tensor& got, const std::vector<float>& wanted) {
    EXPECT_THAT(got.values, testing::Pointwise(testing::FloatNear(1e-6F), wanted));
}

RandomKind any_kind() {
    return *rc::gen::element(RandomKind::kCpu, RandomKind::kCuda);
}

NoiseRequest any_request() {
    NoiseRequest request;
    request.random = any_kind();
    const auto pictures = *rc::gen::inRange<std::size_t>(1, 4);
    for (std::size_t i = 0; i < pictures; ++i) {
        request.seeds.push_back(
            {*rc::gen::arbitrary<std::uint64_t>(),
             *rc::gen::arbitrary<std::uint64_t>(),
             *rc::gen::element(0.0, 0.25, 1.0)}
        );
    }
    if (*rc::gen::arbitrary<bool>()) {
        request.resize_from = LatentSize{
            *rc::gen::inRange<std::int64_t>(1, 9), *rc::gen::inRange<std::int64_t>(1, 9)};
    }
    request.later_seed_offset = *rc::gen::element<std::uint64_t>(0, 31337);
    return request;
}

// The figures of the next three were computed from A1111's rng.py and rng_philox.py, read as
// formulas, in another language.

TEST(PictureNoise, VariationMatchesA1111) {
    PictureNoise noise(one_picture(RandomKind::kCuda, {7, 8, 0.3}));
    expect_near(
        noise.first({1, 1, 4, 4}),
        {-1.475578F,
         0.911817F,
         0.3624001F,
         0.7613643F,
         0.08900971F,
         -0.986822F,
         -0.6477198F,
         -0.9164178F,
         -0.5268483F,
         -0.9186726F,
         0.8806464F,
         0.9503873F,
         -0.2791445F,
         0.9426145F,
         0.672168F,
         -0.4225577F}
    );
    const Tensor later = noise.draw({1, 1, 4, 4});
    EXPECT_NEAR(later.values[0], -1.287012F, 1e-6F);
    EXPECT_NEAR(later.values[3], 0.2573391F, 1e-6F);
}

TEST(PictureNoise, VariedNoiseOfAnotherSizeAndALaterSeedMatchA1111) {
    NoiseRequest request = one_picture(RandomKind::kCuda, {7, 8, 0.3});
    request.resize_from = LatentSize{.height = 5, .width = 2};
    request.later_seed_offset = 31337;
    PictureNoise noise(request);
    expect_near(
        noise.first({1, 1, 4, 4}),
        {-0.304847F,
         0.5910114F,
         0.696259F,
         0.7178203F,
         -0.7942412F,
         0.03079365F,
         -0.9612456F,
         -1.009687F,
         0.630214F,
         -0.8107827F,
         -0.8443554F,
         0.7823F,
         0.3319822F,
         1.15668F,
         0.8740625F,
         0.3812263F}
    );
    const Tensor later = noise.draw({1, 1, 4, 4});
    EXPECT_NEAR(later.values[0], 0.2408309F, 1e-6F);
    EXPECT_NEAR(later.values[3], -1.361831F, 1e-6F);
}

TEST(PictureNoise, ResizedNoiseMatchesA1111) {
    NoiseRequest request = one_picture(RandomKind::kCuda, {7, 0, 0.0});
    request.resize_from = LatentSize{.height = 5, .width = 2};
    expect_near(
        first_of(request, {1, 3, 4}),
        {-0.304847F,
         -0.2785641F,
         0.7178203F,
         0.7178203F,
         -0.7942412F,
         -0.7942412F,
         -1.122944F,
         -1.009687F,
         0.630214F,
         -0.8032764F,
         -1.009687F,
         0.7823F}
    );
}

TEST(PictureNoise, EachPictureIsAsItWouldBeAlone) {
    EXPECT_TRUE(rc::check([] {
        const NoiseRequest request = any_request();
        const auto pictures = static_cast<std::int64_t>(request.seeds.size());
        PictureNoise batch(request);
        const Tensor first = batch.first({pictures, 2, 4, 5});
        const Tensor later = batch.draw({pictures, 2, 4, 5});
        for (std::size_t i = 0; i < request.seeds.size(); ++i) {
            NoiseRequest single = request;
            single.seeds = {request.seeds[i]};
            PictureNoise alone(single);
            RC_ASSERT(alone.first({1, 2, 4, 5}).values == picture_of(first, i).values);
            RC_ASSERT(alone.draw({1, 2, 4, 5}).values == picture_of(later, i).values);
        }
    }));
}

TEST(PictureNoise, GoesOnFromASavedStateAtAnyPoint) {
    EXPECT_TRUE(rc::check([] {
        const NoiseRequest request = any_request();
        const Shape shape{static_cast<std::int64_t>(request.seeds.size()), 1, 3, 3};
        PictureNoise noise(request);
        (void)noise.first(shape);
        const auto draws = *rc::gen::inRange(0, 4);
        for (int i = 0; i < draws; ++i) {
            (void)noise.draw(shape);
        }
        ByteWriter out;
        noise.save(out);
        const Bytes bytes = out.take();
        ByteReader in(bytes);
        auto loaded = PictureNoise::load(in, request.seeds.size());
        RC_ASSERT(loaded.has_value());
        RC_ASSERT(in.at_end());
        RC_ASSERT(loaded->draw(shape) == noise.draw(shape));
        RC_ASSERT(loaded->draw(shape) == noise.draw(shape));
    }));
}

TEST(PictureNoise, RefusesBytesThatNoNoiseHasWritten) {
    for (const RandomKind kind : {RandomKind::kCpu, RandomKind::kCuda}) {
        ByteWriter out;
        PictureNoise(one_picture(kind, {1, 0, 0.0})).save(out);
        const Bytes good = out.take();
        const auto load = [](const Bytes& bytes, std::size_t pictures) {
            ByteReader in(bytes);
            return PictureNoise::load(in, pictures);
        };
        EXPECT_TRUE(load(good, 1));
        Bytes unknown_kind = good;
        unknown_kind.front() = std::byte{2};
        EXPECT_FALSE(load(unknown_kind, 1));
        EXPECT_FALSE(load(good, 2));
        EXPECT_FALSE(load(good, std::numeric_limits<std::size_t>::max()));
        EXPECT_FALSE(load(Bytes(good.begin(), good.end() - 1), 1));
        EXPECT_FALSE(load({}, 1));
    }
}

TEST(PictureNoise, VariationGoesFromOneSeedToTheOther) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed, std::uint64_t variation_seed) {
        const RandomKind kind = any_kind();
        const Shape shape{4, 8, 8};
        const auto at = [&](double strength) {
            return first_of(one_picture(kind, {seed, variation_seed, strength}), shape);
        };
        const Tensor own = first_of(one_picture(kind, {seed, 0, 0.0}), shape);
        const Tensor other = first_of(one_picture(kind, {variation_seed, 0, 0.0}), shape);
        RC_ASSERT(at(0.0) == own);
        const Tensor all = at(1.0);
        for (std::size_t i = 0; i < all.values.size(); ++i) {
            RC_ASSERT(std::abs(all.values[i] - other.values[i]) < 1e-5F);
        }
        // Linear interpolation would take the norm down to 0.7 of it.
        const double between = norm(at(0.5)) / std::sqrt(norm(own) * norm(other));
        RC_ASSERT(between > 0.9 && between < 1.1);
    }));
}

TEST(PictureNoise, AVariationOfTheSeedItselfChangesNothing) {
    const Shape shape{4, 8, 8};
    EXPECT_EQ(
        first_of(one_picture(RandomKind::kCpu, {5, 5, 0.4}), shape),
        first_of(one_picture(RandomKind::kCpu, {5, 0, 0.0}), shape)
    );
}

/// With one value a column, the two columns always point the same way or oppositely.
TEST(PictureNoise, VariationOfASingleRowIsFinite) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Tensor noise = first_of(one_picture(RandomKind::kCpu, {seed, 99, 0.5}), {4, 1, 8});
        for (const float value : noise.values) {
            EXPECT_TRUE(std::isfinite(value)) << seed;
        }
    }
}

TEST(PictureNoise, VariationLeavesLaterDrawsAlone) {
    for (const RandomKind kind : {RandomKind::kCpu, RandomKind::kCuda}) {
        PictureNoise plain(one_picture(kind, {3, 0, 0.0}));
        NoiseRequest request = one_picture(kind, {3, 4, 0.5});
        request.resize_from = LatentSize{.height = 2, .width = 9};
        PictureNoise varied(request);
        const Shape shape{1, 4, 4, 4};
        EXPECT_NE(plain.first(shape), varied.first(shape));
        EXPECT_EQ(plain.draw(shape), varied.draw(shape));
    }
}

TEST(PictureNoise, ALaterSeedIsThatOfAnotherPicturesStart) {
    NoiseRequest request = one_picture(RandomKind::kCuda, {~std::uint64_t{0}, 0, 0.0});
    request.later_seed_offset = 3;
    PictureNoise noise(request);
    const Shape shape{1, 4, 4, 4};
    const Tensor first = noise.first(shape);
    EXPECT_EQ(first, first_of(one_picture(RandomKind::kCuda, request.seeds[0]), {4, 4, 4}));
    EXPECT_EQ(noise.draw(shape), first_of(one_picture(RandomKind::kCuda, {2, 0, 0.0}), {4, 4, 4}));
}

TEST(NoiseRequest, IsCheckedBeforeUse) {
    NoiseRequest request = one_picture(RandomKind::kCpu, {1, 2, 0.5});
    EXPECT_TRUE(check(request));
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double strength : {-0.1, 1.01, infinity, -infinity, std::nan("")}) {
        request.seeds.front().variation_strength = strength;
        const auto status = check(request);
        ASSERT_FALSE(status) << strength;
        EXPECT_EQ(status.error().kind, ErrorKind::kInvalidArgument);
        EXPECT_NE(status.error().message.find("variation strength"), std::string::npos);
    }
    request.seeds.front().variation_strength = 1.0;
    for (const LatentSize size : {LatentSize{0, 8}, LatentSize{8, -1}, LatentSize{2049, 8}}) {
        request.resize_from = size;
        const auto status = check(request);
        ASSERT_FALSE(status);
        EXPECT_NE(status.error().message.find("seed resize"), std::string::npos);
    }
    request.resize_from = LatentSize{2048, 1};
    EXPECT_TRUE(check(request));
}

}  // namespace
}  // namespace tessera
