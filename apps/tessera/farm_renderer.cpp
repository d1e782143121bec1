#include "tessera/farm_renderer.h"

#include "imaging/codec.h"
#include "imaging/tiles.h"
#include "job/job_spec.h"
#include "telemetry/farm_metrics.h"
#include "tessera/farm_pictures.h"
#include "tessera/init_canvas.h"
#include "tessera/painting.h"
#include "tessera/stop_watch.h"
#include "tessera/upscale_metadata.h"

#include <algorithm>
#include <cmath>

namespace tessera::cli {
namespace {

/// So many pixels of the smaller picture around a tile are enlarged with it and cut off again: more
/// than the networks look aside.
constexpr int kTileMargin = 32;
/// What progress is counted in while a picture is enlarged.
constexpr const char* kTile = "tile";

/// Tells the farm what a terminal would be told.
class TaskListener final : public RenderListener {
  public:
    /// `steps`: takes the time of each step of denoising.
    explicit TaskListener(TaskContext& context, std::optional<Histogram> steps = std::nullopt)
        : context_(context), steps_(steps) {}

    void phase(const std::string& name) override {
        progress_.stage = name;
        context_.progress(progress_);
    }
    void step(std::size_t step, std::size_t steps, const std::string& unit) override {
        progress_ = {static_cast<int>(step), static_cast<int>(steps), unit};
        const double seconds = watch_.lap();
        if (step > 0) {
            context_.expect_step(seconds);
        }
        if (step > 0 && steps_ && unit != kTile) {
            steps_->observe(seconds);
        }
        context_.progress(progress_);
    }
    void say(const std::string& line) override { context_.log(line); }

  private:
    TaskContext& context_;
    const std::optional<Histogram> steps_;
    TaskProgress progress_;
    StopWatch watch_;
};

/// Previews and checkpoints between steps. What goes wrong with them is logged, and the render goes
/// on.
class TaskObserver final : public StepObserver {
  public:
    TaskObserver(TaskContext& context, PooledModel& model, std::string fingerprint)
        : context_(context), model_(model), fingerprint_(std::move(fingerprint)) {}

    void after_step(int pass, const Render& render, const std::stop_token& stop) override {
        if (render.done()) {
            return;
        }
        if (context_.wants_preview() && !blind_) {
            if (auto jpeg = preview(render, stop)) {
                context_.preview(*std::move(jpeg));
            } else if (!stop.stop_requested()) {
                blind_ = true;
                context_.log("no previews: " + jpeg.error().message);
            }
        }
        if (context_.wants_checkpoint()) {
            ByteWriter writer;
            writer.put(static_cast<std::int32_t>(pass));
            writer.put_block(render.save());
            context_.checkpoint(writer.take(), static_cast<int>(render.step()), fingerprint_);
        }
    }

  private:
    Result<std::string> preview(const Render& render, const std::stop_token& stop) {
        TESSERA_ASSIGN(const auto factors, model_.preview(stop));
        const Tensor small = preview_image(render.loop().predicted_clean(), factors);
        const auto width = static_cast<int>(small.shape[3]);
        const auto height = static_cast<int>(small.shape[2]);
        TESSERA_ASSIGN(
            const auto jpeg,
            encode(image_from_planes(small.values, width, height), PictureFormat::kJpeg)
        );
        return std::string(as_text(jpeg));
    }

    TaskContext& context_;
    PooledModel& model_;
    const std::string fingerprint_;
    bool blind_ = false;
};

Result<PaintCheckpoint> read_checkpoint(ByteView bytes) {
    ByteReader reader(bytes);
    PaintCheckpoint checkpoint;
    TESSERA_ASSIGN(const auto pass, reader.get<std::int32_t>());
    TESSERA_ASSIGN(const auto render, reader.get_block());
    checkpoint.pass = pass;
    checkpoint.render.assign(render.begin(), render.end());
    return checkpoint;
}

/// One task under work.
struct Job {
    const AssignTask& task;
    const JobSpec& spec;
    TaskContext& context;
    const std::stop_token& stop;

