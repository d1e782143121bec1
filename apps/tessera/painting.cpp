#include "tessera/painting.h"

#include "diffusion/sampler_registry.h"
#include "imaging/mask_latents.h"
#include "imaging/resize.h"
#include "tessera/stop_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera::cli {
namespace {

constexpr const char* kStep = "step";

/// A1111's "fill" is in the picture already.
MaskedContent masked_content(MaskedFill fill) {
    switch (fill) {
        case MaskedFill::kLatentNoise:
            return MaskedContent::kLatentNoise;
        case MaskedFill::kLatentNothing:
            return MaskedContent::kLatentNothing;
        case MaskedFill::kFill:
        case MaskedFill::kOriginal:
            break;
    }
    return MaskedContent::kOriginal;
}

/// The first pass, without pictures.
RenderRequest request_of(const Recipe& recipe, const ModelInfo& info) {
    RenderRequest request{};
    request.prompt = recipe.prompt;
    request.negative_prompt = recipe.negative_prompt;
    request.syntax = recipe.syntax;
    request.clip_skip = recipe.clip_skip;
    request.width = recipe.rendered.width;
    request.height = recipe.rendered.height;
    request.steps = recipe.steps;
    request.sampler = recipe.sampler;
    request.eta = recipe.eta;
    request.s_noise = recipe.s_noise;
    request.zero_terminal_snr = recipe.zero_terminal_snr;
    request.guidance = recipe.guidance;
    request.noise.random = recipe.random;
    request.noise.seeds = {recipe.seed};
    request.noise.later_seed_offset = recipe.later_seed_offset;
    if (recipe.seed_resize) {
        const int downscale = info.vae.downscale();
        request.noise.resize_from = LatentSize{
            recipe.seed_resize->height / downscale, recipe.seed_resize->width / downscale};
    }
    if (recipe.init) {
        request.strength = recipe.init->strength;
    }
    if (recipe.inpaint) {
        request.masked_content = masked_content(recipe.inpaint->fill);
    }
    return request;
}

Tensor tensor_of(const Image& picture) {
    return Tensor({1, 3, picture.height, picture.width}, planes_from_image(picture));
}

Status add_canvas(const InitCanvas& canvas, const ModelInfo& info, RenderRequest& request) {
    request.init_image = tensor_of(canvas.picture);
    if (!canvas.mask) {
        return {};
    }
    TESSERA_ASSIGN(const auto sampler, find_sampler(request.sampler));
    const auto shrinking = sampler.sampler->convention == SamplerConvention::kDiffusers
                               ? MaskShrinking::kRoundedThenNearest
                               : MaskShrinking::kResizedThenRounded;
    const int downscale = info.vae.downscale();
    TESSERA_ASSIGN(auto values, shrink_to_latents(*canvas.mask, downscale, shrinking));
    request.mask = Tensor(
        {1, 1, canvas.mask->height / downscale, canvas.mask->width / downscale}, std::move(values)
    );
    return {};
}

/// The second pass takes just hires.steps steps, whatever its strength: as in A1111 it is the end
/// of a schedule that is longer by that share.
Result<RenderRequest> second_request(const Recipe& recipe, const ModelInfo& info) {
    constexpr double kMostStrength = 0.999;
    const HiresRecipe& hires = *recipe.hires;
    if (!(hires.strength > 0.0 && hires.strength <= 1.0)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "strength {} is not possible for the second pass; take more than 0, up to 1",
            hires.strength
        );
    }
    RenderRequest request = request_of(recipe, info);
    request.width = hires.size.width;
    request.height = hires.size.height;
    request.first_pass_steps = recipe.steps;
    const double whole = std::floor(hires.steps / std::min(hires.strength, kMostStrength));
    request.steps = static_cast<int>(std::min(whole, 1e6));
    TESSERA_ASSIGN(const auto choice, find_sampler(recipe.sampler));
    request.strength = strength_for(hires.steps, request.steps, choice.sampler->convention);
    return request;
}

/// The rest of a pass, to its picture.
Result<Image> run_pass(
    const Studio& studio,
    int pass,
    Render render,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    StopWatch watch;
    studio.listener.step(render.step(), render.steps(), kStep);
    while (!render.done()) {
        TESSERA_TRY(render.advance(stop));
        studio.listener.step(render.step(), render.steps(), kStep);
        if (studio.observer != nullptr) {
            studio.observer->after_step(pass, render, stop);
        }
    }
    seconds.steps += watch.lap();

    studio.listener.phase("decoding");
    TESSERA_ASSIGN(const auto planes, render.decode(stop));
    seconds.decoding += watch.lap();
    return image_from_planes(planes.values, render.request().width, render.request().height);
}

Result<Render> resume(
    const Studio& studio,
    const PaintCheckpoint& checkpoint,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    StopWatch watch;
    TESSERA_ASSIGN(auto render, Render::resume(studio.model.pipeline, checkpoint.render, stop));
    seconds.text += watch.lap();
    return render;
}

Result<Render> begin_first_pass(
    const Studio& studio,
    const Recipe& recipe,
    const std::optional<InitCanvas>& canvas,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    StopWatch watch;
    const ModelInfo& info = studio.model.pipeline->info();
    RenderRequest request = request_of(recipe, info);
    if (canvas) {
        TESSERA_TRY(add_canvas(*canvas, info, request));
    }
    TESSERA_ASSIGN(auto render, Render::start(studio.model.pipeline, std::move(request), stop));
    seconds.text += watch.lap();
    return render;
}

