#include "diffusion/denoise_loop.h"

#include "diffusion/analytic_denoiser_test.h"
#include "diffusion/sampler_registry.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace tessera {
namespace {

const Shape picture_shape{4, 3, 5};

DenoiseRequest request_for(std::string_view sampler, std::vector<std::uint64_t> seeds = {1}) {
    DenoiseRequest request;
    request.sampler = sampler;
    request.plan.config.beta_schedule = BetaSchedule::kScaledLinear;
    request.plan.config.beta_start = 0.00085;
    request.plan.config.beta_end = 0.012;
    request.plan.steps = 6;
    if (sampler == "DDIM") {
        // So that it draws noise as well.
        request.plan.eta = 0.7;
    }
    for (const std::uint64_t seed : seeds) {
        request.noise.seeds.push_back({seed});
    }
    request.latent_shape = picture_shape;
    request.fingerprint = "engine A";
    return request;
}

DenoiseRequest from_picture(std::string_view sampler, double strength) {
    DenoiseRequest request = request_for(sampler);
    Shape shape{1};
    shape.insert(shape.end(), picture_shape.begin(), picture_shape.end());
    request.init = Tensor(shape, std::vector<float>(element_count(shape), 0.5F));
    request.plan.strength = strength;
    return request;
}

DenoiseLoop started(DenoiseRequest request) {
    auto loop = DenoiseLoop::start(std::move(request));
    if (!loop) {
        throw std::runtime_error(loop.error().message);
    }
    return *std::move(loop);
}

DenoiseLoop resumed(const Bytes& bytes) {
    auto loop = DenoiseLoop::resume(bytes);
    if (!loop) {
        throw std::runtime_error(loop.error().message);
    }
    return *std::move(loop);
}

void finish(DenoiseLoop& loop) {
    AnalyticDenoiser denoiser;
    while (!loop.done()) {
        const auto status = loop.advance(denoiser, {});
        ASSERT_TRUE(status) << status.error().message;
    }
}

class EverySampler : public testing::TestWithParam<std::string_view> {};

INSTANTIATE_TEST_SUITE_P(
    DenoiseLoop,
    EverySampler,
    testing::ValuesIn([] {
        std::vector<std::string_view> names;
        for (const SamplerInfo& sampler : known_samplers()) {
            names.push_back(sampler.name);
        }
        return names;
    }()),
    [](const auto& sampler) {
        std::string name;
        for (const char c : sampler.param) {
            if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
                name += c;
            }
        }
        return name;
    }
);

TEST_P(EverySampler, GivesEachPictureAsIfAlone) {
    DenoiseLoop batch = started(request_for(GetParam(), {11, 22, 33}));
    finish(batch);
    const auto& all = batch.latents().values;
    const std::size_t size = all.size() / 3;
    for (std::size_t i = 0; i < 3; ++i) {
        DenoiseLoop alone = started(request_for(GetParam(), {11 * (i + 1)}));
        finish(alone);
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(i * size);
        EXPECT_TRUE(std::equal(alone.latents().values.begin(), alone.latents().values.end(), first))
            << i;
    }
}

TEST_P(EverySampler, ResumesFromEveryStepWithTheSameBits) {
    DenoiseLoop whole = started(request_for(GetParam(), {5, 6}));
    finish(whole);

    AnalyticDenoiser denoiser;
    DenoiseLoop loop = started(request_for(GetParam(), {5, 6}));
    for (;;) {
        DenoiseLoop copy = resumed(loop.save());
        EXPECT_EQ(copy.step(), loop.step());
        EXPECT_EQ(copy.steps(), loop.steps());
        EXPECT_EQ(copy.predicted_clean(), loop.predicted_clean());
        EXPECT_EQ(copy.fingerprint(), "engine A");
        finish(copy);
        EXPECT_EQ(copy.latents(), whole.latents()) << "from step " << loop.step();
        if (loop.done()) {
            break;
        }
        ASSERT_TRUE(loop.advance(denoiser, {}));
    }
}