    /// The picture of a stranger, decoded apart.
    [[nodiscard]] Result<Image> upload(const std::string& sha256) const {
        TESSERA_ASSIGN(const auto file, context.fetch({sha256, 0, {}}));
        return picture_decoder().decode(file, {}, stop);
    }
    /// What another task made.
    [[nodiscard]] Result<Image> input(std::size_t number) const {
        if (number >= task.inputs.size()) {
            return fail(ErrorKind::kInternal, "the task has no input {}", number);
        }
        TESSERA_ASSIGN(const auto file, context.fetch(task.inputs[number].object));
        return decode(file);
    }
};

std::vector<StageTime> times_of(const StageSeconds& seconds) {
    std::vector<StageTime> times;
    for (const auto& [stage, spent] :
         {std::pair{"text", seconds.text},
          std::pair{"steps", seconds.steps},
          std::pair{"decoding", seconds.decoding},
          std::pair{"enlarging", seconds.enlarging},
          std::pair{"storing", seconds.writing}}) {
        if (spent > 0.0) {
            times.push_back({stage, spent});
        }
    }
    return times;
}

Result<std::optional<InitCanvas>> canvas_of(const Job& job, const Recipe& recipe) {
    if (!recipe.init) {
        return std::nullopt;
    }
    TESSERA_ASSIGN(const Image init, job.upload(job.spec.init));
    std::optional<Mask> mask;
    if (!job.spec.mask.empty()) {
        TESSERA_ASSIGN(const Image drawn, job.upload(job.spec.mask));
        mask = mask_from_picture(drawn);
    }
    TESSERA_ASSIGN(auto canvas, make_init_canvas(init, mask, recipe));
    return std::optional(std::move(canvas));
}

/// Where to go on from; nothing where there is no checkpoint that this process could use.
std::optional<PaintCheckpoint> checkpoint_for(const Job& job, const std::string& fingerprint) {
    const auto& kept = job.task.checkpoint;
    if (!kept || kept->fingerprint != fingerprint) {
        return std::nullopt;
    }
    auto checkpoint = [&]() -> Result<PaintCheckpoint> {
        TESSERA_ASSIGN(const auto bytes, job.context.fetch(kept->object));
        return read_checkpoint(bytes);
    }();
    if (!checkpoint) {
        job.context.log("starting anew without the checkpoint: " + checkpoint.error().message);
        return std::nullopt;
    }
    job.context.log(fmt::format("going on from step {}", kept->step));
    return *std::move(checkpoint);
}

/// Encoded and stored, the end of every task.
Result<TaskResult> hand_in(
    const Job& job, const Image& picture, const PictureMetadata& metadata, StageSeconds seconds
) {
    StopWatch watch;
    OutputSettings output = job.spec.output;
    if (!job.task.plan.publishes) {
        output = {};  // lossless, for the next task
    }
    TESSERA_ASSIGN(const auto file, encode_output(picture, output, metadata));
    TaskResult result;
    TESSERA_ASSIGN(result.object, job.context.store(file, media_type_of(output)));
    seconds.writing += watch.lap();
    result.times = times_of(seconds);
    result.width = picture.width;
    result.height = picture.height;
    return result;
}

Result<TaskResult> render(const Job& job, ModelPool& pool, Upscalers& upscalers, Metrics& metrics) {
    StopWatch watch;
    TESSERA_ASSIGN(auto recipe, recipe_from_json(job.task.recipe));
    recipe = nth_of(std::move(recipe), job.task.plan.unit + 1);
    job.context.progress({0, 0, "reading the model"});
    TESSERA_ASSIGN(const auto model, pool.get(recipe.model, recipe.model_hash));
    TaskListener listener(job.context, metrics.histogram(metric::kStep, {recipe.model}));
    TaskObserver observer(job.context, *model, model->opened.engine->fingerprint().hash());
    const Studio studio{model->opened, upscalers, listener, &observer};
    TESSERA_ASSIGN(const auto remarks, prepare_recipe(recipe, studio));
    for (const std::string& remark : remarks) {
        job.context.log(remark);
    }
    const Recipe finished = recipe;
    if (!job.task.plan.publishes) {
        // The enlargement is other tasks' work.
        recipe.enlarged_by.clear();
        recipe.size = recipe.hires ? recipe.hires->size : recipe.rendered;
    }
    TESSERA_ASSIGN(const auto canvas, canvas_of(job, recipe));
    StageSeconds seconds;
    const auto checkpoint = checkpoint_for(job, recipe.fingerprint);
    const double loading = watch.lap();
    auto picture = paint(studio, recipe, canvas, checkpoint, job.stop, seconds);
    if (!picture && checkpoint && picture.error().kind == ErrorKind::kCorrupt) {
        job.context.log("starting anew, the checkpoint is damaged: " + picture.error().message);
        picture = paint(studio, recipe, canvas, std::nullopt, job.stop, seconds);
    }
    if (!picture) {
        return tl::unexpected(std::move(picture).error());
    }
    PictureMetadata metadata;
    if (job.task.plan.publishes) {
        TESSERA_ASSIGN(metadata, picture_metadata(finished));
    }
    TESSERA_ASSIGN(auto result, hand_in(job, *picture, metadata, seconds));
    result.times.insert(result.times.begin(), {"loading", loading});
    result.recipe = to_json(finished);
    result.fingerprint = finished.fingerprint;
    return result;
}

TileProgress tell_tiles(TaskListener& listener) {
    return [&listener](std::size_t done, std::size_t all) { listener.step(done, all, kTile); };
}

/// Repaired and enlarged, at one go.
Result<Image> enlarge_image(
    const Job& job,
    Upscalers& upscalers,
    const EnlargementWish& wish,
    Image source,
    PictureSize size
) {
    TaskListener listener(job.context);
    if (!wish.restorer.empty()) {
        TESSERA_ASSIGN(const auto restorer, upscalers.get(wish.restorer));
        const UpscaleRequest same{.width = source.width, .height = source.height};
        TESSERA_ASSIGN(source, restorer.upscale(source, same, tell_tiles(listener), job.stop));
    }
    TESSERA_ASSIGN(const auto upscaler, upscalers.get(wish.upscaler));
    const UpscaleRequest request{.width = size.width, .height = size.height};
    return upscaler.upscale(source, request, tell_tiles(listener), job.stop);
}

/// One tile of an enlarged picture, made from its part of the smaller one.
Result<Image> enlarge_tile(
    const Job& job, Upscalers& upscalers, const EnlargementWish& wish, const Image& source
) {
    const TileRegion& region = job.task.unit.region;
    const int scale = wish.size.width / source.width;
    if (scale < 1 || source.width * scale != wish.size.width ||
        source.height * scale != wish.size.height) {
        return fail(
            ErrorKind::kInternal,
            "a picture of {}x{} cannot be enlarged to {}x{} in tiles",
            source.width,
            source.height,
            wish.size.width,
            wish.size.height
        );
    }
    const auto divide_up = [scale](int length) { return (length + scale - 1) / scale; };
    const int left = std::max(0, region.x / scale - kTileMargin);
    const int top = std::max(0, region.y / scale - kTileMargin);
    const int right = std::min(source.width, divide_up(region.x + region.width) + kTileMargin);
    const int bottom = std::min(source.height, divide_up(region.y + region.height) + kTileMargin);
    Image part = cut_tile(source, {left, top, right - left, bottom - top});
    const PictureSize size{part.width * scale, part.height * scale};
    TESSERA_ASSIGN(const Image larger, enlarge_image(job, upscalers, wish, std::move(part), size));
    return cut_tile(
        larger, {region.x - left * scale, region.y - top * scale, region.width, region.height}
    );
}

/// What a picture's file says that was rendered by one task and enlarged by others.
Result<PictureMetadata> rendered_metadata(const std::string& recipe_json) {
    TESSERA_ASSIGN(const auto recipe, recipe_from_json(recipe_json));
    return picture_metadata(recipe);
}

Result<TaskResult> enlarge(const Job& job, Upscalers& upscalers) {
    StopWatch watch;
    StageSeconds seconds;
    TESSERA_ASSIGN(const auto wish, read_enlargement(job.spec, job.task.recipe));
    const bool is_tile = job.task.unit.part_of.has_value();
    Bytes file;
    Image source;
    if (job.task.inputs.empty()) {
        TESSERA_ASSIGN(file, job.context.fetch({job.spec.init, 0, {}}));
        TESSERA_ASSIGN(source, picture_decoder().decode(file, {}, job.stop));
    } else {
        TESSERA_ASSIGN(source, job.input(0));
    }
    if (is_tile) {
        TESSERA_ASSIGN(const Image tile, enlarge_tile(job, upscalers, wish, source));
        seconds.enlarging = watch.lap();
        TESSERA_ASSIGN(auto result, hand_in(job, tile, {}, seconds));
        // The first tile carries the render's recipe on to the merge.
        if (!job.task.inputs.empty() && job.task.unit.region.x == 0 &&
            job.task.unit.region.y == 0) {
            result.recipe = job.task.inputs.front().recipe;
            result.fingerprint = job.task.inputs.front().fingerprint;
        }
        return result;
    }
    TESSERA_ASSIGN(const auto metadata, enlarged_metadata(file, source, wish));
    TESSERA_ASSIGN(
        const Image larger, enlarge_image(job, upscalers, wish, std::move(source), wish.size)
    );
    seconds.enlarging = watch.lap();
    return hand_in(job, larger, metadata, seconds);
}

Result<TaskResult> merge(const Job& job) {
    StopWatch watch;
    StageSeconds seconds;
    const TileRegion& whole = job.task.unit.region;
    const auto tiles = static_cast<int>(job.task.inputs.size());
    Image picture;
    for (int i = 0; i < tiles; ++i) {
        job.context.progress({i, tiles, "merging"});
        const auto index = static_cast<std::size_t>(i);
        TESSERA_ASSIGN(const Image tile, job.input(index));
        TESSERA_TRY(put_tile(tile, job.task.input_units[index].region, whole, picture));
    }
    PictureMetadata metadata;
    std::string recipe;
    if (job.spec.kind == JobKind::kRender) {
        recipe = job.task.inputs.front().recipe;
        TESSERA_ASSIGN(metadata, rendered_metadata(recipe));
    } else {
        TESSERA_ASSIGN(const auto wish, read_enlargement(job.spec, job.task.recipe));
        TESSERA_ASSIGN(const auto file, job.context.fetch({job.spec.init, 0, {}}));
        TESSERA_ASSIGN(const Image source, picture_decoder().decode(file, {}, job.stop));
        TESSERA_ASSIGN(metadata, enlarged_metadata(file, source, wish));
    }
    seconds.enlarging = watch.lap();
    TESSERA_ASSIGN(auto result, hand_in(job, picture, metadata, seconds));
    result.recipe = std::move(recipe);
    result.fingerprint = job.task.inputs.front().fingerprint;
    return result;
}

}  // namespace

FarmRenderer::FarmRenderer(
    const ModelShelf& shelf,
    const EngineChoice& engine,
    std::uint64_t model_budget_bytes,
    RenderListener& listener,
    Metrics& metrics
)
    : shelf_(shelf),
      metrics_(metrics),
      pool_(shelf, engine, model_budget_bytes, listener, metrics) {}

Status FarmRenderer::prepare() {
    TESSERA_ASSIGN(const auto engine, pool_.engine());
    fingerprint_ = engine->fingerprint().hash();
    upscalers_ = std::make_unique<Upscalers>(shelf_.locations(), *engine);
    return {};
}

Result<TaskResult> FarmRenderer::run(
    const AssignTask& task, TaskContext& context, const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto spec, decode_job_spec(task.spec));
    const Job job{task, spec, context, stop};
    switch (task.plan.kind) {
        case TaskKind::kRender:
            return render(job, pool_, *upscalers_, metrics_);
        case TaskKind::kUpscale:
            return enlarge(job, *upscalers_);
        case TaskKind::kMerge:
            return merge(job);
    }
    return fail(ErrorKind::kUnsupported, "this worker does not know such tasks");
}

std::vector<ModelOffer> FarmRenderer::models() const {
    const auto loaded = pool_.loaded();
    std::vector<ModelOffer> offers;
    for (const ShelvedModel& model : shelf_.models()) {
        const bool is_loaded =
            std::find(loaded.begin(), loaded.end(), model.affinity) != loaded.end();
        offers.push_back({model.affinity, is_loaded});
    }
    return offers;
}

}  // namespace tessera::cli
