#include "tessera/recipe.h"

#include "diffusion/sampler_registry.h"
#include "imaging/infotext.h"
#include "tessera/version.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int kSchemaVersion = 2;
constexpr std::size_t kShortHash = 10;

template <class Enum>
struct Name {
    std::string_view name;
    Enum value;
};

constexpr std::array<Name<MaskedFill>, 4> kFills{{
    {"fill", MaskedFill::kFill},
    {"original", MaskedFill::kOriginal},
    {"latent-noise", MaskedFill::kLatentNoise},
    {"latent-nothing", MaskedFill::kLatentNothing},
}};

constexpr std::array<Name<ResizeMode>, 3> kResizeModes{{
    {"stretch", ResizeMode::kJustResize},
    {"crop", ResizeMode::kCropAndResize},
    {"pad", ResizeMode::kResizeAndFill},
}};

constexpr std::array<Name<PromptSyntax>, 2> kSyntaxes{{
    {"a1111", PromptSyntax::kA1111},
    {"plain", PromptSyntax::kPlain},
}};

template <class Names, class Enum>
std::string_view name_of(const Names& names, Enum value) {
    return std::find_if(
               names.begin(), names.end(), [&](const auto& entry) { return entry.value == value; }
    )->name;
}

template <class Enum, std::size_t kCount>
Result<Enum> find_named(
    const char* what, const std::array<Name<Enum>, kCount>& names, std::string_view wanted
) {
    std::string known;
    for (const auto& [name, value] : names) {
        if (name == wanted) {
            return value;
        }
        known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    }
    return fail(
        ErrorKind::kNotFound, "no {} is called \"{:.40}\"; there are {}", what, wanted, known
    );
}

OrderedJson json_of(const PictureSize& size) {
    return {size.width, size.height};
}

/// A1111's names for MaskedFill.
std::string_view a1111_name(MaskedFill fill) {
    constexpr std::array<std::string_view, 4> kNames{
        "fill", "original", "latent noise", "latent nothing"};
    return kNames[static_cast<std::size_t>(fill)];
}

/// Takes values out of an object. Any mistake throws: nlohmann's exceptions, or Damage.
struct Damage {
    std::string key;
    std::string value;
};

class Reader {
  public:
    explicit Reader(const Json& json) : json_(json) {}

    template <class T>
    void read(const char* key, T& value) const {
        const Json& field = json_.at(key);
        if constexpr (std::is_same_v<T, PictureSize>) {
            value = {integer<int>(key, field.at(0)), integer<int>(key, field.at(1))};
        } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
            value = integer<T>(key, field);
        } else {
            field.get_to(value);
        }
    }

    /// Left as it is where the key is absent.
    template <class T>
    void read_if(const char* key, T& value) const {
        if (json_.contains(key)) {
            read(key, value);
        }
    }
    template <class T>
    void read_if(const char* key, std::optional<T>& value) const {
        if (json_.contains(key)) {
            read(key, value.emplace());
        }
    }
    template <class Enum, std::size_t kCount>
    void read_name(const char* key, const std::array<Name<Enum>, kCount>& names, Enum& value)
        const {
        if (json_.contains(key)) {
            const auto found = find_named(key, names, json_.at(key).get<std::string>());
            if (!found) {
                throw Damage{key, json_.at(key).dump()};
            }
            value = *found;
        }
    }

    /// Nothing where the key is absent.
    [[nodiscard]] std::optional<Reader> object(const char* key) const {
        const auto found = json_.find(key);
        return found == json_.end() ? std::nullopt : std::optional(Reader(*found));
    }

  private:
    /// nlohmann's own conversion cuts what does not fit.
    template <class Integer>
    static Integer integer(const char* key, const Json& number) {
        if (number.is_number_unsigned() && std::in_range<Integer>(number.get<std::uint64_t>())) {
            return number.get<Integer>();
        }
        if (number.is_number_integer() && !number.is_number_unsigned() &&
            std::in_range<Integer>(number.get<std::int64_t>())) {
            return number.get<Integer>();
        }
        throw Damage{key, number.dump()};
    }

    const Json& json_;
};

void write_noise(const Recipe& recipe, OrderedJson& json) {
    json["rng"] = to_string(recipe.random);
    json["seed"] = recipe.seed.seed;
    if (recipe.seed.variation_strength != 0.0) {
        json["variation"] = {
            {"seed", recipe.seed.variation_seed}, {"strength", recipe.seed.variation_strength}};
    }
    if (recipe.seed_resize) {
        json["seed_resize"] = json_of(*recipe.seed_resize);
    }
    if (recipe.later_seed_offset != 0) {
        json["later_seed_offset"] = recipe.later_seed_offset;
    }
}