/// The picture by that upscaler, large enough to cover the size, then cut to it.
Result<Image> enlarge(
    const Studio& studio,
    const Image& picture,
    const std::string& upscaler_name,
    PictureSize size,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto upscaler, studio.upscalers.get(upscaler_name));
    const double times = std::max(
        static_cast<double>(size.width) / picture.width,
        static_cast<double>(size.height) / picture.height
    );
    UpscaleRequest request;
    request.width = std::max(size.width, static_cast<int>(std::lround(picture.width * times)));
    request.height = std::max(size.height, static_cast<int>(std::lround(picture.height * times)));
    TESSERA_ASSIGN(
        const Image larger,
        upscaler.upscale(
            picture,
            request,
            [&](std::size_t done, std::size_t all) { studio.listener.step(done, all, "tile"); },
            stop
        )
    );
    return crop_to_fill(larger, size.width, size.height);
}

Result<Render> begin_second_pass(
    const Studio& studio,
    const Recipe& recipe,
    const Image& first,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    StopWatch watch;
    studio.listener.phase("enlarging");
    TESSERA_ASSIGN(
        const Image larger, enlarge(studio, first, recipe.hires->upscaler, recipe.hires->size, stop)
    );
    seconds.enlarging += watch.lap();
    studio.listener.phase("second pass");
    TESSERA_ASSIGN(auto request, second_request(recipe, studio.model.pipeline->info()));
    request.init_image = tensor_of(larger);
    TESSERA_ASSIGN(auto render, Render::start(studio.model.pipeline, std::move(request), stop));
    seconds.text += watch.lap();
    return render;
}

Result<Image> finish(
    const Studio& studio,
    Image picture,
    const Recipe& recipe,
    const std::optional<InitCanvas>& canvas,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    StopWatch watch;
    if (!recipe.restored_by.empty()) {
        studio.listener.phase("repairing");
        TESSERA_ASSIGN(
            picture,
            enlarge(studio, picture, recipe.restored_by, {picture.width, picture.height}, stop)
        );
    }
    const bool is_part = canvas && canvas->surroundings && canvas->surroundings->region;
    if (!is_part && !recipe.enlarged_by.empty()) {
        studio.listener.phase("enlarging");
        TESSERA_ASSIGN(picture, enlarge(studio, picture, recipe.enlarged_by, recipe.size, stop));
    } else if (!is_part) {
        TESSERA_ASSIGN(picture, crop_to_fill(picture, recipe.size.width, recipe.size.height));
    }
    if (canvas) {
        TESSERA_ASSIGN(picture, put_back(*canvas, std::move(picture)));
    }
    seconds.enlarging += watch.lap();
    return picture;
}

}  // namespace

Result<std::vector<std::string>> prepare_recipe(Recipe& recipe, const Studio& studio) {
    const PipelineModel& model = *studio.model.pipeline;
    recipe.model = model.info().name;
    recipe.model_hash = studio.model.hash;
    recipe.fingerprint = studio.model.engine->fingerprint().hash();
    RenderRequest request = request_of(recipe, model.info());
    if (recipe.init) {
        request.init_image = Tensor({1, 3, request.height, request.width}, {});
    }
    TESSERA_ASSIGN(auto plan, plan_render(model, request));
    if (recipe.hires) {
        TESSERA_ASSIGN(auto second, second_request(recipe, model.info()));
        second.init_image = Tensor({1, 3, second.height, second.width}, {});
        auto second_plan = plan_render(model, second);
        if (!second_plan) {
            return within("second pass", std::move(second_plan).error());
        }
    }
    recipe.embeddings = std::move(plan.embeddings);
    recipe.upscalers.clear();
    const std::string second = recipe.hires ? recipe.hires->upscaler : "";
    for (const std::string& name : {second, recipe.enlarged_by, recipe.restored_by}) {
        if (!name.empty()) {
            TESSERA_ASSIGN(const auto hash, studio.upscalers.hash(name));
            if (!hash.empty()) {
                recipe.upscalers[name] = hash;
            }
        }
    }
    return std::move(plan.remarks);
}

Result<Image> paint(
    const Studio& studio,
    const Recipe& recipe,
    const std::optional<InitCanvas>& canvas,
    const std::optional<PaintCheckpoint>& checkpoint,
    const std::stop_token& stop,
    StageSeconds& seconds
) {
    const int begun_pass = checkpoint ? checkpoint->pass : 0;
    if (begun_pass < 0 || begun_pass > (recipe.hires ? 1 : 0)) {
        return fail(
            ErrorKind::kCorrupt, "the checkpoint is of pass {}, which there is not", begun_pass
        );
    }
    studio.listener.phase(canvas ? "reading the prompt and the picture" : "reading the prompt");
    std::optional<Render> resumed;
    if (checkpoint) {
        TESSERA_ASSIGN(resumed, resume(studio, *checkpoint, stop, seconds));
    }
    std::optional<Image> picture;
    if (begun_pass == 0) {
        if (!resumed) {
            TESSERA_ASSIGN(resumed, begin_first_pass(studio, recipe, canvas, stop, seconds));
        }
        TESSERA_ASSIGN(picture, run_pass(studio, 0, *std::exchange(resumed, {}), stop, seconds));
    }
    if (recipe.hires) {
        if (!resumed) {
            TESSERA_ASSIGN(resumed, begin_second_pass(studio, recipe, *picture, stop, seconds));
        }
        TESSERA_ASSIGN(picture, run_pass(studio, 1, *std::move(resumed), stop, seconds));
    }
    return finish(studio, *std::move(picture), recipe, canvas, stop, seconds);
}

}  // namespace tessera::cli
