#include "imaging/foreign_json.h"

#include "base/utf8.h"
#include "imaging/bounded_json_internal.h"
#include "imaging/foreign_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMostLoras = 1000;

/// Reads fields of a flat object, and remembers which ones.
class Fields {
  public:
    Fields(const nlohmann::json& object, ForeignParameters& out) : object_(object), out_(out) {}

    [[nodiscard]] std::string text(const char* key) {
        const nlohmann::json& value = take(key);
        return value.is_string() ? value.get<std::string>() : std::string();
    }
    [[nodiscard]] Status real(
        const char* key, double least, double most, std::optional<double>& value
    ) {
        if (const auto text = scalar_text(take(key))) {
            TESSERA_ASSIGN(value, parse_real(key, *text, least, most));
        }
        return {};
    }
    [[nodiscard]] Status whole(const char* key, int least, int most, std::optional<int>& value) {
        if (const auto text = scalar_text(take(key))) {
            TESSERA_ASSIGN(value, parse_whole(key, *text, least, most));
        }
        return {};
    }
    [[nodiscard]] Status seed(const char* key, std::optional<std::uint64_t>& value) {
        if (const auto text = scalar_text(take(key))) {
            TESSERA_ASSIGN(value, parse_seed(key, *text));
        }
        return {};
    }
    const nlohmann::json& take(const char* key) {
        taken_.emplace_back(key);
        return member(object_, key);
    }

    /// Lists all fields that were not taken and are neither harmless nor without effect: null,
    /// false, 0, "", [] and {}.
    void list_the_rest(std::span<const std::string_view> harmless) {
        for (const auto& [key, value] : object_.items()) {
            const std::string_view name = key;
            const auto is_name = [&](std::string_view other) { return other == name; };
            const auto text = scalar_text(value);
            const bool is_idle =
                value.empty() || (text && (text->empty() || *text == "false" || *text == "0"));
            if (is_idle || std::any_of(taken_.begin(), taken_.end(), is_name) ||
                std::any_of(harmless.begin(), harmless.end(), is_name)) {
                continue;
            }
            add_not_honoured(
                out_,
                fmt::format("\"{}: {}\" is not known here", shown(key), shown(text.value_or("...")))
            );
        }
    }

  private:
    const nlohmann::json& object_;
    ForeignParameters& out_;
    std::vector<std::string> taken_;
};

Status read_common(Fields& fields, ForeignParameters& out, const char* cfg) {
    constexpr int kMostSide = kMostForeignSide;
    TESSERA_TRY(fields.whole("steps", 1, kMostForeignSteps, out.steps));
    TESSERA_TRY(fields.whole("width", 1, kMostSide, out.width));
    TESSERA_TRY(fields.whole("height", 1, kMostSide, out.height));
    TESSERA_TRY(fields.seed("seed", out.seed));
    return fields.real(cfg, -kMostForeignCfg, kMostForeignCfg, out.cfg);
}

void note_step_noise(ForeignParameters& out) {
    if (draws_noise_in_steps(out.sampler)) {
        add_not_honoured(
            out,
            fmt::format(
                "sampler {} draws noise in each step, with another generator than here",
                shown(out.sampler)
            )
        );
    }
}

Status read_swarm_loras(Fields& fields, ForeignParameters& out) {
    const nlohmann::json& names = fields.take("loras");
    const nlohmann::json& weights = fields.take("loraweights");
    for (std::size_t at = 0; names.is_array() && at < std::min(names.size(), kMostLoras); ++at) {
        const auto name = scalar_text(names[at]);
        const auto weight =
            weights.is_array() && at < weights.size() ? scalar_text(weights[at]) : std::string("1");
        if (!name || !weight) {
            return fail(ErrorKind::kCorrupt, "SwarmUI's list of LoRAs is damaged");
        }
        TESSERA_ASSIGN(const double strength, parse_real("loraweights", *weight, -1000.0, 1000.0));
        out.loras.push_back({*name, strength, strength});
    }
    return {};
}