void read_noise(const Reader& json, Recipe& recipe) {
    std::string random;
    json.read("rng", random);
    const auto kind = find_random_kind(random);
    if (!kind) {
        throw Damage{"rng", random};
    }
    recipe.random = *kind;
    json.read("seed", recipe.seed.seed);
    if (const auto variation = json.object("variation")) {
        variation->read("seed", recipe.seed.variation_seed);
        variation->read("strength", recipe.seed.variation_strength);
    }
    json.read_if("seed_resize", recipe.seed_resize);
    json.read_if("later_seed_offset", recipe.later_seed_offset);
}

void write_guidance(const Guidance& guidance, OrderedJson& json) {
    json["cfg"] = guidance.scale;
    if (guidance.rescale != 0.0) {
        json["cfg_rescale"] = guidance.rescale;
    }
    if (guidance.begin != 0.0 || guidance.end != 1.0) {
        json["cfg_interval"] = {guidance.begin, guidance.end};
    }
}

void write_init(const Recipe& recipe, OrderedJson& json) {
    if (recipe.init) {
        json["init"] = {
            {"strength", recipe.init->strength},
            {"sha256", recipe.init->sha256},
            {"resize", to_string(recipe.init->resize_mode)}};
    }
    if (recipe.inpaint) {
        const InpaintRecipe& inpaint = *recipe.inpaint;
        json["inpaint"] = {
            {"sha256", inpaint.sha256},
            {"inverted", inpaint.inverted},
            {"blur", inpaint.blur},
            {"fill", to_string(inpaint.fill)}};
        if (inpaint.only_masked_padding) {
            json["inpaint"]["only_masked_padding"] = *inpaint.only_masked_padding;
        }
    }
    if (recipe.outpaint) {
        const CanvasExtension& grown = *recipe.outpaint;
        json["outpaint"] = {
            {"left", grown.left},
            {"top", grown.top},
            {"right", grown.right},
            {"bottom", grown.bottom},
            {"multiple", grown.multiple},
            {"feather", grown.feather}};
    }
}

void read_init(const Reader& json, Recipe& recipe) {
    if (const auto init = json.object("init")) {
        auto& read = recipe.init.emplace();
        init->read("strength", read.strength);
        init->read("sha256", read.sha256);
        init->read_name("resize", kResizeModes, read.resize_mode);
    }
    if (const auto inpaint = json.object("inpaint")) {
        auto& read = recipe.inpaint.emplace();
        inpaint->read("sha256", read.sha256);
        inpaint->read("inverted", read.inverted);
        inpaint->read("blur", read.blur);
        inpaint->read_name("fill", kFills, read.fill);
        inpaint->read_if("only_masked_padding", read.only_masked_padding);
    }
    if (const auto outpaint = json.object("outpaint")) {
        auto& read = recipe.outpaint.emplace();
        outpaint->read("left", read.left);
        outpaint->read("top", read.top);
        outpaint->read("right", read.right);
        outpaint->read("bottom", read.bottom);
        outpaint->read("multiple", read.multiple);
        outpaint->read("feather", read.feather);
    }
}

void write_sizes(const Recipe& recipe, OrderedJson& json) {
    json["size"] = json_of(recipe.size);
    if (recipe.rendered != recipe.size) {
        json["rendered"] = json_of(recipe.rendered);
    }
    if (recipe.hires) {
        json["hires"] = {
            {"size", json_of(recipe.hires->size)},
            {"upscaler", recipe.hires->upscaler},
            {"steps", recipe.hires->steps},
            {"strength", recipe.hires->strength}};
    }
    if (!recipe.enlarged_by.empty()) {
        json["enlarged_by"] = recipe.enlarged_by;
    }
    if (!recipe.restored_by.empty()) {
        json["restored_by"] = recipe.restored_by;
    }
}

void read_sizes(const Reader& json, Recipe& recipe) {
    json.read("size", recipe.size);
    recipe.rendered = recipe.size;
    json.read_if("rendered", recipe.rendered);
    if (const auto hires = json.object("hires")) {
        auto& read = recipe.hires.emplace();
        hires->read("size", read.size);
        hires->read("upscaler", read.upscaler);
        hires->read("steps", read.steps);
        hires->read("strength", read.strength);
    }
    json.read_if("enlarged_by", recipe.enlarged_by);
    json.read_if("restored_by", recipe.restored_by);
}

