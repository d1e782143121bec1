#include "api/a1111_options.h"

#include "api/loose_fields_internal.h"
#include "base/similar_name.h"
#include "http/message.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::size_t kShortHash = 10;

/// Settings that would change pictures and are not done here, with the values that change nothing.
struct UnsupportedOption {
    std::string_view name;
    std::array<std::string_view, 4> harmless;
};

constexpr std::array<UnsupportedOption, 9> kUnsupported{{
    {"sd_vae", {"Automatic", "None", "automatic", ""}},
    {"sd_unet", {"Automatic", "None", "", ""}},
    {"sd_hypernetwork", {"None", "", "", ""}},
    {"forge_additional_modules", {"[]", "", "", ""}},
    {"img2img_color_correction", {"false", "", "", ""}},
    {"initial_noise_multiplier", {"1", "1.0", "", ""}},
    {"token_merging_ratio", {"0", "0.0", "", ""}},
    {"img2img_extra_noise", {"0", "0.0", "", ""}},
    {"tiling", {"false", "", "", ""}},
}};

Status check_unsupported(const LooseFields& fields) {
    for (const UnsupportedOption& option : kUnsupported) {
        const Json* value = fields.find(std::string(option.name));
        if (value == nullptr) {
            continue;
        }
        const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
        if (std::ranges::find(option.harmless, text) == option.harmless.end()) {
            return fail(
                ErrorKind::kUnsupported,
                "{} is not supported here; leave it at {}",
                option.name,
                option.harmless.front()
            );
        }
    }
    return {};
}

Checked<A1111Options> change(
    A1111Options options, const LooseFields& fields, const std::vector<ModelEntry>& models
) {
    TESSERA_TRY(check_unsupported(fields));
    TESSERA_ASSIGN(const auto model, fields.text("sd_model_checkpoint"));
    if (model) {
        TESSERA_ASSIGN(const auto* found, find_model(models, "sd_model_checkpoint", *model));
        options.model = found == nullptr ? "" : found->name;
    }
    TESSERA_ASSIGN(const auto clip_skip, fields.whole("CLIP_stop_at_last_layers", 1, 12));
    options.clip_skip = clip_skip.value_or(options.clip_skip);
    TESSERA_ASSIGN(
        const auto format, fields.choice("samples_format", {"png", "jpg", "jpeg", "webp"})
    );
    if (format) {
        options.format = *format == "jpg" ? "jpeg" : *format;
    }
    TESSERA_ASSIGN(const auto quality, fields.whole("jpeg_quality", 1, 100));
    options.quality = quality.value_or(options.quality);
    TESSERA_ASSIGN(const auto offset, fields.whole("eta_noise_seed_delta"));
    if (offset) {
        if (*offset < 0) {
            return refuse(
                "eta_noise_seed_delta",
                ErrorKind::kUnsupported,
                "eta_noise_seed_delta {} is not possible; take 0 or more",
                *offset
            );
        }
        options.later_seed_offset = static_cast<std::uint64_t>(*offset);
    }
    TESSERA_ASSIGN(const auto source, fields.choice("randn_source", {"CPU", "GPU", "NV"}));
    if (source) {
        options.rng = *source == "CPU" ? "cpu" : "cuda";
    }
    return options;
}

}  // namespace

Checked<A1111Options> changed_options(
    A1111Options options,
    std::string_view object,
    const std::string& field,
    const std::vector<ModelEntry>& models
) {
    auto changed = parse_loose_body(object).and_then([&](const Json& json) {
        return change(std::move(options), LooseFields(json), models);
    });
    if (!changed && !field.empty()) {
        ApiFault fault = std::move(changed).error();
        fault.error = within(field, std::move(fault.error)).value();
        fault.field = field;
        return tl::unexpected(std::move(fault));
    }
    return changed;
}

std::string options_json(const A1111Options& options, const std::vector<ModelEntry>& models) {
    const auto model = find_model(models, "", options.model);
    const bool is_known = model && *model != nullptr;
    return nlohmann::ordered_json{
        {"samples_format", options.format == "jpeg" ? "jpg" : options.format},
        {"jpeg_quality", options.quality},
        {"sd_model_checkpoint", is_known ? Json(model_title(**model)) : Json()},
        {"sd_checkpoint_hash", is_known ? Json((*model)->hash) : Json()},
        {"sd_vae", "Automatic"},
        {"CLIP_stop_at_last_layers", options.clip_skip},
        {"eta_noise_seed_delta", options.later_seed_offset},
        {"randn_source", options.rng == "cpu" ? "CPU" : "NV"},
        {"enable_pnginfo", true},
        {"save_txt", false},
        {"return_grid", false},
        {"grid_save", false},
        {"show_progress_every_n_steps", 1},
        {"live_previews_enable", true},
    }
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

void apply_options(const A1111Options& options, JobSpec& spec) {
    RenderSettings& render = spec.render;
    render.model = options.model;
    if (options.clip_skip > 1) {
        render.clip_skip = options.clip_skip;
    }
    render.later_seed_offset = options.later_seed_offset;
    render.rng = options.rng;
    spec.output.format = options.format;
    spec.output.quality.reset();
    if (options.format != "png") {
        spec.output.quality = options.quality;
    }
}

std::string short_hash(const ModelEntry& model) {
    return model.hash.substr(0, kShortHash);
}

std::string model_title(const ModelEntry& model) {
    return model.hash.empty() ? model.name : fmt::format("{} [{}]", model.name, short_hash(model));
}

Checked<const ModelEntry*> find_model(
    const std::vector<ModelEntry>& models, const std::string& field, const std::string& name
) {
    const auto is_it = [&name](const ModelEntry& model) {
        return name.empty()
                   ? model.is_default
                   : name == model.name || name == model_title(model) ||
                         name == model.name + ".safetensors" ||
                         (!model.hash.empty() && (name == model.hash || name == short_hash(model)));
    };
    const auto found = std::ranges::find_if(models, is_it);
    if (found != models.end()) {
        return &*found;
    }
    if (name.empty()) {
        return nullptr;
    }
    std::vector<std::string_view> names;
    for (const ModelEntry& model : models) {
        names.push_back(model.name);
    }
    const auto near = most_similar(name, names);
    return refuse(
        field,
        ErrorKind::kNotFound,
        "there is no model \"{:.100}\"{}",
        name,
        near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near)
    );
}

}  // namespace tessera::api
