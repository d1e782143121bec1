#include "diffusion/pipeline.h"

#include "checkpoint/weights.h"
#include "diffusion/sampler_registry.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
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

RenderRequest request(const std::vector<std::uint64_t>& seeds = {1}) {
    RenderRequest what{};
    what.prompt = "a lighthouse by the sea at dawn";
    what.width = 64;
    what.height = 64;
    what.steps = 4;
    what.sampler = "DPM++ 2M Karras";
    what.guidance.scale = 5.0;
    for (const std::uint64_t seed : seeds) {
        what.noise.seeds.push_back({seed});
    }
    return what;
}

RenderRequest request_with(const std::function<void(RenderRequest&)>& change) {
    RenderRequest what = request();
    change(what);
    return what;
}

Tensor some_picture() {
    Tensor picture({1, 3, 64, 64});
    for (std::size_t i = 0; i < picture.values.size(); ++i) {
        picture.values[i] = static_cast<float>(i % 200) / 100.0F - 1.0F;
    }
    return picture;
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
    both.guidance.scale = 1.0;
    auto one = request({8});
    one.guidance.scale = 1.0;
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
    auto what = request();
    what.prompt = long_prompt;
    EXPECT_GT(plan_render(*model, what)->prompt_tokens.chunks, 1U);
    const Tensor longer = paint(model, what);
    EXPECT_EQ(longer.shape, (Shape{1, 4, 8, 8}));
    what.negative_prompt = long_prompt;
    EXPECT_NE(paint(model, what), longer);
}

TEST(Render, EmphasisMatters) {
    const auto model = open_demo_model();
    const Tensor plain = paint(model, request());
    const auto told = [&](const char* prompt, PromptSyntax syntax = PromptSyntax::kA1111) {
        return paint(model, request_with([&](auto& r) {
                         r.prompt = prompt;
                         r.syntax = syntax;
                     }));
    };
    EXPECT_EQ(told("(a lighthouse by the sea at dawn:1.0)"), plain);
    EXPECT_NE(told("a lighthouse by the (sea:1.4) at dawn"), plain);
    EXPECT_NE(told("(a lighthouse by the sea at dawn:1.0)", PromptSyntax::kPlain), plain);
    EXPECT_EQ(told("a lighthouse by the sea at dawn", PromptSyntax::kPlain), plain);
}

TEST(Render, AScheduledPromptChangesAtItsStep) {
    const auto model = open_demo_model();
    const auto after_steps = [&](const char* prompt, std::size_t steps) {
        auto render = Render::start(model, request_with([&](auto& r) { r.prompt = prompt; }), {});
        EXPECT_TRUE(render);
        while (render->step() < steps) {
            EXPECT_TRUE(render->advance({}));
        }
        return render->loop().latents();
    };
    // A1111 shows the first prompt once more than the number says.
    const char* scheduled = "a [lighthouse:castle:1] by the sea";
    EXPECT_EQ(after_steps(scheduled, 2), after_steps("a lighthouse by the sea", 2));
    EXPECT_NE(after_steps(scheduled, 3), after_steps("a lighthouse by the sea", 3));
    EXPECT_NE(after_steps(scheduled, 4), after_steps("a castle by the sea", 4));
}

TEST(Render, PromptsJoinedByAndPullTogether) {
    const auto model = open_demo_model();
    const auto told = [&](const char* prompt) {
        return paint(model, request_with([&](auto& r) { r.prompt = prompt; }));
    };
    const Tensor both = told("a lighthouse AND a pine forest");
    EXPECT_NE(both, told("a lighthouse"));
    EXPECT_NE(both, told("a pine forest"));
    const Tensor alone = told("a lighthouse");
    const Tensor nearly = told("a lighthouse :1 AND a pine forest :0");
    for (std::size_t i = 0; i < alone.values.size(); ++i) {
        ASSERT_NEAR(nearly.values[i], alone.values[i], 1e-3) << i;
    }
}

TEST(Render, GuidanceOutsideItsIntervalIsOff) {
    const auto model = open_demo_model();
    const Tensor off = paint(model, request_with([](auto& r) { r.guidance.scale = 1.0; }));
    EXPECT_EQ(paint(model, request_with([](auto& r) { r.guidance.end = 0.0; })), off);
    const Tensor half = paint(model, request_with([](auto& r) { r.guidance.end = 0.5; }));
    EXPECT_NE(half, off);
    EXPECT_NE(half, paint(model, request()));
    EXPECT_NE(
        paint(model, request_with([](auto& r) { r.guidance.rescale = 0.7; })),
        paint(model, request())
    );
}