Recipe read_recipe(const Json& parsed, int version) {
    const Reader json(parsed);
    Recipe recipe;
    const Reader model(parsed.at("model"));
    model.read("name", recipe.model);
    model.read("sha256", recipe.model_hash);
    json.read("prompt", recipe.prompt);
    json.read("negative_prompt", recipe.negative_prompt);
    if (version == 1) {
        // Brackets meant nothing yet.
        recipe.syntax = PromptSyntax::kPlain;
        json.read("width", recipe.size.width);
        json.read("height", recipe.size.height);
        recipe.rendered = recipe.size;
    } else {
        read_sizes(json, recipe);
    }
    json.read_name("syntax", kSyntaxes, recipe.syntax);
    json.read_if("clip_skip", recipe.clip_skip);
    json.read("steps", recipe.steps);
    json.read("sampler", recipe.sampler);
    json.read_if("eta", recipe.eta);
    json.read_if("s_noise", recipe.s_noise);
    json.read_if("zero_terminal_snr", recipe.zero_terminal_snr);
    json.read("cfg", recipe.guidance.scale);
    json.read_if("cfg_rescale", recipe.guidance.rescale);
    if (parsed.contains("cfg_interval")) {
        parsed.at("cfg_interval").at(0).get_to(recipe.guidance.begin);
        parsed.at("cfg_interval").at(1).get_to(recipe.guidance.end);
    }
    read_noise(json, recipe);
    read_init(json, recipe);
    json.read_if("upscalers", recipe.upscalers);
    json.read_if("embeddings", recipe.embeddings);
    json.read("fingerprint", recipe.fingerprint);
    return recipe;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const PictureSize& size) {
    return fmt::format("{}x{}", size.width, size.height);
}

/// In A1111's order.
void add_noise(const Recipe& recipe, Parameters& parameters) {
    if (recipe.seed.variation_strength != 0.0) {
        parameters.emplace_back("Variation seed", std::to_string(recipe.seed.variation_seed));
        parameters.emplace_back(
            "Variation seed strength", fmt::format("{}", recipe.seed.variation_strength)
        );
    }
    if (recipe.seed_resize) {
        parameters.emplace_back("Seed resize from", text_of(*recipe.seed_resize));
    }
}

void add_second_pass(const Recipe& recipe, Parameters& parameters) {
    if (recipe.init) {
        parameters.emplace_back("Denoising strength", fmt::format("{}", recipe.init->strength));
    }
    if (recipe.hires) {
        parameters.emplace_back("Denoising strength", fmt::format("{}", recipe.hires->strength));
    }
    if (recipe.clip_skip != 1) {
        parameters.emplace_back("Clip skip", std::to_string(recipe.clip_skip));
    }
    if (recipe.later_seed_offset != 0) {
        parameters.emplace_back("ENSD", std::to_string(recipe.later_seed_offset));
    }
    if (recipe.hires) {
        parameters.emplace_back("Hires resize", text_of(recipe.hires->size));
        parameters.emplace_back("Hires steps", std::to_string(recipe.hires->steps));
        parameters.emplace_back("Hires upscaler", recipe.hires->upscaler);
    }
}

void add_inpaint(const InpaintRecipe& inpaint, Parameters& parameters) {
    parameters.emplace_back("Mask blur", fmt::format("{}", inpaint.blur));
    parameters.emplace_back("Masked content", a1111_name(inpaint.fill));
    if (inpaint.inverted) {
        parameters.emplace_back("Mask mode", "Inpaint not masked");
    }
    if (inpaint.only_masked_padding) {
        parameters.emplace_back("Inpaint area", "Only masked");
        parameters.emplace_back(
            "Masked area padding", std::to_string(*inpaint.only_masked_padding)
        );
    }
}

void add_sampling(const Recipe& recipe, Parameters& parameters) {
    if (recipe.eta) {
        parameters.emplace_back("Eta", fmt::format("{}", *recipe.eta));
    }
    if (recipe.s_noise) {
        parameters.emplace_back("Sigma noise", fmt::format("{}", *recipe.s_noise));
    }
    if (recipe.guidance.rescale != 0.0) {
        parameters.emplace_back("CFG rescale", fmt::format("{}", recipe.guidance.rescale));
    }
    if (recipe.zero_terminal_snr) {
        parameters.emplace_back("Noise Schedule", "Zero Terminal SNR");
    }
    if (recipe.syntax == PromptSyntax::kPlain) {
        parameters.emplace_back("Emphasis", "None");
    }
    parameters.emplace_back("RNG", recipe.random == RandomKind::kCuda ? "NV" : "CPU");
}

}  // namespace

