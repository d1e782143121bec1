#include "api/openai_request.h"

#include "api/loose_fields_internal.h"
#include "base/utf8.h"
#include "http/multipart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tessera::api {
namespace {

constexpr int kMaxPictures = 10;
constexpr int kMaxPartialImages = 3;
constexpr double kEditStrength = 0.75;
constexpr double kFaithfulStrength = 0.5;  // input_fidelity "high"
constexpr double kVariationStrength = 0.6;

constexpr std::array<FieldName, 22> kNames{{
    {"count", "n"},
    {"prompt", "prompt"},
    {"negative", "negative_prompt"},
    {"negative_prompt", "negative_prompt"},
    {"model", "model"},
    {"size", "size"},
    {"steps", "num_inference_steps"},
    {"cfg", "guidance_scale"},
    {"sampler", "sampler"},
    {"schedule", "scheduler"},
    {"seed", "seed"},
    {"style", "styles"},
    {"styles", "styles"},
    {"strength", "strength"},
    {"clip_skip", "clip_skip"},
    {"init", "image"},
    {"mask", "mask"},
    {"format", "output_format"},
    {"quality", "output_compression"},
    {"idempotency_key", "Idempotency-Key"},
    {"hires", "size"},
    {"exact_size", "size"},
}};

/// Programs put these into the prompt where their client lets them send nothing else:
/// <sd_cpp_extra_args>{"steps":8}</sd_cpp_extra_args>. The request's own fields win.
Status take_extra_arguments(Json& body) {
    constexpr std::string_view kBegin = "<sd_cpp_extra_args>";
    constexpr std::string_view kEnd = "</sd_cpp_extra_args>";
    const auto prompt = body.find("prompt");
    if (prompt == body.end() || !prompt->is_string()) {
        return {};
    }
    auto& text = prompt->get_ref<std::string&>();
    const auto begin = text.find(kBegin);
    const auto end = begin == std::string::npos ? begin : text.find(kEnd, begin);
    if (end == std::string::npos) {
        return {};
    }
    const auto inner =
        std::string_view(text).substr(begin + kBegin.size(), end - begin - kBegin.size());
    auto arguments = parse_loose_body(inner);
    if (!arguments) {
        return within("prompt: sd_cpp_extra_args", std::move(arguments).error().error);
    }
    text.erase(begin, end + kEnd.size() - begin);
    for (auto& [name, value] : arguments->items()) {
        if (name != "prompt" && !body.contains(name)) {
            body[name] = std::move(value);
        }
    }
    return {};
}

template <class T>
void put(std::optional<T>& target, std::optional<T> value) {
    if (value) {
        target = std::move(value);
    }
}

Checked<void> read_prompt(const LooseFields& fields, OpenAiRequest& request) {
    TESSERA_ASSIGN(auto prompt, fields.text("prompt"));
    if (!prompt || prompt->empty()) {
        return refuse("prompt", ErrorKind::kInvalidArgument, "prompt is missing");
    }
    request.spec.render.prompt = *std::move(prompt);
    return {};
}

Checked<void> read_format(const LooseFields& fields, OpenAiRequest& request) {
    OutputSettings& output = request.spec.output;
    TESSERA_ASSIGN(auto format, fields.choice("output_format", {"png", "jpeg", "webp"}));
    output.format = std::move(format).value_or("png");
    TESSERA_ASSIGN(const auto compression, fields.whole("output_compression", 0, 100));
    if (compression && output.format == "png") {
        if (*compression != 100) {
            return refuse(
                "output_compression",
                ErrorKind::kInvalidArgument,
                "output_compression is for output_format jpeg and webp; a PNG is always whole"
            );
        }
    } else if (compression) {
        output.quality = std::max(1, *compression);
    }
    TESSERA_ASSIGN(const auto form, fields.choice("response_format", {"url", "b64_json"}));
    const bool is_dall_e = request.spec.render.model.starts_with("dall-e");
    request.wants_url = form ? *form == "url" : is_dall_e;
    TESSERA_ASSIGN(const auto stream, fields.flag("stream"));
    request.stream = stream.value_or(false);
    TESSERA_ASSIGN(const auto partial, fields.whole("partial_images", 0, kMaxPartialImages));
    request.partial_images = partial.value_or(0);
    if (request.partial_images > 0 && !request.stream) {
        return refuse(
            "partial_images",
            ErrorKind::kInvalidArgument,
            "partial_images are sent in a stream only; add stream: true"
        );
    }
    return {};
}

Checked<void> read_looks(const LooseFields& fields, OpenAiRequest& request) {
    TESSERA_ASSIGN(
        auto quality, fields.choice("quality", {"auto", "standard", "hd", "low", "medium", "high"})
    );
    request.quality = std::move(quality).value_or("auto");
    if (request.quality == "low") {
        request.steps_factor = 0.5;
    } else if (request.quality == "high" || request.quality == "hd") {
        request.steps_factor = 1.5;
    }
    TESSERA_TRY(fields.choice("style", {"vivid", "natural"}));
    TESSERA_TRY(fields.choice("moderation", {"low", "auto"}));
    TESSERA_ASSIGN(auto background, fields.choice("background", {"transparent", "opaque", "auto"}));
    request.background = std::move(background).value_or("auto");
    if (request.background == "transparent") {
        return refuse(
            "background",
            ErrorKind::kUnsupported,
            "background: transparent is not possible; the models here paint whole pictures. Take "
            "opaque or auto"
        );
    }
    return {};
}

/// What other servers of this API take beside OpenAI's fields.
Checked<void> read_extensions(const LooseFields& fields, RenderSettings& render) {
    TESSERA_ASSIGN(auto negative, fields.text("negative_prompt"));
    render.negative_prompt = std::move(negative).value_or("");
    TESSERA_ASSIGN(auto seed, fields.seed(fields.first_of({"seed", "rng_seed"})));
    render.seed = std::move(seed).value_or("-1");
    TESSERA_ASSIGN(
        const auto steps,
        fields.whole(fields.first_of({"num_inference_steps", "steps", "step"}), 1, 10'000)
    );
    put(render.steps, steps);
    TESSERA_ASSIGN(
        const auto cfg,
        fields.real(fields.first_of({"guidance_scale", "cfg_scale", "true_cfg_scale"}))
    );
    put(render.cfg, cfg);
    TESSERA_ASSIGN(auto sampler, fields.text(fields.first_of({"sampler", "sampler_name"})));
    render.sampler = std::move(sampler).value_or("");
    TESSERA_ASSIGN(auto schedule, fields.text("scheduler"));
    render.schedule = std::move(schedule).value_or("");
    TESSERA_ASSIGN(const auto clip_skip, fields.whole("clip_skip", 1, 100));
    put(render.clip_skip, clip_skip);
    TESSERA_ASSIGN(render.styles, fields.texts("styles"));
    for (const char* name : {"prompt_2", "prompt_3", "lora_alphas", "loras"}) {
        const Json* value = fields.find(name);
        if (value != nullptr && !value->empty() && *value != "") {
            return refuse(name, ErrorKind::kUnsupported, "{} is not supported here", name);
        }
    }
    return {};
}

Checked<OpenAiRequest> read_common(const LooseFields& fields) {
    OpenAiRequest request;
    RenderSettings& render = request.spec.render;
    TESSERA_ASSIGN(auto model, fields.text("model"));
    render.model = std::move(model).value_or("");
    TESSERA_ASSIGN(const auto count, fields.whole("n", 1, kMaxPictures));
    request.spec.count = count.value_or(1);
    TESSERA_ASSIGN(auto size, fields.text("size"));
    render.size = size && *size != "auto" ? *std::move(size) : "";
    TESSERA_TRY(read_looks(fields, request));
    TESSERA_TRY(read_format(fields, request));
    TESSERA_TRY(read_extensions(fields, render));
    return request;
}

Checked<double> read_strength(const LooseFields& fields, double usual) {
    TESSERA_ASSIGN(const auto strength, fields.real("strength", 0.0, 1.0));
    return strength.value_or(usual);
}

// --- what a form or a JSON body holds

struct Body {
    Json fields = Json::object();  ///< texts of a form as they are
    std::vector<GivenPicture> images;
    std::optional<GivenPicture> mask;
};

Checked<Body> read_form(std::string_view content_type, std::string_view text) {
    TESSERA_ASSIGN(const auto parts, http::parse_multipart(content_type, text));
    Body body;
    constexpr std::size_t kShownName = 60;
    for (const http::FormPart& part : parts) {
        const std::string shown = part.name.substr(0, kShownName);
        if (part.name == "image" || part.name == "image[]") {
            body.images.push_back({part.data, {}});
        } else if (part.name == "mask") {
            if (body.mask) {
                return refuse("mask", ErrorKind::kInvalidArgument, "mask is there twice");
            }
            body.mask = GivenPicture{part.data, {}};
        } else if (body.fields.contains(part.name)) {
            return refuse(shown, ErrorKind::kInvalidArgument, "{} is there twice", shown);
        } else if (!check_utf8(part.data)) {
            return refuse(shown, ErrorKind::kInvalidArgument, "{} is not UTF-8", shown);
        } else {
            body.fields[part.name] = part.data;
        }
    }
    return body;
}

/// {"image_url": "data:…"}, or the text alone; `name` as in "images[0]".
Checked<GivenPicture> read_reference(const std::string& name, const Json& value) {
    if (value.is_string()) {
        TESSERA_ASSIGN(auto bytes, picture_from(name, value.get_ref<const std::string&>()));
        return GivenPicture{{}, std::move(bytes)};
    }
    if (!value.is_object()) {
        return refuse(name, ErrorKind::kInvalidArgument, "{} must hold an image_url", name);
    }
    if (value.contains("file_id")) {
        return refuse(
            name + ".file_id",
            ErrorKind::kUnsupported,
            "{}.file_id: there are no files here; send the picture as image_url with a data: URL",
            name
        );
    }
    const auto url = value.find("image_url");
    if (url == value.end() || !url->is_string()) {
        return refuse(name, ErrorKind::kInvalidArgument, "{} must hold an image_url", name);
    }
    TESSERA_ASSIGN(
        auto bytes, picture_from(name + ".image_url", url->get_ref<const std::string&>())
    );
    return GivenPicture{{}, std::move(bytes)};
}

Checked<Body> read_json(std::string_view text) {
    Body body;
    TESSERA_ASSIGN(body.fields, parse_loose_body(text));
    const auto take = [&body](const char* name) {
        const auto at = body.fields.find(name);
        Json value = at == body.fields.end() ? Json() : std::move(*at);
        if (at != body.fields.end()) {
            body.fields.erase(at);
        }
        return value;
    };
    for (const char* name : {"images", "image"}) {
        Json list = take(name);
        if (!list.is_array()) {
            list = list.is_null() ? Json::array() : Json::array({std::move(list)});
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            TESSERA_ASSIGN(auto picture, read_reference(fmt::format("{}[{}]", name, i), list[i]));
            body.images.push_back(std::move(picture));
        }
    }
    if (const Json mask = take("mask"); !mask.is_null()) {
        TESSERA_ASSIGN(auto picture, read_reference("mask", mask));
        body.mask = std::move(picture);
    }
    return body;
}

Checked<Body> read_body(std::string_view content_type, std::string_view text) {
    if (http::is_multipart(content_type)) {
        return read_form(content_type, text);
    }
    return read_json(text);
}

Checked<OpenAiEdit> read_edit(Body body) {
    OpenAiEdit edit;
    TESSERA_ASSIGN(edit.request, read_common(LooseFields(body.fields)));
    if (body.images.empty()) {
        return refuse("image", ErrorKind::kInvalidArgument, "image is missing");
    }
    if (body.images.size() > 1) {
        return refuse(
            "image",
            ErrorKind::kUnsupported,
            "image: {} pictures were sent, and the models here begin with one",
            body.images.size()
        );
    }
    edit.image = std::move(body.images.front());
    edit.mask = std::move(body.mask);
    if (edit.image.bytes().empty()) {
        return refuse("image", ErrorKind::kInvalidArgument, "image is empty");
    }
    return edit;
}

}  // namespace

Checked<OpenAiRequest> parse_openai_generation(std::string_view body) {
    TESSERA_ASSIGN(auto json, parse_loose_body(body));
    TESSERA_TRY(take_extra_arguments(json));
    const LooseFields fields(json);
    TESSERA_ASSIGN(auto request, read_common(fields));
    TESSERA_TRY(read_prompt(fields, request));
    return request;
}

Checked<OpenAiEdit> parse_openai_edit(std::string_view content_type, std::string_view text) {
    TESSERA_ASSIGN(auto body, read_body(content_type, text));
    TESSERA_TRY(take_extra_arguments(body.fields));
    const Json json = body.fields;
    const LooseFields fields(json);
    TESSERA_ASSIGN(auto edit, read_edit(std::move(body)));
    TESSERA_TRY(read_prompt(fields, edit.request));
    TESSERA_ASSIGN(const auto fidelity, fields.choice("input_fidelity", {"high", "low"}));
    edit.has_strength = fields.has("strength");
    const double whole_picture = fidelity == "high" ? kFaithfulStrength : kEditStrength;
    TESSERA_ASSIGN(
        edit.request.spec.render.strength,
        read_strength(fields, edit.mask ? kMaskedEditStrength : whole_picture)
    );
    return edit;
}

Checked<OpenAiEdit> parse_openai_variation(std::string_view content_type, std::string_view text) {
    TESSERA_ASSIGN(auto body, read_body(content_type, text));
    const Json json = body.fields;
    const LooseFields fields(json);
    TESSERA_ASSIGN(auto edit, read_edit(std::move(body)));
    if (edit.mask) {
        return refuse("mask", ErrorKind::kInvalidArgument, "mask is for edits, not variations");
    }
    TESSERA_ASSIGN(auto prompt, fields.text("prompt"));
    edit.request.spec.render.prompt = std::move(prompt).value_or("");
    TESSERA_ASSIGN(edit.request.spec.render.strength, read_strength(fields, kVariationStrength));
    return edit;
}

void settle_openai_model(const std::vector<ModelEntry>& models, OpenAiRequest& request) {
    RenderSettings& render = request.spec.render;
    const auto usual = std::ranges::find_if(models, &ModelEntry::is_default);
    auto chosen = std::ranges::find(models, render.model, &ModelEntry::name);
    const bool is_theirs = render.model.starts_with("dall-e-") ||
                           render.model.starts_with("gpt-image-") ||
                           render.model.starts_with("chatgpt-image-");
    if (chosen == models.end() && (is_theirs || render.model.empty())) {
        if (is_theirs && usual != models.end()) {
            request.remarks.push_back(
                fmt::format("{} is not here; {} painted instead.", render.model, usual->name)
            );
        }
        render.model.clear();
        chosen = usual;
    }
    if (chosen != models.end() && !render.steps && request.steps_factor != 1.0) {
        const double steps = std::round(chosen->steps * request.steps_factor);
        render.steps = std::max(1, static_cast<int>(steps));
    }
}

std::span<const FieldName> openai_names() {
    return kNames;
}

}  // namespace tessera::api