TEST_P(EverySampler, ResumesImageToImageWithoutTheInitPicture) {
    DenoiseLoop whole = started(from_picture(GetParam(), 0.7));
    AnalyticDenoiser denoiser;
    ASSERT_TRUE(whole.advance(denoiser, {}));
    DenoiseLoop copy = resumed(whole.save());
    finish(whole);
    finish(copy);
    EXPECT_EQ(copy.latents(), whole.latents());
}

TEST_P(EverySampler, CountsStepsAndShowsThePredictedPicture) {
    DenoiseLoop loop = started(request_for(GetParam()));
    AnalyticDenoiser denoiser;
    EXPECT_EQ(loop.steps(), 6U);
    EXPECT_TRUE(loop.predicted_clean().values.empty());
    for (std::size_t step = 0; step < 6; ++step) {
        EXPECT_EQ(loop.step(), step);
        EXPECT_FALSE(loop.done());
        ASSERT_TRUE(loop.advance(denoiser, {}));
        EXPECT_EQ(loop.predicted_clean().shape, loop.latents().shape);
    }
    EXPECT_TRUE(loop.done());
    const auto beyond = loop.advance(denoiser, {});
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().kind, ErrorKind::kConflict);
}

TEST_P(EverySampler, TakesASingleStep) {
    auto request = request_for(GetParam());
    request.plan.steps = 1;
    DenoiseLoop loop = started(std::move(request));
    EXPECT_EQ(loop.steps(), 1U);
    finish(loop);
}

DenoiseRequest inpainting(std::string_view sampler, std::vector<float> mask) {
    DenoiseRequest request = from_picture(sampler, 0.7);
    for (std::size_t i = 0; i < request.init->values.size(); ++i) {
        request.init->values[i] = 0.1F * static_cast<float>(i % 17) - 0.6F;
    }
    request.mask = Tensor({1, 1, picture_shape[1], picture_shape[2]}, std::move(mask));
    return request;
}

constexpr std::size_t kPlane = 15;

std::vector<float> left_of_the_middle() {
    std::vector<float> mask(kPlane, 0.0F);
    for (std::size_t i = 0; i < kPlane; ++i) {
        mask[i] = i % 5 < 2 ? 1.0F : 0.0F;
    }
    return mask;
}

TEST_P(EverySampler, ABlackMaskKeepsThePictureToTheBit) {
    const auto request = inpainting(GetParam(), std::vector<float>(kPlane, 0.0F));
    DenoiseLoop loop = started(request);
    finish(loop);
    EXPECT_EQ(loop.latents(), request.init);
}

TEST_P(EverySampler, AWhiteMaskIsImageToImageToTheBit) {
    auto request = inpainting(GetParam(), std::vector<float>(kPlane, 1.0F));
    DenoiseLoop masked = started(request);
    finish(masked);
    request.mask.reset();
    DenoiseLoop plain = started(request);
    finish(plain);
    EXPECT_EQ(masked.latents(), plain.latents());
}

TEST_P(EverySampler, APartialMaskPaintsOnlyThere) {
    const auto request = inpainting(GetParam(), left_of_the_middle());
    DenoiseLoop loop = started(request);
    finish(loop);
    for (std::size_t i = 0; i < request.init->values.size(); ++i) {
        const bool kept = request.mask->values[i % kPlane] == 0.0F;
        EXPECT_EQ(loop.latents().values[i] == request.init->values[i], kept) << i;
    }
}

TEST_P(EverySampler, AMaskWithoutStrengthStartsFromNoiseAlone) {
    auto request = inpainting(GetParam(), left_of_the_middle());
    request.plan.strength.reset();
    DenoiseLoop loop = started(request);
    DenoiseLoop noise = started(request_for(GetParam()));
    EXPECT_EQ(loop.latents(), noise.latents());
    EXPECT_EQ(loop.steps(), 6U);
    finish(loop);
    EXPECT_EQ(loop.latents().values[2], request.init->values[2]);
}

