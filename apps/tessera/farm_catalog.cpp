#include "tessera/farm_catalog.h"

#include "base/hash.h"
#include "base/number.h"
#include "checkpoint/textual_inversion.h"
#include "diffusion/sampler_registry.h"
#include "diffusion/schedule_names.h"
#include "imaging/codec.h"
#include "imaging/metadata.h"
#include "prompt/styles.h"
#include "tessera/farm_pictures.h"
#include "tessera/installed_models.h"
#include "tessera/installed_upscalers.h"
#include "tessera/picture_decoder.h"
#include "tessera/render_settings.h"
#include "tessera/styled_prompt.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

namespace tessera::cli {
namespace {

/// The server itself renders nothing: one thread for what ONNX Runtime insists on.
constexpr EngineChoice kServerEngine{.threads = 1, .cache = false};
constexpr std::uint64_t kManyModels = std::uint64_t{1} << 50U;
constexpr int kFarmTile = 1024;
constexpr double kMostScale = 8.0;

std::int64_t modified(const std::filesystem::path& path) {
    std::error_code error;
    const auto time = std::filesystem::last_write_time(path / "model_index.json", error);
    if (error) {
        return 0;
    }
    const auto system = std::chrono::file_clock::to_sys(time);
    return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

PixelSize pixels(PictureSize size) {
    return {size.width, size.height};
}

/// Tiles are for whole multiples by a network; everything else is one task's work.
Enlargement enlargement(PictureSize from, PictureSize to, bool in_tiles) {
    Enlargement result;
    result.scale = std::max(
        static_cast<double>(to.width) / from.width, static_cast<double>(to.height) / from.height
    );
    const bool whole = from.width > 0 && to.width % from.width == 0 &&
                       from.height * (to.width / from.width) == to.height;
    result.tile_side = in_tiles && whole ? kFarmTile : std::max(to.width, to.height);
    return result;
}

int steps_of(int steps, const std::optional<InitRecipe>& init) {
    return init ? std::max(1, static_cast<int>(std::ceil(steps * init->strength))) : steps;
}

/// The size in the words "2" or "1024x768".
Result<PictureSize> scaled_size(const std::string& scale, const Image& picture) {
    if (scale.find('x') != std::string::npos) {
        return parse_picture_size("scale", scale);
    }
    const auto times = scale.empty() ? std::optional(2.0) : read_number<double>(scale);
    if (!times || !(*times >= 1.0 && *times <= kMostScale)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "scale {:.40} is not possible; take 1 to {}, or a size such as 1024x768",
            scale,
            kMostScale
        );
    }
    return PictureSize{
        static_cast<int>(std::round(picture.width * *times)),
        static_cast<int>(std::round(picture.height * *times))};
}

}  // namespace

FarmCatalog::FarmCatalog(
    const ModelShelf& shelf, const ObjectStore& store, RenderListener& listener, Metrics& metrics
)
    : shelf_(shelf),
      store_(store),
      pool_(shelf, kServerEngine, kManyModels, listener, metrics),
      listener_(listener) {}

std::vector<api::ModelEntry> FarmCatalog::models() const {
    std::vector<api::ModelEntry> entries;
    const std::string preferred = default_model();
    for (const ShelvedModel& model : shelf_.models()) {
        api::ModelEntry entry;
        entry.name = model.info.name;
        entry.hash = model.hash;
        entry.width = model.info.native_width;
        entry.height = model.info.native_height;
        entry.steps = model.info.recommended.steps;
        entry.cfg = model.info.recommended.guidance_scale;
        entry.sampler = model.info.recommended.sampler;
        entry.is_default = model.info.name == preferred;
        entry.description = model.info.title + " (" + model.info.family + ")";
        if (auto words = model_vocabulary(model.folder)) {
            entry.vocabulary = *std::move(words);
        }
        entry.modified = modified(model.folder);
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::vector<api::SamplerEntry> FarmCatalog::samplers() const {
    std::vector<api::SamplerEntry> entries;
    for (const SamplerInfo& sampler : known_samplers()) {
        api::SamplerEntry entry;
        entry.name = sampler.name;
        entry.aliases.assign(sampler.aliases.begin(), sampler.aliases.end());
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::vector<std::string> FarmCatalog::schedules() const {
    std::vector<std::string> names;
    for (const auto schedule : known_schedules()) {
        names.emplace_back(to_string(schedule));
    }
    return names;
}

std::vector<api::UpscalerEntry> FarmCatalog::upscalers() const {
    std::vector<api::UpscalerEntry> entries{{kLanczosName, 4}};
    for (const InstalledUpscaler& upscaler : installed_upscalers(shelf_.locations())) {
        if (upscaler.found && upscaler.found->scale() > 1) {
            entries.push_back({upscaler.name, upscaler.found->scale()});
        }
    }
    return entries;
}

std::vector<api::StyleEntry> FarmCatalog::styles() const {
    std::vector<api::StyleEntry> entries;
    if (const auto styles = read_styles(shelf_.locations().styles)) {
        for (const PromptStyle& style : *styles) {
            entries.push_back({style.name, style.prompt, style.negative_prompt});
        }
    }
    return entries;
}

std::vector<std::string> FarmCatalog::embeddings() const {
    std::vector<std::string> names;
    for (const auto& embedding : read_embeddings(shelf_.locations().embeddings, listener_)) {
        names.push_back(embedding.name);
    }
    return names;
}

Result<Image> FarmCatalog::upload(const std::string& sha256) const {
    TESSERA_ASSIGN(const auto file, store_.get(sha256));
    return picture_decoder().decode(file);
}

Result<GivenPictures> FarmCatalog::given_pictures(const JobSpec& spec) const {
    GivenPictures given;
    if (!spec.init.empty()) {
        auto picture = upload(spec.init);
        if (!picture) {
            return within("init", std::move(picture).error());
        }
        given.init = InitPicture{*std::move(picture), spec.init};
    }
    if (!spec.mask.empty()) {
        auto picture = upload(spec.mask);
        if (!picture) {
            return within("mask", std::move(picture).error());
        }
        given.mask = MaskPicture{mask_from_picture(*picture), spec.mask};
    }
    return given;
}

Result<std::pair<JobSpec, ResolvedJob>> FarmCatalog::resolve(JobSpec spec) const {
    TESSERA_ASSIGN(const auto format, parse_picture_format(spec.output.format));
    spec.output.format = format == PictureFormat::kJpeg   ? "jpeg"
                         : format == PictureFormat::kWebp ? "webp"
                                                          : "png";
    if (!spec.webhook.empty()) {
        return fail(
            ErrorKind::kUnsupported, "webhook: this server calls nobody; follow the job's events"
        );
    }
    return spec.kind == JobKind::kRender ? resolve_render(std::move(spec))
                                         : resolve_upscale(std::move(spec));
}

Result<std::pair<JobSpec, ResolvedJob>> FarmCatalog::resolve_render(JobSpec spec) const {
    TESSERA_ASSIGN(const auto given, given_pictures(spec));
    TESSERA_ASSIGN(const auto shelved, shelf_.find(spec.render.model));
    RenderSettings settings = spec.render;
    TESSERA_TRY(apply_styles(shelf_.locations().styles, settings));
    if (!settings.upscaler.empty()) {
        // By its name alone: what comes from outside must not become a path.
        TESSERA_ASSIGN(
            const auto file, find_installed_upscaler(shelf_.locations(), settings.upscaler)
        );
        settings.upscaler = file.empty() ? kLanczosName : file.stem().string();
    }
    TESSERA_ASSIGN(const auto model, pool_.get(shelved.info.name, shelved.hash));
    TESSERA_ASSIGN(auto recipe, make_recipe(settings, given, shelved.info));
    Upscalers upscalers(shelf_.locations(), *model->opened.engine);
    ResolvedJob resolved;
    TESSERA_ASSIGN(
        resolved.remarks, prepare_recipe(recipe, Studio{model->opened, upscalers, listener_})
    );
    recipe.fingerprint.clear();  // whoever renders has its own
    resolved.recipe = to_json(recipe);
    resolved.affinity = shelved.affinity;
    const bool guided = recipe.guidance.scale != 1.0;
    resolved.passes.push_back({pixels(recipe.rendered), steps_of(recipe.steps, recipe.init), guided}
    );
    PictureSize last = recipe.rendered;
    if (recipe.hires) {
        last = recipe.hires->size;
        resolved.passes.push_back({pixels(last), recipe.hires->steps, guided});
    }
    resolved.size = pixels(recipe.size);
    if (!recipe.enlarged_by.empty()) {
        TESSERA_ASSIGN(const auto network, network_scale(recipe.enlarged_by));
        const bool in_tiles = network.has_value() && !recipe.inpaint && !recipe.outpaint;
        resolved.enlargement = enlargement(last, recipe.size, in_tiles);
    }
    if (recipe.size != last) {
        resolved.remarks.push_back(fmt::format(
            "rendered at {}x{}, which suits {}, and brought to {}x{}",
            last.width,
            last.height,
            recipe.model,
            recipe.size.width,
            recipe.size.height
        ));
    }
    spec.render.model = shelved.info.name;
    spec.render.steps = recipe.steps;
    spec.render.sampler = recipe.sampler;
    spec.render.schedule.clear();
    spec.render.cfg = recipe.guidance.scale;
    spec.render.size = fmt::format("{}x{}", recipe.size.width, recipe.size.height);
    return std::pair(std::move(spec), std::move(resolved));
}

Result<std::optional<int>> FarmCatalog::network_scale(const std::string& upscaler) const {
    TESSERA_ASSIGN(const auto file, find_installed_upscaler(shelf_.locations(), upscaler));
    if (file.empty()) {
        return std::nullopt;
    }
    TESSERA_ASSIGN(const auto network, UpscalerNetwork::open(file));
    return std::optional(network.scale());
}

Result<std::pair<JobSpec, ResolvedJob>> FarmCatalog::resolve_upscale(JobSpec spec) const {
    if (spec.init.empty()) {
        return fail(ErrorKind::kInvalidArgument, "init is missing: there is no picture to enlarge");
    }
    TESSERA_ASSIGN(const auto given, given_pictures(spec));
    const Image& picture = given.init->image;
    TESSERA_ASSIGN(const auto size, scaled_size(spec.upscale.scale, picture));
    if (spec.upscale.upscaler.empty()) {
        spec.upscale.upscaler = kDefaultUpscaler;
    }
    TESSERA_ASSIGN(const auto network, network_scale(spec.upscale.upscaler));
    if (!network) {
        spec.upscale.upscaler = kLanczosName;
    }
    spec.upscale.scale = fmt::format("{}x{}", size.width, size.height);
    ResolvedJob resolved;
    resolved.size = pixels(size);
    resolved.enlargement = enlargement({picture.width, picture.height}, size, network.has_value());
    return std::pair(std::move(spec), std::move(resolved));
}

Result<api::UploadEntry> FarmCatalog::inspect(ByteView picture) const {
    auto image = picture_decoder().decode(picture);
    if (!image) {
        Error error = std::move(image).error();
        if (error.kind == ErrorKind::kUnsupported || error.kind == ErrorKind::kCorrupt ||
            error.kind == ErrorKind::kExhausted) {
            error.kind = ErrorKind::kInvalidArgument;
        }
        return tl::unexpected(std::move(error));
    }
    api::UploadEntry entry;
    entry.width = image->width;
    entry.height = image->height;
    entry.has_alpha = image->channels == 4;
    const auto format = sniff_format(picture);
    entry.media_type = std::string("image/") + (format == PictureFormat::kJpeg   ? "jpeg"
                                                : format == PictureFormat::kWebp ? "webp"
                                                                                 : "png");
    return entry;
}

Result<Bytes> FarmCatalog::mask_from_alpha(ByteView picture) const {
    TESSERA_ASSIGN(const auto image, picture_decoder().decode(picture));
    if (image.channels != 4) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the mask has no transparency; make transparent what is to be painted anew"
        );
    }
    Image mask{image.width, image.height, 3, {}};
    mask.pixels.reserve(image.pixels.size() / 4 * 3);
    for (std::size_t i = 3; i < image.pixels.size(); i += 4) {
        mask.pixels.insert(mask.pixels.end(), 3, static_cast<std::uint8_t>(255 - image.pixels[i]));
    }
    return encode(mask, PictureFormat::kPng);
}

Result<std::map<std::string, std::string>> FarmCatalog::picture_texts(ByteView picture) const {
    TESSERA_ASSIGN(const auto metadata, extract_metadata(picture));
    std::map<std::string, std::string> texts;
    texts["parameters"] = metadata.parameters;
    if (!metadata.tessera_json.empty()) {
        texts["tessera"] = metadata.tessera_json;
    }
    return texts;
}

Result<Bytes> FarmCatalog::convert(
    ByteView picture, const std::string& format, std::optional<int> quality
) const {
    TESSERA_ASSIGN(const auto image, picture_decoder().decode(picture));
    TESSERA_ASSIGN(const auto metadata, extract_metadata(picture));
    return encode_output(image, {format, quality}, metadata);
}

}  // namespace tessera::cli
