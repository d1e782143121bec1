#include "tessera/painting.h"

#include "diffusion/pipeline.h"
#include "diffusion/sampler_registry.h"
#include "imaging/codec.h"

#include <chrono>
#include <utility>

namespace tessera::cli {
namespace {

/// Seconds since it was made, or last asked.
class StopWatch {
  public:
    double lap() {
        const auto now = std::chrono::steady_clock::now();
        const std::chrono::duration<double> spent = now - std::exchange(last_, now);
        return spent.count();
    }

  private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

RenderRequest request_of(const Recipe& recipe) {
    RenderRequest request{};
    request.prompt = recipe.prompt;
    request.negative_prompt = recipe.negative_prompt;
    request.width = recipe.width;
    request.height = recipe.height;
    request.steps = recipe.steps;
    request.sampler = recipe.sampler;
    request.guidance_scale = recipe.cfg;
    request.seeds = {recipe.seed};
    if (recipe.init) {
        request.strength = recipe.init->strength;
    }
    return request;
}

Result<Image> paint_one(
    const OpenedModel& model,
    const Recipe& recipe,
    const std::optional<Tensor>& init,
    Progress& progress,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    StopWatch watch;
    progress.phase(init ? "reading the prompt and the picture" : "reading the prompt");
    RenderRequest request = request_of(recipe);
    request.init_image = init;
    TESSERA_ASSIGN(auto render, Render::start(model.pipeline, std::move(request), stop));
    seconds.text = watch.lap();

    progress.step(0, render.steps());
    while (!render.done()) {
        TESSERA_TRY(render.advance(stop));
        progress.step(render.step(), render.steps());
    }
    seconds.steps = watch.lap();

    progress.phase("decoding");
    TESSERA_ASSIGN(const auto planes, render.decode(stop));
    seconds.decoding = watch.lap();
    return image_from_planes(planes.values, recipe.width, recipe.height);
}

}  // namespace

Status check_recipe(const Recipe& recipe, const PipelineModel& model) {
    TESSERA_TRY(check(request_of(recipe), model.info()));
    SamplerRequest plan;
    plan.config = model.info().scheduler;
    plan.steps = recipe.steps;
    if (recipe.init) {
        plan.strength = recipe.init->strength;
    }
    TESSERA_TRY(make_sampler(recipe.sampler, plan));
    for (const auto& [name, text] :
         {std::pair("prompt", &recipe.prompt),
          std::pair("negative prompt", &recipe.negative_prompt)}) {
        if (auto chunks = model.chunk_count(*text); !chunks) {
            return within(name, std::move(chunks).error());
        }
    }
    return {};
}

Status paint(
    const OpenedModel& model,
    const Recipe& recipe,
    int count,
    const std::optional<Tensor>& init,
    const OutputPlan& output,
    Progress& progress,
    const std::stop_token& stop,
    const std::function<void(const FinishedPicture&)>& finished
) {
    for (int number = 1; number <= count; ++number) {
        progress.begin_picture(
            static_cast<std::size_t>(number), static_cast<std::size_t>(count), recipe.prompt
        );
        FinishedPicture picture{{}, recipe, {}};
        picture.recipe.seed += static_cast<std::uint32_t>(number - 1);
        TESSERA_ASSIGN(
            const Image image,
            paint_one(model, picture.recipe, init, progress, stop, picture.seconds)
        );
        StopWatch watch;
        TESSERA_ASSIGN(const auto metadata, picture_metadata(picture.recipe));
        EncodeOptions options;
        options.quality = output.quality().value_or(options.quality);
        TESSERA_ASSIGN(const auto file, encode(image, output.format(), options, metadata));
        TESSERA_ASSIGN(
            picture.path, output.write(number, recipe.prompt, picture.recipe.seed, file)
        );
        picture.seconds.writing = watch.lap();
        finished(picture);
    }
    return {};
}

}  // namespace tessera::cli