Recipe nth_of(Recipe recipe, int number) {
    auto& seed =
        recipe.seed.variation_strength == 0.0 ? recipe.seed.seed : recipe.seed.variation_seed;
    seed += static_cast<std::uint64_t>(number - 1);
    return recipe;
}

std::string to_json(const Recipe& recipe) {
    OrderedJson json{
        {"version", kSchemaVersion},
        {"model", {{"name", recipe.model}, {"sha256", recipe.model_hash}}},
        {"prompt", recipe.prompt},
        {"negative_prompt", recipe.negative_prompt},
        {"syntax", name_of(kSyntaxes, recipe.syntax)},
    };
    if (recipe.clip_skip != 1) {
        json["clip_skip"] = recipe.clip_skip;
    }
    write_sizes(recipe, json);
    json["steps"] = recipe.steps;
    json["sampler"] = recipe.sampler;
    if (recipe.eta) {
        json["eta"] = *recipe.eta;
    }
    if (recipe.s_noise) {
        json["s_noise"] = *recipe.s_noise;
    }
    if (recipe.zero_terminal_snr) {
        json["zero_terminal_snr"] = true;
    }
    write_guidance(recipe.guidance, json);
    write_noise(recipe, json);
    write_init(recipe, json);
    if (!recipe.upscalers.empty()) {
        json["upscalers"] = recipe.upscalers;
    }
    if (!recipe.embeddings.empty()) {
        json["embeddings"] = recipe.embeddings;
    }
    json["fingerprint"] = recipe.fingerprint;
    return json.dump();
}

Result<Recipe> recipe_from_json(std::string_view text) {
    try {
        const auto json = Json::parse(text);
        int version = 0;
        Reader(json).read("version", version);
        if (version < 1 || version > kSchemaVersion) {
            return fail(
                ErrorKind::kUnsupported,
                "the picture's tessera data has version {}, this program reads 1 to {}; take a "
                "newer one",
                version,
                kSchemaVersion
            );
        }
        return read_recipe(json, version);
    } catch (const Damage& damage) {
        return fail(
            ErrorKind::kCorrupt,
            "the picture's tessera data is damaged: {} is {:.80}",
            damage.key,
            damage.value
        );
    } catch (const Json::exception& error) {
        return fail(ErrorKind::kCorrupt, "the picture's tessera data is damaged: {}", error.what());
    }
}

bool was_postprocessed(std::string_view text) {
    const auto json = Json::parse(text, nullptr, false);
    return json.is_object() && json.contains("postprocess") && !json["postprocess"].empty();
}

Result<PictureMetadata> picture_metadata(const Recipe& recipe) {
    TESSERA_ASSIGN(const auto sampler, find_sampler(recipe.sampler));
    Infotext text;
    text.prompt = recipe.prompt;
    text.negative_prompt = recipe.negative_prompt;
    text.parameters = {
        {"Steps", std::to_string(recipe.steps)},
        {"Sampler", std::string(sampler.sampler->name)},
        {"Schedule type", std::string(to_string(sampler.schedule))},
        {"CFG scale", fmt::format("{}", recipe.guidance.scale)},
        {"Seed", std::to_string(recipe.seed.seed)},
        {"Size", text_of(recipe.rendered)},
        {"Model hash", recipe.model_hash.substr(0, kShortHash)},
        {"Model", recipe.model},
    };
    add_noise(recipe, text.parameters);
    add_second_pass(recipe, text.parameters);
    if (recipe.inpaint) {
        add_inpaint(*recipe.inpaint, text.parameters);
    }
    add_sampling(recipe, text.parameters);
    const PictureSize last = recipe.hires ? recipe.hires->size : recipe.rendered;
    if (!recipe.enlarged_by.empty()) {
        text.parameters.emplace_back("Postprocess upscale to", text_of(recipe.size));
        text.parameters.emplace_back("Postprocess upscaler", recipe.enlarged_by);
    } else if (last != recipe.size) {
        text.parameters.emplace_back("Postprocess crop to", text_of(recipe.size));
    }
    text.parameters.emplace_back("Version", version_text());
    TESSERA_ASSIGN(auto parameters, write_infotext(text));
    return PictureMetadata{std::move(parameters), to_json(recipe)};
}

std::string_view to_string(MaskedFill fill) {
    return name_of(kFills, fill);
}

Result<MaskedFill> find_masked_fill(std::string_view name) {
    return find_named("masked content", kFills, name);
}

std::string_view to_string(ResizeMode mode) {
    return name_of(kResizeModes, mode);
}

Result<ResizeMode> find_resize_mode(std::string_view name) {
    return find_named("resize mode", kResizeModes, name);
}

}  // namespace tessera::cli
