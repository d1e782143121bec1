#include "tessera/render_session.h"

#include "tessera/installed_models.h"
#include "tessera/styled_prompt.h"

#include <utility>

namespace tessera::cli {

RenderSession::RenderSession(
    Locations locations,
    const EngineChoice& engine,
    std::filesystem::path preview,
    Progress& progress,
    std::stop_token stop
)
    : locations_(std::move(locations)),
      engine_(engine),
      preview_path_(std::move(preview)),
      progress_(progress),
      stop_(std::move(stop)),
      styles_file_(locations_.styles) {}

RenderSession::~RenderSession() {
    if (model_) {
        model_->engine->abandon_cache_writes();
    }
}

Status RenderSession::read_pictures(const std::string& init, const std::string& mask) {
    if (!init.empty()) {
        TESSERA_ASSIGN(given_.init, read_init_picture(init, stop_));
    }
    if (!mask.empty()) {
        TESSERA_ASSIGN(given_.mask, read_mask_picture(mask, stop_));
    }
    if (given_.init && given_.mask) {
        const Image& picture = given_.init->image;
        const Mask& drawn = given_.mask->mask;
        if (picture.width != drawn.width || picture.height != drawn.height) {
            progress_.say(fmt::format(
                "note: the mask of {}x{} is resized to the picture's {}x{}",
                drawn.width,
                drawn.height,
                picture.width,
                picture.height
            ));
        }
    }
    return {};
}

void RenderSession::use_styles(const std::filesystem::path& file) {
    if (!file.empty()) {
        styles_file_ = file;
    }
}

Status RenderSession::open(const std::string& model) {
    if (model_ && model_name_ == model) {
        return {};
    }
    if (model_) {
        finish(true);
        preview_.reset();
        upscalers_.reset();
        model_.reset();
    }
    TESSERA_ASSIGN(const auto folder, find_model(locations_, model));
    TESSERA_ASSIGN(model_, open_model(locations_, folder, engine_, progress_));
    upscalers_.emplace(locations_, *model_->engine);
    if (!preview_path_.empty()) {
        preview_.emplace(preview_path_, model_->pipeline, progress_);
    }
    model_name_ = model;
    return {};
}

Result<std::string> RenderSession::name_of_upscaler(const std::string& upscaler) {
    return upscalers_->name_of(upscaler);
}

Result<Recipe> RenderSession::plan(RenderSettings settings) {
    TESSERA_TRY(check_settings(settings, given_));
    TESSERA_TRY(apply_styles(styles_file_, settings));
    TESSERA_TRY(open(settings.model));
    if (!settings.upscaler.empty()) {
        TESSERA_ASSIGN(settings.upscaler, name_of_upscaler(settings.upscaler));
    }
    TESSERA_ASSIGN(auto recipe, make_recipe(settings, given_, model_->pipeline->info()));
    TESSERA_TRY(prepare(recipe));
    return recipe;
}

Status RenderSession::prepare(Recipe& recipe) {
    TESSERA_ASSIGN(const auto remarks, prepare_recipe(recipe, studio()));
    for (const std::string& remark : remarks) {
        if (told_.insert(remark).second) {
            progress_.say("note: " + remark);
        }
    }
    return {};
}

Result<Image> RenderSession::paint(const Recipe& recipe, StageSeconds& seconds) {
    std::optional<InitCanvas> canvas;
    if (recipe.init) {
        std::optional<Mask> mask;
        if (given_.mask) {
            mask = given_.mask->mask;
        }
        TESSERA_ASSIGN(canvas, make_init_canvas(given_.init->image, mask, recipe));
    }
    return cli::paint(studio(), recipe, canvas, std::nullopt, stop_, seconds);
}

void RenderSession::finish(bool success) {
    if (model_) {
        finish_engines(*model_, success, progress_, stop_);
    }
}

}  // namespace tessera::cli
