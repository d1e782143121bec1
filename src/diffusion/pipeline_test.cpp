#include "diffusion/pipeline.h"

#include <gmock/gmock.h>

#include <thread>

namespace tessera {
namespace {

using testing::HasSubstr;

std::shared_ptr<PipelineModel> open_demo_model(int threads = 2) {
    EngineOptions options;
    options.threads = threads;
    const auto engine = Engine::create(options);
    EXPECT_TRUE(engine) << engine.error().message;
    auto model = PipelineModel::open(TESSERA_WEIGHTS "/tessera-tiny", *engine, "");
    EXPECT_TRUE(model) << model.error().message;
    return *model;
}

RenderRequest request(std::vector<std::uint64_t> seeds = {1}) {
    return {
        .prompt = "a lighthouse by the sea at dawn",
        .negative_prompt = "",
        .width = 64,
        .height = 64,
        .steps = 4,
        .sampler = "DPM++ 2M Karras",
        .guidance_scale = 5.0,
        .seeds = std::move(seeds),
        .init_image = std::nullopt};
}

/// The finished latents.
Tensor paint(const std::shared_ptr<PipelineModel>& model, RenderRequest what) {
    auto render = Render::start(model, std::move(what), {});
    EXPECT_TRUE(render) << render.error().message;
    while (!render->done()) {
        const auto status = render->advance({});
        EXPECT_TRUE(status) << status.error().message;
    }
    return render->loop().latents();
}

std::string refusal(const std::shared_ptr<PipelineModel>& model, const RenderRequest& what) {
    const auto render = Render::start(model, what, {});
    EXPECT_FALSE(render);
    EXPECT_EQ(render.error().kind, ErrorKind::kInvalidArgument);
    return render.error().message;
}

TEST(Render, PicturesOfABatchAreThoseThatEachSeedGivesAlone) {
    const auto model = open_demo_model();
    const Tensor batch = paint(model, request({7, 8, 9}));
    const std::size_t size = batch.values.size() / 3;
    for (std::size_t picture = 0; picture < 3; ++picture) {
        const Tensor alone = paint(model, request({7 + picture}));
        const auto first = batch.values.begin() + static_cast<std::ptrdiff_t>(picture * size);
        EXPECT_TRUE(std::equal(alone.values.begin(), alone.values.end(), first)) << picture;
    }
}

TEST(Render, PicturesOfABatchWithoutGuidanceAreThoseThatEachSeedGivesAlone) {
    const auto model = open_demo_model();
    auto both = request({7, 8});
    both.guidance_scale = 1.0;
    auto one = request({8});
    one.guidance_scale = 1.0;
    const Tensor batch = paint(model, both);
    const Tensor alone = paint(model, one);
    EXPECT_TRUE(std::equal(alone.values.rbegin(), alone.values.rend(), batch.values.rbegin()));
}

TEST(Render, TheNumberOfThreadsDoesNotChangeABit) {
    const Tensor two = paint(open_demo_model(2), request());
    EXPECT_EQ(paint(open_demo_model(1), request()), two);
    EXPECT_EQ(paint(open_demo_model(3), request()), two);
}

TEST(Render, ResumesAfterEveryStepWithTheIdenticalResult) {
    const auto model = open_demo_model();
    const Tensor whole = paint(model, request({3, 4}));
    for (std::size_t stop_after = 0; stop_after <= 4; ++stop_after) {
        auto render = Render::start(model, request({3, 4}), {});
        ASSERT_TRUE(render);
        while (render->step() < stop_after) {
            ASSERT_TRUE(render->advance({}));
        }
        const Bytes saved = render->save();
        auto resumed = Render::resume(model, saved, {});
        ASSERT_TRUE(resumed) << resumed.error().message;
        EXPECT_EQ(resumed->step(), stop_after);
        while (!resumed->done()) {
            ASSERT_TRUE(resumed->advance({}));
        }
        EXPECT_EQ(resumed->loop().latents(), whole) << stop_after;
    }
}

TEST(Render, DamagedSavedRendersAreRefused) {
    const auto model = open_demo_model();
    auto render = Render::start(model, request(), {});
    ASSERT_TRUE(render);
    Bytes saved = render->save();
    for (std::size_t length = 0; length < saved.size(); length += 97) {
        EXPECT_FALSE(Render::resume(model, ByteView(saved).first(length), {})) << length;
    }
    saved.back() ^= std::byte{1};
    const auto damaged = Render::resume(model, saved, {});
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().kind, ErrorKind::kCorrupt);
}

TEST(Render, LongPromptsAreEncodedInChunksThatMatchTheNegativePrompt) {
    const auto model = open_demo_model();
    std::string long_prompt;
    for (int i = 0; i < 60; ++i) {
        long_prompt += "a forest, ";
    }
    EXPECT_GT(model->chunk_count(long_prompt).value(), 1U);
    auto what = request();
    what.prompt = long_prompt;
    EXPECT_EQ(paint(model, what).shape, (Shape{1, 4, 8, 8}));
}

TEST(Render, ImageToImageWithStrengthZeroGivesTheEncodedPicture) {
    const auto model = open_demo_model();
    Tensor picture({1, 3, 64, 64});
    for (std::size_t i = 0; i < picture.values.size(); ++i) {
        picture.values[i] = static_cast<float>(i % 200) / 100.0F - 1.0F;
    }
    auto what = request();
    what.init_image = picture;
    what.strength = 0.0;
    EXPECT_EQ(paint(model, what), model->encode(picture, {})->mean);
}

TEST(Render, OddLatentSizesWork) {
    auto what = request();
    what.width = 72;
    what.height = 40;
    EXPECT_EQ(paint(open_demo_model(), what).shape, (Shape{1, 4, 5, 9}));
}

TEST(Render, StopsInsideACallAndCanGoOn) {
    const auto model = open_demo_model();
    auto what = request();
    const Tensor whole = paint(model, what);
    auto render = Render::start(model, what, {});
    ASSERT_TRUE(render);
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    Status status;
    while (status && !render->done()) {
        status = render->advance(stop.get_token());
    }
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kCancelled);
    while (!render->done()) {
        ASSERT_TRUE(render->advance({}));
    }
    EXPECT_EQ(render->loop().latents(), whole);
}

