#include "tessera/recipe.h"

#include "diffusion/sampler_registry.h"
#include "imaging/infotext.h"
#include "tessera/version.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

namespace tessera::cli {
namespace {

constexpr int kSchemaVersion = 1;
constexpr std::size_t kShortHash = 10;

template <class Number>
Result<Number> number_of(const Infotext& text, std::string_view key) {
    const auto value = text.find(key);
    if (!value) {
        return fail(ErrorKind::kInvalidArgument, "the picture's parameters have no \"{}\"", key);
    }
    Number number{};
    const char* const end = value->data() + value->size();
    const auto [rest, error] = std::from_chars(value->data(), end, number);
    if (error != std::errc() || rest != end) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the picture's parameters say \"{}: {}\", which is no such number",
            key,
            *value
        );
    }
    return number;
}

std::string text_of(const Infotext& text, std::string_view key) {
    return std::string(text.find(key).value_or(std::string_view()));
}

/// nlohmann's own conversion cuts what does not fit.
template <class Integer>
Status read_integer(const nlohmann::json& json, const char* key, Integer& value) {
    const auto& number = json.at(key);
    const bool fits =
        number.is_number_integer() && std::in_range<Integer>(number.get<std::int64_t>()) &&
        !(number.is_number_unsigned() && !std::in_range<Integer>(number.get<std::uint64_t>()));
    if (!fits) {
        return fail(
            ErrorKind::kCorrupt,
            "the picture's tessera data is damaged: {} is {}",
            key,
            number.dump()
        );
    }
    value = number.get<Integer>();
    return {};
}

/// "Euler a" and "Karras" as one name; A1111 before 1.9 has both in "Sampler".
std::string sampler_of(const Infotext& text) {
    const std::string schedule = text_of(text, "Schedule type");
    const std::string sampler = text_of(text, "Sampler");
    return schedule.empty() || schedule == "Automatic" ? sampler : sampler + " " + schedule;
}

}  // namespace

std::string to_json(const Recipe& recipe) {
    nlohmann::ordered_json json{
        {"version", kSchemaVersion},
        {"model", {{"name", recipe.model}, {"sha256", recipe.model_hash}}},
        {"prompt", recipe.prompt},
        {"negative_prompt", recipe.negative_prompt},
        {"width", recipe.width},
        {"height", recipe.height},
        {"steps", recipe.steps},
        {"sampler", recipe.sampler},
        {"cfg", recipe.cfg},
        {"seed", recipe.seed},
        {"rng", "cpu"},
    };
    if (recipe.init) {
        json["init"] = {{"strength", recipe.init->strength}, {"sha256", recipe.init->sha256}};
    }
    json["fingerprint"] = recipe.fingerprint;
    return json.dump();
}

Result<Recipe> recipe_from_json(std::string_view text) {
    try {
        const auto json = nlohmann::json::parse(text);
        int version = 0;
        TESSERA_TRY(read_integer(json, "version", version));
        if (version != kSchemaVersion) {
            return fail(
                ErrorKind::kUnsupported,
                "the picture's tessera data has version {}, this program reads version {}; take a "
                "newer one",
                version,
                kSchemaVersion
            );
        }
        if (json.at("rng") != "cpu") {
            return fail(
                ErrorKind::kUnsupported,
                "the picture's noise comes from generator \"{}\", this program has \"cpu\"",
                json.at("rng").dump()
            );
        }
        Recipe recipe;
        json.at("model").at("name").get_to(recipe.model);
        json.at("model").at("sha256").get_to(recipe.model_hash);
        json.at("prompt").get_to(recipe.prompt);
        json.at("negative_prompt").get_to(recipe.negative_prompt);
        TESSERA_TRY(read_integer(json, "width", recipe.width));
        TESSERA_TRY(read_integer(json, "height", recipe.height));
        TESSERA_TRY(read_integer(json, "steps", recipe.steps));
        json.at("sampler").get_to(recipe.sampler);
        json.at("cfg").get_to(recipe.cfg);
        TESSERA_TRY(read_integer(json, "seed", recipe.seed));
        json.at("fingerprint").get_to(recipe.fingerprint);
        if (const auto init = json.find("init"); init != json.end()) {
            recipe.init = Recipe::Init{
                init->at("strength").get<double>(), init->at("sha256").get<std::string>()};
        }
        return recipe;
    } catch (const nlohmann::json::exception& error) {
        return fail(ErrorKind::kCorrupt, "the picture's tessera data is damaged: {}", error.what());
    }
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
        {"CFG scale", fmt::format("{}", recipe.cfg)},
        {"Seed", std::to_string(recipe.seed)},
        {"Size", fmt::format("{}x{}", recipe.width, recipe.height)},
        {"Model hash", recipe.model_hash.substr(0, kShortHash)},
        {"Model", recipe.model},
    };
    if (recipe.init) {
        text.parameters.emplace_back(
            "Denoising strength", fmt::format("{}", recipe.init->strength)
        );
    }
    text.parameters.emplace_back("RNG", "CPU");
    text.parameters.emplace_back("Version", version_text());
    TESSERA_ASSIGN(auto parameters, write_infotext(text));
    return PictureMetadata{std::move(parameters), to_json(recipe)};
}

Result<ForeignRecipe> recipe_from_infotext(std::string_view raw) {
    constexpr std::array<std::string_view, 12> kUnderstood{
        "Steps",
        "Sampler",
        "Schedule type",
        "CFG scale",
        "Seed",
        "Size",
        "Model",
        "Model hash",
        "Denoising strength",
        "RNG",
        "Version",
        "Hires upscale"};
    const Infotext text = parse_infotext(raw);
    if (text.parameters.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the picture says nothing of how it was made; only pictures with parameters can be "
            "repeated"
        );
    }
    ForeignRecipe foreign;
    Recipe& recipe = foreign.recipe;
    recipe.prompt = text.prompt;
    recipe.negative_prompt = text.negative_prompt;
    recipe.model = text_of(text, "Model");
    recipe.model_hash = text_of(text, "Model hash");
    recipe.sampler = sampler_of(text);
    TESSERA_ASSIGN(recipe.steps, number_of<int>(text, "Steps"));
    TESSERA_ASSIGN(recipe.cfg, number_of<double>(text, "CFG scale"));
    TESSERA_ASSIGN(recipe.seed, number_of<std::uint32_t>(text, "Seed"));
    const auto size = parse_size(text_of(text, "Size"));
    if (!size) {
        return fail(ErrorKind::kInvalidArgument, "the picture's parameters have no \"Size\"");
    }
    std::tie(recipe.width, recipe.height) = *size;
    // With a second, larger pass ("Hires") the strength is that pass's own.
    const bool second_pass = text.find("Hires upscale").has_value();
    if (text.find("Denoising strength") && !second_pass) {
        TESSERA_ASSIGN(const double strength, number_of<double>(text, "Denoising strength"));
        recipe.init = Recipe::Init{strength, {}};
    }
    for (const auto& [key, value] : text.parameters) {
        const bool understood =
            std::find(kUnderstood.begin(), kUnderstood.end(), key) != kUnderstood.end();
        if (!understood ||
            (second_pass && (key == "Hires upscale" || key == "Denoising strength"))) {
            foreign.ignored.push_back(fmt::format("{}: {}", key, value));
        }
    }
    return foreign;
}

}  // namespace tessera::cli
