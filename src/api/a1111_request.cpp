#include "api/a1111_request.h"

#include "api/loose_fields_internal.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <utility>

namespace tessera::api {
namespace {

constexpr int kMaxSide = 1 << 16;
constexpr int kMaxPictures = 10'000;

constexpr std::array<FieldName, 35> kNames{{
    {"count", "batch_size * n_iter"},
    {"prompt", "prompt"},
    {"negative", "negative_prompt"},
    {"negative_prompt", "negative_prompt"},
    {"model", "sd_model_checkpoint"},
    {"style", "styles"},
    {"styles", "styles"},
    {"clip_skip", "CLIP_stop_at_last_layers"},
    {"steps", "steps"},
    {"sampler", "sampler_name"},
    {"schedule", "scheduler"},
    {"cfg", "cfg_scale"},
    {"eta", "eta"},
    {"s_noise", "s_noise"},
    {"seed", "seed"},
    {"rng", "randn_source"},
    {"variation_seed", "subseed"},
    {"variation_strength", "subseed_strength"},
    {"seed_resize", "seed_resize_from_w"},
    {"ensd", "eta_noise_seed_delta"},
    {"size", "width x height"},
    {"hires", "hr_scale"},
    {"hires_steps", "hr_second_pass_steps"},
    {"hires_strength", "denoising_strength"},
    {"upscaler", "hr_upscaler"},
    {"strength", "denoising_strength"},
    {"resize_mode", "resize_mode"},
    {"init", "init_images"},
    {"mask", "mask"},
    {"mask_blur", "mask_blur"},
    {"masked_content", "inpainting_fill"},
    {"only_masked", "inpaint_full_res_padding"},
    {"format", "samples_format"},
    {"scale", "upscaling_resize"},
    {"client_tag", "force_task_id"},
}};

tl::unexpected<ApiFault> unsupported(const std::string& name, std::string_view mend) {
    return refuse(name, ErrorKind::kUnsupported, "{} is not supported here{}", name, mend);
}

bool is_nothing(const Json* value) {
    return value == nullptr || *value == "" || *value == "None" || *value == false ||
           (value->is_structured() && value->empty());
}

/// A script that is there and switched off: no arguments, or all of them off.
bool is_off(const Json& script) {
    const auto arguments = script.is_object() ? script.find("args") : script.end();
    if (arguments == script.end() || !arguments->is_array()) {
        return false;
    }
    return std::ranges::all_of(*arguments, [](const Json& argument) {
        return argument == false || argument.is_null() ||
               (argument.is_object() && argument.value("enabled", Json()) == false);
    });
}

Checked<void> check_scripts(const LooseFields& fields) {
    if (!is_nothing(fields.find("script_name"))) {
        return unsupported("script_name", "; there are no scripts");
    }
    const Json* scripts = fields.find("alwayson_scripts");
    if (scripts == nullptr) {
        return {};
    }
    if (!scripts->is_object()) {
        return refuse(
            "alwayson_scripts", ErrorKind::kInvalidArgument, "alwayson_scripts must be an object"
        );
    }
    for (const auto& [name, script] : scripts->items()) {
        if (!is_off(script)) {
            return refuse(
                "alwayson_scripts",
                ErrorKind::kUnsupported,
                "alwayson_scripts: there is no script \"{:.60}\" here",
                name
            );
        }
    }
    return {};
}

/// What would change the picture and is not done here.
Checked<void> check_unsupported(const LooseFields& fields) {
    TESSERA_ASSIGN(const auto faces, fields.flag("restore_faces"));
    if (faces.value_or(false)) {
        return unsupported(
            "restore_faces",
            "; there is no network for faces. \"restore\": true repairs the whole picture from "
            "noise, blur and JPEG damage"
        );
    }
    TESSERA_ASSIGN(const auto tiling, fields.flag("tiling"));
    if (tiling.value_or(false)) {
        return unsupported("tiling", "");
    }
    for (const char* name : {"refiner_checkpoint", "firstpass_image", "infotext", "latent_mask"}) {
        if (!is_nothing(fields.find(name))) {
            return unsupported(name, "");
        }
    }
    for (const char* name : {"s_churn", "s_min_uncond"}) {
        TESSERA_ASSIGN(const auto value, fields.real(name));
        if (value.value_or(0.0) != 0.0) {
            return unsupported(name, "; leave it at 0");
        }
    }
    TESSERA_ASSIGN(const auto multiplier, fields.real("initial_noise_multiplier"));
    if (multiplier.value_or(1.0) != 1.0) {
        return unsupported("initial_noise_multiplier", "; leave it at 1");
    }
    return check_scripts(fields);
}

Checked<void> read_words(const LooseFields& fields, RenderSettings& render) {
    TESSERA_ASSIGN(auto prompt, fields.text("prompt"));
    render.prompt = std::move(prompt).value_or("");
    TESSERA_ASSIGN(auto negative, fields.text("negative_prompt"));
    render.negative_prompt = std::move(negative).value_or("");
    TESSERA_ASSIGN(render.styles, fields.texts("styles"));
    TESSERA_ASSIGN(const auto plain, fields.flag("disable_extra_networks"));
    if (plain.value_or(false) && render.prompt.find('<') != std::string::npos) {
        return unsupported("disable_extra_networks", "; leave the tags out of the prompt");
    }
    return {};
}

/// "DPM++ 2M SDE Karras", "k_euler_a", "sample_dpm_2_ancestral": by a word of the name. Diffusers'
/// class names are one word each, and but for DDIM's those take none.
bool takes_eta(std::string_view sampler) {
    const auto is_inner = [](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0;
    };
    std::string word;
    const auto tells = [&word] {
        return word == "a" || word == "ancestral" || word == "sde" || word.starts_with("ddim");
    };
    for (const char letter : sampler) {
        if (is_inner(letter)) {
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        } else if (tells()) {
            return true;
        } else {
            word.clear();
        }
    }
    return tells();
}

/// Clients send an eta of 0 always, also for samplers that have no such setting.
void settle_eta(const std::vector<ModelEntry>& models, RenderSettings& render) {
    const auto model = std::ranges::find_if(models, [&render](const ModelEntry& entry) {
        return render.model.empty() ? entry.is_default : entry.name == render.model;
    });
    const std::string& usual = model == models.end() ? render.sampler : model->sampler;
    if (render.eta == 0.0 && !takes_eta(render.sampler.empty() ? usual : render.sampler)) {
        render.eta.reset();
    }
}

Checked<void> read_sampling(const LooseFields& fields, RenderSettings& render) {
    TESSERA_ASSIGN(const auto steps, fields.whole("steps", 1, kMaxPictures));
    render.steps = steps.value_or(50);
    TESSERA_ASSIGN(const auto cfg, fields.real("cfg_scale"));
    render.cfg = cfg.value_or(7.0);
    TESSERA_ASSIGN(auto sampler, fields.text(fields.first_of({"sampler_name", "sampler_index"})));
    render.sampler = std::move(sampler).value_or("");
    TESSERA_ASSIGN(auto schedule, fields.text("scheduler"));
    render.schedule = std::move(schedule).value_or("");
    if (render.schedule == "Automatic" || render.schedule == "automatic") {
        render.schedule.clear();
    }
    TESSERA_ASSIGN(render.eta, fields.real("eta"));
    TESSERA_ASSIGN(render.s_noise, fields.real("s_noise"));
    if (render.s_noise == 1.0) {
        render.s_noise.reset();  // what every sampler does, also those that have no such setting
    }
    TESSERA_ASSIGN(const auto restore, fields.flag("restore"));
    render.restore = restore.value_or(false);
    return {};
}

Checked<void> read_seeds(const LooseFields& fields, RenderSettings& render) {
    TESSERA_ASSIGN(auto seed, fields.seed("seed"));
    render.seed = std::move(seed).value_or("-1");
    TESSERA_ASSIGN(const auto strength, fields.real("subseed_strength", 0.0, 1.0));
    if (strength.value_or(0.0) > 0.0) {
        render.variation_strength = strength;
        TESSERA_ASSIGN(auto subseed, fields.seed("subseed"));
        render.variation_seed = std::move(subseed).value_or("-1");
    }
    TESSERA_ASSIGN(const auto width, fields.whole("seed_resize_from_w", -1, kMaxSide));
    TESSERA_ASSIGN(const auto height, fields.whole("seed_resize_from_h", -1, kMaxSide));
    if (width.value_or(0) > 0 && height.value_or(0) > 0) {
        render.seed_resize = fmt::format("{}x{}", *width, *height);
    }
    return {};
}

Checked<void> read_size_and_count(const LooseFields& fields, A1111Request& request) {
    TESSERA_ASSIGN(const auto width, fields.whole("width", 1, kMaxSide));
    TESSERA_ASSIGN(const auto height, fields.whole("height", 1, kMaxSide));
    request.spec.render.size = fmt::format("{}x{}", width.value_or(512), height.value_or(512));
    TESSERA_ASSIGN(const auto batch_size, fields.whole("batch_size", 1, kMaxPictures));
    TESSERA_ASSIGN(const auto rounds, fields.whole("n_iter", 1, kMaxPictures));
    request.batch_size = batch_size.value_or(1);
    const std::int64_t count = std::int64_t{request.batch_size} * rounds.value_or(1);
    if (count > kMaxPictures) {
        return refuse(
            "batch_size",
            ErrorKind::kInvalidArgument,
            "batch_size * n_iter is {}, {} are allowed",
            count,
            kMaxPictures
        );
    }
    request.spec.count = static_cast<int>(count);
    return {};
}

/// Names that stand for "as in the first pass".
bool is_same(const std::string& value) {
    return value.empty() || value == "None" || value == "Automatic" ||
           value.starts_with("Use same");
}

Checked<void> check_second_pass(const LooseFields& fields, const RenderSettings& render) {
    for (const char* name : {"hr_checkpoint_name", "hr_sampler_name", "hr_scheduler"}) {
        TESSERA_ASSIGN(const auto value, fields.text(name));
        const bool is_first = value == render.sampler || value == render.schedule;
        if (value && !is_same(*value) && !is_first) {
            return unsupported(name, "; the second pass is done as the first");
        }
    }
    TESSERA_ASSIGN(const auto prompt, fields.text("hr_prompt"));
    TESSERA_ASSIGN(const auto negative, fields.text("hr_negative_prompt"));
    if (prompt && !prompt->empty() && *prompt != render.prompt) {
        return unsupported("hr_prompt", "; the second pass has the prompt of the first");
    }
    if (negative && !negative->empty() && *negative != render.negative_prompt) {
        return unsupported("hr_negative_prompt", "; the second pass has the one of the first");
    }
    return {};
}

/// "Hires. fix".
Checked<void> read_second_pass(const LooseFields& fields, double strength, RenderSettings& render) {
    TESSERA_ASSIGN(const auto is_on, fields.flag("enable_hr"));
    if (!is_on.value_or(false)) {
        return {};
    }
    TESSERA_TRY(check_second_pass(fields, render));
    TESSERA_ASSIGN(auto upscaler, fields.text("hr_upscaler"));
    render.upscaler = std::move(upscaler).value_or("");
    if (render.upscaler.starts_with("Latent")) {
        return refuse(
            "hr_upscaler",
            ErrorKind::kUnsupported,
            "hr_upscaler \"{:.40}\" is not supported here: latents are not enlarged, pictures are; "
            "see GET /sdapi/v1/upscalers",
            render.upscaler
        );
    }
    if (render.upscaler == "None") {
        render.upscaler.clear();
    }
    TESSERA_ASSIGN(
        const auto steps,
        fields.whole(fields.first_of({"hr_second_pass_steps", "hr_steps"}), 0, 10'000)
    );
    if (steps.value_or(0) > 0) {
        render.hires_steps = steps;
    }
    render.hires_strength = strength;
    TESSERA_ASSIGN(const auto first_width, fields.whole("firstphase_width", 0, kMaxSide));
    TESSERA_ASSIGN(const auto first_height, fields.whole("firstphase_height", 0, kMaxSide));
    if (first_width.value_or(0) > 0 && first_height.value_or(0) > 0) {
        render.hires =
            std::exchange(render.size, fmt::format("{}x{}", *first_width, *first_height));
        return {};
    }
    TESSERA_ASSIGN(const auto width, fields.whole("hr_resize_x", 0, kMaxSide));
    TESSERA_ASSIGN(const auto height, fields.whole("hr_resize_y", 0, kMaxSide));
    if (width.value_or(0) > 0 && height.value_or(0) > 0) {
        render.hires = fmt::format("{}x{}", *width, *height);
        return {};
    }
    if (width.value_or(0) > 0 || height.value_or(0) > 0) {
        return refuse(
            width.value_or(0) > 0 ? "hr_resize_y" : "hr_resize_x",
            ErrorKind::kUnsupported,
            "hr_resize_x and hr_resize_y must both be given here, or neither"
        );
    }
    TESSERA_ASSIGN(const auto scale, fields.real("hr_scale", 1.0, 16.0));
    render.hires = fmt::format("{}", scale.value_or(2.0));
    return {};
}

Checked<void> read_mask(const LooseFields& fields, A1111Request& request) {
    RenderSettings& render = request.spec.render;
    TESSERA_ASSIGN(request.mask, fields.picture("mask"));
    if (!request.mask) {
        return {};
    }
    TESSERA_ASSIGN(const auto invert, fields.flag("inpainting_mask_invert"));
    render.mask_invert = invert.value_or(false);
    TESSERA_ASSIGN(const auto blur, fields.real("mask_blur", 0.0, 256.0));
    TESSERA_ASSIGN(const auto blur_x, fields.real("mask_blur_x", 0.0, 256.0));
    TESSERA_ASSIGN(const auto blur_y, fields.real("mask_blur_y", 0.0, 256.0));
    const double usual = blur.value_or(4.0);
    // A1111 takes mask_blur for both where it is given.
    const double wide = blur ? *blur : blur_x.value_or(usual);
    if (wide != (blur ? *blur : blur_y.value_or(usual))) {
        return unsupported("mask_blur_y", " when it differs from mask_blur_x");
    }
    render.mask_blur = wide;
    constexpr std::array<std::string_view, 4> kFills{
        "fill", "original", "latent-noise", "latent-nothing"};
    TESSERA_ASSIGN(const auto fill, fields.whole("inpainting_fill", 0, 3));
    render.masked_content = kFills.at(static_cast<std::size_t>(fill.value_or(0)));
    TESSERA_ASSIGN(const auto only_masked, fields.flag("inpaint_full_res"));
    TESSERA_ASSIGN(const auto padding, fields.whole("inpaint_full_res_padding", 0, 4096));
    if (only_masked.value_or(true)) {
        render.only_masked = padding.value_or(0);
    }
    return {};
}

Checked<void> read_pictures(const LooseFields& fields, A1111Request& request) {
    const Json* pictures = fields.find("init_images");
    if (pictures == nullptr || (pictures->is_array() && pictures->empty())) {
        return refuse("init_images", ErrorKind::kInvalidArgument, "init_images is missing");
    }
    if (!pictures->is_array() || !pictures->front().is_string()) {
        return refuse(
            "init_images",
            ErrorKind::kInvalidArgument,
            "init_images must be a list of pictures in base 64"
        );
    }
    if (pictures->size() > 1) {
        return unsupported("init_images", " with more than one picture");
    }
    const auto& text = pictures->front().get_ref<const std::string&>();
    TESSERA_ASSIGN(request.init, picture_from("init_images[0]", text));
    constexpr std::array<std::string_view, 3> kModes{"stretch", "crop", "pad"};
    TESSERA_ASSIGN(const auto mode, fields.whole("resize_mode", 0, 3));
    if (mode == 3) {
        return unsupported("resize_mode 3", "; latents are not enlarged, pictures are");
    }
    request.spec.render.resize_mode = kModes.at(static_cast<std::size_t>(mode.value_or(0)));
    return read_mask(fields, request);
}

Checked<A1111Options> read_options(
    const LooseFields& fields,
    const A1111Options& options,
    const std::vector<ModelEntry>& models,
    A1111Request& request
) {
    const Json* overrides = fields.find("override_settings");
    if (overrides == nullptr) {
        return options;
    }
    TESSERA_ASSIGN(
        auto changed, changed_options(options, overrides->dump(), "override_settings", models)
    );
    TESSERA_ASSIGN(const auto restores, fields.flag("override_settings_restore_afterwards"));
    if (!restores.value_or(true)) {
        request.kept_options = changed;
    }
    return changed;
}

/// What A1111 says the request was: its defaults, and what the client sent over them.
std::string repeated(A1111Call call, const Json& body) {
    Json all = {
        {"prompt", ""},
        {"negative_prompt", ""},
        {"styles", Json()},
        {"seed", -1},
        {"subseed", -1},
        {"subseed_strength", 0},
        {"seed_resize_from_h", -1},
        {"seed_resize_from_w", -1},
        {"sampler_name", Json()},
        {"scheduler", Json()},
        {"batch_size", 1},
        {"n_iter", 1},
        {"steps", 50},
        {"cfg_scale", 7.0},
        {"width", 512},
        {"height", 512},
        {"restore_faces", Json()},
        {"tiling", Json()},
        {"do_not_save_samples", false},
        {"do_not_save_grid", false},
        {"eta", Json()},
        {"denoising_strength", call == A1111Call::kImg2img ? Json(0.75) : Json()},
        {"override_settings", Json()},
        {"override_settings_restore_afterwards", true},
        {"script_name", Json()},
        {"script_args", Json::array()},
        {"send_images", true},
        {"save_images", false},
        {"alwayson_scripts", Json::object()},
    };
    if (call == A1111Call::kImg2img) {
        all.update({
            {"resize_mode", 0},
            {"image_cfg_scale", Json()},
            {"mask_blur", Json()},
            {"mask_blur_x", 4},
            {"mask_blur_y", 4},
            {"inpainting_fill", 0},
            {"inpaint_full_res", true},
            {"inpaint_full_res_padding", 0},
            {"inpainting_mask_invert", 0},
            {"include_init_images", false},
        });
    } else {
        all.update({
            {"enable_hr", false},
            {"firstphase_width", 0},
            {"firstphase_height", 0},
            {"hr_scale", 2.0},
            {"hr_upscaler", Json()},
            {"hr_second_pass_steps", 0},
            {"hr_resize_x", 0},
            {"hr_resize_y", 0},
        });
    }
    const bool with_pictures = body.value("include_init_images", Json()) == true;
    for (const auto& [name, value] : body.items()) {
        const bool is_picture = name == "init_images" || name == "mask";
        all[name] = is_picture && !with_pictures ? Json() : value;
    }
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Checked<A1111Request> parse_a1111_request(
    A1111Call call,
    std::string_view body,
    const A1111Options& options,
    const std::vector<ModelEntry>& models
) {
    TESSERA_ASSIGN(const auto json, parse_loose_body(body));
    const LooseFields fields(json);
    A1111Request request;
    JobSpec& spec = request.spec;
    TESSERA_TRY(check_unsupported(fields));
    TESSERA_ASSIGN(const auto effective, read_options(fields, options, models, request));
    apply_options(effective, spec);
    TESSERA_TRY(read_words(fields, spec.render));
    TESSERA_TRY(read_sampling(fields, spec.render));
    settle_eta(models, spec.render);
    TESSERA_TRY(read_seeds(fields, spec.render));
    TESSERA_TRY(read_size_and_count(fields, request));
    TESSERA_ASSIGN(const auto strength, fields.real("denoising_strength", 0.0, 1.0));
    if (call == A1111Call::kImg2img) {
        spec.render.strength = strength.value_or(0.75);
        TESSERA_TRY(read_pictures(fields, request));
    } else {
        TESSERA_TRY(read_second_pass(fields, strength.value_or(0.75), spec.render));
    }
    TESSERA_ASSIGN(const auto send, fields.flag("send_images"));
    request.send_images = send.value_or(true);
    TESSERA_ASSIGN(auto task, fields.text("force_task_id"));
    spec.client_tag = std::move(task).value_or("");
    request.parameters = repeated(call, json);
    return request;
}

std::span<const FieldName> a1111_names() {
    return kNames;
}

}  // namespace tessera::api