TEST(Render, NamesTheFieldThatIsWrong) {
    const auto model = open_demo_model();
    const auto with = [](auto change) {
        auto what = request();
        change(what);
        return what;
    };
    EXPECT_THAT(refusal(model, with([](auto& r) { r.width = 0; })), HasSubstr("width"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.height = -8; })), HasSubstr("height"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.width = 100; })), HasSubstr("multiple of 8"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.width = 1 << 20; })), HasSubstr("width"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.steps = 0; })), HasSubstr("steps"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.prompt = "\xFF"; })), HasSubstr("UTF-8"));
    EXPECT_THAT(
        refusal(model, with([](auto& r) { r.guidance_scale = 0.5; })), HasSubstr("guidance")
    );
    EXPECT_THAT(refusal(model, with([](auto& r) { r.seeds.clear(); })), HasSubstr("pictures"));
}

TEST(PipelineModel, SaysWhatIsWrongWithAFolder) {
    const auto engine = Engine::create({});
    ASSERT_TRUE(engine);
    const auto missing = PipelineModel::open("/no/such/model", *engine, "");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(missing.error().message, HasSubstr("/no/such/model"));

    // sd15-tiny has no tokenizer of its own, and no shared vocabulary is given.
    const auto no_words = PipelineModel::open(TESSERA_TEST_DATA "/sd15-tiny", *engine, "");
    ASSERT_FALSE(no_words);
    EXPECT_THAT(no_words.error().message, HasSubstr("vocabulary"));
}

}  // namespace
}  // namespace tessera