/// Invoke's models are objects, with the name under one of two keys.
std::string model_name(const nlohmann::json& model) {
    for (const char* const key : {"name", "model_name"}) {
        if (member(model, key).is_string()) {
            return member(model, key).get<std::string>();
        }
    }
    return {};
}

Status read_invoke_loras(Fields& fields, ForeignParameters& out) {
    const nlohmann::json& loras = fields.take("loras");
    for (std::size_t at = 0; loras.is_array() && at < std::min(loras.size(), kMostLoras); ++at) {
        const auto weight = scalar_text(member(loras[at], "weight"));
        TESSERA_ASSIGN(
            const double strength, parse_real("weight", weight.value_or("1"), -1000.0, 1000.0)
        );
        std::string name = model_name(member(loras[at], "model"));
        name = name.empty() ? model_name(member(loras[at], "lora")) : name;
        out.loras.push_back({std::move(name), strength, strength});
    }
    return {};
}

/// Emphasis of another language than A1111's.
void note_language(ForeignParameters& out, std::string_view marks) {
    const std::string both = out.prompt + out.negative_prompt;
    if (both.find_first_of(marks) != std::string::npos) {
        add_not_honoured(
            out,
            fmt::format(
                "the prompt has one of {} in it, which mean emphasis to {} and something else here",
                marks,
                out.program
            )
        );
    }
}

}  // namespace

Result<ForeignParameters> read_swarmui_parameters(std::string_view text) {
    constexpr std::array<std::string_view, 17> kHarmless{
        "aspectratio",
        "sidelength",
        "nopreviews",
        "wildcardseed",
        "imageformat",
        "images",
        "batchsize",
        "automaticvae",
        "personalnote",
        "original_prompt",
        "original_negativeprompt",
        "swarm_version",
        "date",
        "generation_time",
        "used_wildcards",
        "presets",
        "donotsave"};
    TESSERA_ASSIGN(const auto json, parse_bounded_json("SwarmUI's text", text));
    const nlohmann::json& object = member(json, "sui_image_params");
    if (!object.is_object()) {
        return fail(
            ErrorKind::kUnsupported,
            "the picture's parameters are JSON of a program that is not known here"
        );
    }
    ForeignParameters out;
    Fields fields(object, out);
    out.program = "SwarmUI";
    out.noise = ForeignNoise::kTorchCpu;
    out.prompt = fields.text("prompt");
    out.negative_prompt = fields.text("negativeprompt");
    out.model = fields.text("model");
    out.sampler = fields.text("sampler");
    out.scheduler = fields.text("scheduler");
    if (out.sampler.empty()) {
        out.sampler = "euler";  // SwarmUI's own, which it does not write
        out.scheduler = out.scheduler.empty() ? "normal" : out.scheduler;
    }
    TESSERA_TRY(read_common(fields, out, "cfgscale"));
    std::optional<int> layer;
    TESSERA_TRY(fields.whole("clipstopatlayer", -100, -1, layer));
    if (layer) {
        out.clip_skip = -*layer;
    }
    std::optional<std::uint64_t> variation_seed;
    std::optional<double> variation_strength;
    TESSERA_TRY(fields.seed("variationseed", variation_seed));
    TESSERA_TRY(fields.real("variationseedstrength", 0.0, 1.0, variation_strength));
    if (variation_seed && variation_strength) {
        out.variation = ForeignVariation{*variation_seed, *variation_strength};
    }
    TESSERA_TRY(fields.real("initimagecreativity", 0.0, 1.0, out.denoise));
    out.from_picture = object.contains("initimage") || out.denoise.has_value();
    fields.take("initimage");
    TESSERA_TRY(read_swarm_loras(fields, out));
    if (const std::string vae = fields.text("vae"); !vae.empty() && vae != "None") {
        add_not_honoured(
            out, fmt::format("another VAE than the model's own was used, {}", shown(vae))
        );
    }
    note_step_noise(out);
    fields.list_the_rest(kHarmless);
    return out;
}