TEST(Render, ClipSkipTakesAnEarlierLayer) {
    const auto model = open_demo_model();
    const Tensor skipped = paint(model, request_with([](auto& r) { r.clip_skip = 2; }));
    const Tensor whole = paint(model, request());
    EXPECT_NE(skipped, whole);
    EXPECT_EQ(paint(model, request_with([](auto& r) { r.clip_skip = 2; })), skipped);
}

TEST(Render, TheGeneratorAndVariationSeedsChangeTheNoise) {
    const auto model = open_demo_model();
    const Tensor plain = paint(model, request());
    const Tensor cuda =
        paint(model, request_with([](auto& r) { r.noise.random = RandomKind::kCuda; }));
    const auto varied = [&](double strength) {
        return paint(model, request_with([&](auto& r) { r.noise.seeds[0] = {1, 9, strength}; }));
    };
    EXPECT_NE(cuda, plain);
    EXPECT_EQ(varied(0.0), plain);
    EXPECT_NE(varied(0.3), plain);
}

RenderRequest inpainting(float left, float right, MaskedContent content = {}) {
    return request_with([&](auto& r) {
        r.init_image = some_picture();
        r.strength = 0.7;
        r.masked_content = content;
        r.mask = Tensor({1, 1, 8, 8});
        for (std::size_t i = 0; i < 64; ++i) {
            r.mask->values[i] = i % 8 < 4 ? left : right;
        }
    });
}

TEST(Render, ABlackMaskKeepsTheEncodedPictureAndAWhiteOneIsImageToImage) {
    const auto model = open_demo_model();
    EXPECT_EQ(paint(model, inpainting(0, 0)), model->encode(some_picture(), {})->mean);
    auto plain = inpainting(1, 1);
    const Tensor white = paint(model, plain);
    plain.mask.reset();
    EXPECT_EQ(white, paint(model, plain));
}

TEST(Render, MaskedContentIsOfTheMaskedPartOnly) {
    const auto model = open_demo_model();
    const Tensor encoded = model->encode(some_picture(), {})->mean;
    const Tensor original = paint(model, inpainting(0, 1));
    const Tensor noise = paint(model, inpainting(0, 1, MaskedContent::kLatentNoise));
    const Tensor nothing = paint(model, inpainting(0, 1, MaskedContent::kLatentNothing));
    EXPECT_NE(original, noise);
    EXPECT_NE(original, nothing);
    EXPECT_NE(noise, nothing);
    for (const Tensor* latents : {&original, &noise, &nothing}) {
        EXPECT_EQ(latents->values[8], encoded.values[8]);
        EXPECT_NE(latents->values[7], encoded.values[7]);
    }
}

TEST(Render, ResumesInpaintingWithoutThePictureAndTheMask) {
    const auto model = open_demo_model();
    const auto what = inpainting(0, 1);
    const Tensor whole = paint(model, what);
    auto render = Render::start(model, what, {});
    ASSERT_TRUE(render);
    ASSERT_TRUE(render->advance({}));
    auto resumed = Render::resume(model, render->save(), {});
    ASSERT_TRUE(resumed) << resumed.error().message;
    while (!resumed->done()) {
        ASSERT_TRUE(resumed->advance({}));
    }
    EXPECT_EQ(resumed->loop().latents(), whole);
}

TEST(Render, EverySamplerGivesNumbers) {
    const auto model = open_demo_model();
    for (const SamplerInfo& sampler : known_samplers()) {
        const auto what = request_with([&](auto& r) { r.sampler = sampler.name; });
        const Tensor latents = paint(model, what);
        EXPECT_TRUE(std::all_of(latents.values.begin(), latents.values.end(), [](float value) {
            return std::isfinite(value);
        })) << sampler.name;
    }
}

/// Whether two steps with the network end in numbers; a combination that is refused counts.
bool gives_numbers(
    const std::shared_ptr<PipelineModel>& model,
    std::string_view sampler,
    PredictionType prediction,
    ScheduleKind schedule
) {
    DenoiseRequest denoise{};
    denoise.sampler = sampler;
    denoise.plan.config = model->info().scheduler;
    denoise.plan.config.prediction_type = prediction;
    denoise.plan.schedule = schedule;
    denoise.plan.steps = 2;
    denoise.noise.seeds = {{1}};
    denoise.latent_shape = {4, 4, 4};
    auto loop = DenoiseLoop::start(denoise);
    if (!loop) {
        return loop.error().kind == ErrorKind::kUnsupported;
    }
    const RenderRequest told = request_with([](auto& r) { r.guidance.scale = 1.0; });
    const auto denoiser = make_denoiser(model, told, loop->sampler(), {});
    while (denoiser && !loop->done() && loop->advance(**denoiser, {})) {
    }
    return loop->done();
}