TEST_P(EverySampler, ResumesInpaintingWithTheSameBits) {
    const auto request = inpainting(GetParam(), left_of_the_middle());
    DenoiseLoop whole = started(request);
    finish(whole);
    AnalyticDenoiser denoiser;
    DenoiseLoop loop = started(request);
    while (!loop.done()) {
        ASSERT_TRUE(loop.advance(denoiser, {}));
        DenoiseLoop copy = resumed(loop.save());
        finish(copy);
        EXPECT_EQ(copy.latents(), whole.latents()) << "from step " << loop.step();
    }
}

TEST_P(EverySampler, StrengthZeroLeavesThePictureAsItIs) {
    auto request = from_picture(GetParam(), 0.0);
    const Tensor init = request.init.value_or(Tensor{});
    const DenoiseLoop loop = started(std::move(request));
    EXPECT_TRUE(loop.done());
    EXPECT_EQ(loop.steps(), 0U);
    EXPECT_EQ(loop.latents(), init);
    EXPECT_EQ(resumed(loop.save()).latents(), init);
}

TEST_P(EverySampler, StrengthOneTakesAllSteps) {
    EXPECT_EQ(started(from_picture(GetParam(), 1.0)).steps(), 6U);
}

TEST_P(EverySampler, StartsFromTheNoiseThatItIsGiven) {
    auto request = request_for(GetParam());
    DenoiseLoop seeded = started(request);
    Tensor noise = PictureNoise(request.noise).first(seeded.latents().shape);
    request.given_noise = noise;
    DenoiseLoop given = started(request);
    finish(seeded);
    finish(given);
    EXPECT_EQ(given.latents(), seeded.latents());

    noise.values.front() += 1.0F;
    request.given_noise = noise;
    EXPECT_NE(started(request).latents(), started(request_for(GetParam())).latents());
}

TEST_P(EverySampler, RefusesMoreStepsThanTheModelWasTrainedOn) {
    for (const int steps : {-1, 0, 1001}) {
        auto request = request_for(GetParam());
        request.plan.steps = steps;
        const auto loop = DenoiseLoop::start(std::move(request));
        ASSERT_FALSE(loop);
        EXPECT_EQ(loop.error().kind, ErrorKind::kInvalidArgument);
        EXPECT_NE(loop.error().message.find("steps"), std::string::npos) << loop.error().message;
    }
}

/// Asks to stop during its n-th call, as a long network call that is interrupted does.
class StoppingDenoiser final : public Denoiser {
  public:
    Result<Tensor> denoise(const Tensor& input, const ModelCall&, std::stop_token) override {
        Tensor garbage(input.shape);
        return fail(ErrorKind::kCancelled, "stopped after {} values", garbage.values.size());
    }
};

TEST_P(EverySampler, StandsAtTheLastWholeStepAfterACancel) {
    DenoiseLoop loop = started(request_for(GetParam()));
    AnalyticDenoiser denoiser;
    ASSERT_TRUE(loop.advance(denoiser, {}));
    const Bytes before = loop.save();

    StoppingDenoiser stopping;
    const auto inside = loop.advance(stopping, {});
    ASSERT_FALSE(inside);
    EXPECT_EQ(inside.error().kind, ErrorKind::kCancelled);
    std::stop_source stop;
    stop.request_stop();
    const auto between = loop.advance(denoiser, stop.get_token());
    ASSERT_FALSE(between);
    EXPECT_EQ(between.error().kind, ErrorKind::kCancelled);

    EXPECT_EQ(loop.save(), before);
    DenoiseLoop undisturbed = started(request_for(GetParam()));
    finish(undisturbed);
    finish(loop);
    EXPECT_EQ(loop.latents(), undisturbed.latents());
}