Result<ForeignParameters> read_invokeai_parameters(std::string_view text) {
    constexpr std::array<std::string_view, 6> kHarmless{
        "app_version",
        "created_by",
        "positive_style_prompt",
        "negative_style_prompt",
        "canvas_v2_metadata",
        "workflow"};
    TESSERA_ASSIGN(const auto object, parse_bounded_json("InvokeAI's metadata", text));
    ForeignParameters out;
    Fields fields(object, out);
    out.program = "InvokeAI";
    out.prompt = fields.text("positive_prompt");
    out.negative_prompt = fields.text("negative_prompt");
    out.model = model_name(fields.take("model"));
    out.sampler = fields.text("scheduler");
    if (out.sampler.ends_with("_k")) {
        out.sampler.resize(out.sampler.size() - 2);
        out.scheduler = "karras";
    }
    const std::string device = fields.text("rand_device");
    out.noise =
        device == "cpu" || device.empty() ? ForeignNoise::kTorchCpu : ForeignNoise::kTorchCuda;
    TESSERA_TRY(read_common(fields, out, "cfg_scale"));
    TESSERA_TRY(fields.real("cfg_rescale_multiplier", 0.0, 1.0, out.cfg_rescale));
    std::optional<int> skipped;
    TESSERA_TRY(fields.whole("clip_skip", 0, 99, skipped));
    if (skipped) {
        out.clip_skip = *skipped + 1;
    }
    const nlohmann::json& strength = fields.take("strength");
    if (!fields.text("generation_mode").ends_with("txt2img") && !strength.is_null()) {
        out.from_picture = true;
        TESSERA_TRY(fields.real("strength", 0.0, 1.0, out.denoise));
    }
    out.init_picture = fields.text("init_image");
    fields.take("hrf_strength");
    fields.take("hrf_method");
    if (fields.take("hrf_enabled") == true) {
        add_not_honoured(out, "the picture was enlarged and painted over (\"hrf_enabled\")");
    }
    TESSERA_TRY(read_invoke_loras(fields, out));
    if (const auto& vae = fields.take("vae"); vae.is_object()) {
        add_not_honoured(
            out,
            fmt::format("another VAE than the model's own was used, {}", shown(model_name(vae)))
        );
    }
    note_language(out, "+");
    note_step_noise(out);
    fields.list_the_rest(kHarmless);
    return out;
}

Result<ForeignParameters> read_novelai_parameters(
    std::string_view text, std::string_view description
) {
    constexpr std::array<std::string_view, 13> kHarmless{
        "signed_hash",
        "version",
        "hide_debug_overlay",
        "request_type",
        "n_samples",
        "legacy",
        "legacy_v3_extend",
        "legacy_uc",
        "add_original_image",
        "v4_prompt",
        "v4_negative_prompt",
        "controlnet_strength",
        "lora_clip_weights"};
    TESSERA_ASSIGN(const auto object, parse_bounded_json("NovelAI's comment", text));
    ForeignParameters out;
    Fields fields(object, out);
    out.program = "NovelAI";
    out.prompt = fields.text("prompt");
    if (out.prompt.empty() && check_utf8(description)) {
        out.prompt = description;
    }
    out.negative_prompt = fields.text("uc");
    out.sampler = fields.text("sampler");
    out.scheduler = fields.text("noise_schedule");
    TESSERA_TRY(read_common(fields, out, "scale"));
    TESSERA_TRY(fields.real("cfg_rescale", 0.0, 1.0, out.cfg_rescale));
    out.from_picture = fields.text("request_type") == "Img2ImgRequest";
    fields.take("strength");  // written without a picture too
    fields.take("noise");
    if (out.from_picture) {
        TESSERA_TRY(fields.real("strength", 0.0, 1.0, out.denoise));
    }
    if (const auto scale = scalar_text(fields.take("uncond_scale"));
        scale && *scale != "0" && *scale != "1") {
        add_not_honoured(out, fmt::format("\"uncond_scale: {}\" is not known here", shown(*scale)));
    }
    if (!member(member(member(object, "v4_prompt"), "caption"), "char_captions").empty()) {
        add_not_honoured(out, "the characters' own prompts (\"char_captions\")");
    }
    add_not_honoured(out, "NovelAI's models and its starting noise are its own");
    note_language(out, "{}[]");
    fields.list_the_rest(kHarmless);
    return out;
}

}  // namespace tessera