TEST(Render, EverySamplerPredictionAndScheduleGivesNumbers) {
    const auto model = open_demo_model();
    for (const SamplerInfo& sampler : known_samplers()) {
        for (const auto prediction :
             {PredictionType::kEpsilon, PredictionType::kVPrediction, PredictionType::kSample}) {
            for (const ScheduleKind schedule : known_schedules()) {
                EXPECT_TRUE(gives_numbers(model, sampler.name, prediction, schedule))
                    << sampler.name << ", schedule " << to_string(schedule);
            }
        }
    }
}

/// The demo model with two embeddings: "zq" is the very vector of the word "lake", "wide" was made
/// for another text encoder.
std::shared_ptr<PipelineModel> open_with_embeddings() {
    const auto plain = open_demo_model();
    const auto weights =
        Weights::open(TESSERA_WEIGHTS "/tessera-tiny/text_encoder/model.safetensors");
    EXPECT_TRUE(weights) << weights.error().message;
    const auto* table = weights->find("text_model.embeddings.token_embedding.weight");
    const auto ids = plain->tokenizer().ids("lake").value();
    EXPECT_EQ(ids.size(), 1U);
    const auto values = to_floats(*table).value();
    const std::int64_t width = table->shape[1];
    const auto first = values.begin() + ids.front() * width;
    TextualInversion lake{"zq", "hash", {Tensor({1, width}, {first, first + width})}};
    TextualInversion wide{"wide", "hash", {Tensor({1, width + 1})}};
    auto model = PipelineModel::open(
        TESSERA_WEIGHTS "/tessera-tiny", Engine::create({}).value(), "", {lake, wide}
    );
    EXPECT_TRUE(model) << model.error().message;
    return *model;
}

TEST(PipelineModel, PutsAnEmbeddingsVectorsInTheWordsPlace) {
    const auto model = open_with_embeddings();
    const auto told = [&](const char* prompt) {
        const auto parsed = model->parse(prompt, {});
        EXPECT_TRUE(parsed) << parsed.error().message;
        return model->encode_prompt(*parsed, 1, {})->parts.front().variants.front();
    };
    EXPECT_EQ(told("a zq at dawn"), told("a lake at dawn"));
    EXPECT_EQ(model->embeddings_in(*model->parse("a zq at dawn", {})).count("zq"), 1U);
    EXPECT_TRUE(model->embeddings_in(*model->parse("a lake", {})).empty());
}

TEST(PipelineModel, SaysThatAnEmbeddingBelongsToAnotherKindOfModel) {
    const auto parsed = open_with_embeddings()->parse("a wide lake", {});
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->remarks.size(), 1U);
    EXPECT_THAT(parsed->remarks.front(), HasSubstr("\"wide\""));
}

TEST(PlanRender, TellsWhatAPersonShouldKnow) {
    const auto model = open_demo_model();
    const auto plan = plan_render(*model, request_with([](auto& r) {
        r.prompt = "a (pine forest <lora:ink:0.8>";
        r.negative_prompt = "fog)";
    }));
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->steps, 4U);
    EXPECT_EQ(plan->prompt_tokens.limit, 75U);
    ASSERT_EQ(plan->remarks.size(), 3U);
    EXPECT_THAT(plan->remarks[0], HasSubstr("never closed"));
    EXPECT_THAT(plan->remarks[1], HasSubstr("negative prompt"));
    EXPECT_THAT(plan->remarks[2], HasSubstr("<lora:ink>"));
}

TEST(Render, ImageToImageWithStrengthZeroGivesTheEncodedPicture) {
    const auto model = open_demo_model();
    auto what = request();
    what.init_image = some_picture();
    what.strength = 0.0;
    EXPECT_EQ(paint(model, what), model->encode(some_picture(), {})->mean);
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
    const auto with = request_with;
    EXPECT_THAT(refusal(model, with([](auto& r) { r.width = 0; })), HasSubstr("width"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.height = -8; })), HasSubstr("height"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.width = 100; })), HasSubstr("multiple of 8"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.width = 1 << 20; })), HasSubstr("width"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.steps = 0; })), HasSubstr("steps"));
    EXPECT_THAT(refusal(model, with([](auto& r) { r.prompt = "\xFF"; })), HasSubstr("UTF-8"));
    EXPECT_THAT(
        refusal(model, with([](auto& r) { r.guidance.scale = 0.5; })), HasSubstr("guidance")
    );
    EXPECT_THAT(
        refusal(model, with([](auto& r) { r.noise.seeds.clear(); })), HasSubstr("pictures")
    );
    EXPECT_THAT(refusal(model, with([](auto& r) { r.clip_skip = 99; })), HasSubstr("clip skip"));
    EXPECT_THAT(
        refusal(model, with([](auto& r) {
                    r.mask = Tensor({1, 1, 8, 8});
                })),
        HasSubstr("mask")
    );
    EXPECT_THAT(refusal(model, with([](auto& r) { r.prompt = "(sea:1e9)"; })), HasSubstr("prompt"));
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