/// Answers with one value that is not a number, or with the wrong shape.
class BrokenDenoiser final : public Denoiser {
  public:
    explicit BrokenDenoiser(bool wrong_shape) : wrong_shape_(wrong_shape) {}

    Result<Tensor> denoise(const Tensor& input, const ModelCall&, std::stop_token) override {
        Tensor output(wrong_shape_ ? Shape{1} : input.shape);
        output.values.back() = std::numeric_limits<float>::quiet_NaN();
        return output;
    }

  private:
    bool wrong_shape_;
};

TEST_P(EverySampler, NamesTheStepThatGaveNoNumbers) {
    DenoiseLoop loop = started(request_for(GetParam()));
    AnalyticDenoiser denoiser;
    ASSERT_TRUE(loop.advance(denoiser, {}));
    BrokenDenoiser broken(false);
    const auto status = loop.advance(broken, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(status.error().message.find("step 2 of 6"), std::string::npos);
    EXPECT_EQ(loop.step(), 1U);
}

TEST(DenoiseLoop, RefusesAnOutputOfAnotherShape) {
    DenoiseLoop loop = started(request_for("Euler"));
    BrokenDenoiser broken(true);
    const auto status = loop.advance(broken, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kInternal);
}

TEST(DenoiseLoop, RefusesRequestsThatMakeNoSense) {
    const auto refused = [](auto change) {
        auto request = from_picture("Euler", 0.5);
        change(request);
        const auto loop = DenoiseLoop::start(std::move(request));
        return !loop && loop.error().kind == ErrorKind::kInvalidArgument;
    };
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.noise.seeds.clear(); }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.latent_shape = {4, 8}; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.latent_shape = {4, 0, 8}; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.latent_shape = {4, 1L << 40, 1L << 40}; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.init.reset(); }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.plan.strength.reset(); }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.plan.strength = 1.01; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.plan.strength = -0.1; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.plan.eta = 2.0; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.init->values.front() = HUGE_VALF; }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.given_noise = Tensor(Shape{1}); }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.mask = Tensor(Shape{1, 1, 2, 2}); }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) {
        r.mask = Tensor({1, 1, 3, 5}, std::vector<float>(kPlane, 2.0F));
    }));
    EXPECT_TRUE(refused([](DenoiseRequest& r) { r.noise.seeds[0].variation_strength = 2.0; }));
    EXPECT_FALSE(refused([](DenoiseRequest&) {}));
}

TEST(DenoiseLoop, RefusesDamagedBytes) {
    DenoiseLoop loop = started(request_for("DPM++ 2M"));
    AnalyticDenoiser denoiser;
    ASSERT_TRUE(loop.advance(denoiser, {}));
    const Bytes good = loop.save();
    EXPECT_TRUE(rc::check([&] {
        Bytes bytes = good;
        const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
        bytes[at] ^= std::byte{0x41};
        RC_ASSERT(!DenoiseLoop::resume(bytes).has_value());
        bytes = good;
        bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
        RC_ASSERT(!DenoiseLoop::resume(bytes).has_value());
    }));
}

TEST(DenoiseLoop, RefusesWellSealedNonsense) {
    DenoiseLoop loop = started(request_for("DPM++ 2M"));
    AnalyticDenoiser denoiser;
    ASSERT_TRUE(loop.advance(denoiser, {}));
    const Bytes good = loop.save();
    const auto content = unseal(kLoopSeal, good);
    ASSERT_TRUE(content);
    EXPECT_TRUE(rc::check([&] {
        Bytes bytes(content->begin(), content->end());
        bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
        const auto cut = DenoiseLoop::resume(seal(kLoopSeal, bytes));
        RC_ASSERT(!cut.has_value());
        RC_ASSERT(cut.error().kind == ErrorKind::kCorrupt);
    }));
    Bytes longer(content->begin(), content->end());
    longer.push_back(std::byte{0});
    EXPECT_FALSE(DenoiseLoop::resume(seal(kLoopSeal, longer)));
}

}  // namespace
}  // namespace tessera
