#include "imaging/a1111_parameters.h"

#include "base/utf8.h"
#include "imaging/foreign_names.h"
#include "imaging/infotext.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

namespace tessera {
namespace {

using Fate = A1111Key::Fate;

const A1111Key* find_key(std::string_view key) {
    const auto keys = known_a1111_keys();
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const A1111Key& known) {
        return known.key == key;
    });
    return found == keys.end() ? nullptr : &*found;
}

/// Walks over one text's parameters by name.
class Reader {
  public:
    explicit Reader(const Infotext& text) : text_(text) {}

    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const {
        return text_.find(key);
    }
    [[nodiscard]] std::string text(std::string_view key) const {
        return std::string(find(key).value_or(std::string_view()));
    }
    [[nodiscard]] Status real(
        std::string_view key, double least, double most, std::optional<double>& value
    ) const {
        if (const auto found = find(key)) {
            TESSERA_ASSIGN(value, parse_real(key, *found, least, most));
        }
        return {};
    }
    [[nodiscard]] Status whole(std::string_view key, int least, int most, std::optional<int>& value)
        const {
        if (const auto found = find(key)) {
            TESSERA_ASSIGN(value, parse_whole(key, *found, least, most));
        }
        return {};
    }
    [[nodiscard]] Status size(
        std::string_view key, std::optional<int>& width, std::optional<int>& height
    ) const {
        const auto found = find(key);
        if (!found) {
            return {};
        }
        const auto size = parse_size(*found);
        if (!size || size->first > kMostForeignSide || size->second > kMostForeignSide) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the picture's metadata says \"{}: {}\", which is no size",
                key,
                shown(*found)
            );
        }
        width = size->first;
        height = size->second;
        return {};
    }

  private:
    const Infotext& text_;
};

void read_names(const Reader& reader, ForeignParameters& out) {
    out.model = reader.text("Model");
    out.model_hash = reader.text("Model hash");
    out.sampler = reader.text("Sampler");
    out.scheduler = reader.text("Schedule type");
    if (out.scheduler == "Automatic") {
        out.scheduler.clear();
    }
}

Status read_numbers(const Reader& reader, ForeignParameters& out) {
    TESSERA_TRY(reader.whole("Steps", 1, kMostForeignSteps, out.steps));
    TESSERA_TRY(reader.real("CFG scale", -kMostForeignCfg, kMostForeignCfg, out.cfg));
    TESSERA_TRY(reader.size("Size", out.width, out.height));
    TESSERA_TRY(reader.size("Seed resize from", out.seed_resize_width, out.seed_resize_height));
    TESSERA_TRY(reader.whole("Clip skip", -1, 100, out.clip_skip));
    if (out.clip_skip && *out.clip_skip < 1) {
        out.clip_skip.reset();  // stable-diffusion.cpp's way to say: the model's own
    }
    TESSERA_TRY(reader.real("Eta DDIM", 0.0, 100.0, out.eta));
    TESSERA_TRY(reader.real("Eta", 0.0, 100.0, out.eta));
    TESSERA_TRY(reader.real("Sigma noise", 0.0, 100.0, out.s_noise));
    TESSERA_TRY(reader.real("Skip Early CFG", 0.0, 1.0, out.guidance_begin));
    TESSERA_TRY(reader.real("Rescale CFG", 0.0, 1.0, out.cfg_rescale));
    std::optional<int> ensd;
    constexpr int kMost = std::numeric_limits<int>::max();
    TESSERA_TRY(reader.whole("ENSD", -kMost, kMost, ensd));
    out.later_seed_offset = ensd.value_or(0);
    if (const auto seed = reader.find("Seed")) {
        TESSERA_ASSIGN(out.seed, parse_seed("Seed", *seed));
    }
    if (const auto seed = reader.find("Variation seed")) {
        ForeignVariation variation;
        TESSERA_ASSIGN(variation.seed, parse_seed("Variation seed", *seed));
        std::optional<double> strength;
        TESSERA_TRY(reader.real("Variation seed strength", 0.0, 1.0, strength));
        variation.strength = strength.value_or(0.0);
        out.variation = variation;
    }
    return {};
}

bool has_hires(const Reader& reader) {
    return reader.find("Hires upscale") || reader.find("Hires resize") ||
           reader.find("Hires upscaler") || reader.find("Hires steps") ||
           reader.find("First pass size");
}

Status read_hires(const Reader& reader, ForeignParameters& out) {
    ForeignHires hires;
    if (const auto scale = reader.find("Hires upscale")) {
        TESSERA_ASSIGN(hires.scale, parse_real("Hires upscale", *scale, 1e-3, 100.0));
    }
    TESSERA_TRY(reader.size("Hires resize", hires.width, hires.height));
    if (reader.find("First pass size")) {
        // Up to 2022 "Size" was that of the second pass.
        hires.width = out.width;
        hires.height = out.height;
        TESSERA_TRY(reader.size("First pass size", out.width, out.height));
    }
    TESSERA_TRY(reader.whole("Hires steps", 0, kMostForeignSteps, hires.steps));
    if (hires.steps == 0) {
        hires.steps.reset();  // as many as in the first pass
    }
    TESSERA_TRY(reader.real("Hires CFG Scale", -kMostForeignCfg, kMostForeignCfg, hires.cfg));
    TESSERA_TRY(reader.real("Denoising strength", 0.0, 1.0, hires.denoise));
    hires.upscaler = reader.text("Hires upscaler");
    hires.sampler = reader.text("Hires sampler");
    hires.scheduler = reader.text("Hires schedule type");
    hires.prompt = reader.text("Hires prompt");
    hires.negative_prompt = reader.text("Hires negative prompt");
    if (hires.sampler == "Use same sampler") {
        hires.sampler.clear();
    }
    if (hires.scheduler == "Use same scheduler" || hires.scheduler == "Automatic") {
        hires.scheduler.clear();
    }
    out.hires = std::move(hires);
    return {};
}

Status read_content(const Reader& reader, ForeignInpaint& inpaint) {
    using Content = ForeignInpaint::Content;
    const auto found = reader.find("Masked content");
    if (!found) {
        return {};
    }
    constexpr std::array<std::pair<std::string_view, Content>, 8> kContents{{
        {"fill", Content::kFill},
        {"original", Content::kOriginal},
        {"latent noise", Content::kLatentNoise},
        {"latent nothing", Content::kLatentNothing},
        {"0", Content::kFill},
        {"1", Content::kOriginal},
        {"2", Content::kLatentNoise},
        {"3", Content::kLatentNothing},
    }};
    for (const auto& [name, content] : kContents) {
        if (name == *found) {
            inpaint.content = content;
            return {};
        }
    }
    return fail(
        ErrorKind::kInvalidArgument,
        "the picture's metadata says \"Masked content: {}\"; there are fill, original, latent "
        "noise and latent nothing",
        shown(*found)
    );
}

/// Image-to-image and inpainting.
Status read_picture(const Reader& reader, ForeignParameters& out) {
    std::optional<double> denoise;
    TESSERA_TRY(reader.real("Denoising strength", 0.0, 1.0, denoise));
    if (!denoise) {
        return {};
    }
    out.from_picture = true;
    out.denoise = denoise;
    const bool is_inpaint = reader.find("Mask blur") || reader.find("Mask mode") ||
                            reader.find("Masked content") || reader.find("Inpaint area") ||
                            reader.find("Masked area padding");
    if (!is_inpaint) {
        return {};
    }
    ForeignInpaint inpaint;
    std::optional<double> blur;
    TESSERA_TRY(reader.real("Mask blur", 0.0, 10000.0, blur));
    inpaint.mask_blur = blur.value_or(0.0);
    inpaint.is_inverted = reader.find("Mask mode") == "Inpaint not masked";
    inpaint.only_masked = reader.find("Inpaint area") == "Only masked";
    std::optional<int> padding;
    TESSERA_TRY(reader.whole("Masked area padding", 0, kMostForeignSide, padding));
    inpaint.padding = padding.value_or(inpaint.padding);
    TESSERA_TRY(read_content(reader, inpaint));
    out.inpaint = inpaint;
    add_not_honoured(out, "the mask is not in the picture's metadata");
    return {};
}

/// Settings that are words.
void read_modes(const Reader& reader, ForeignParameters& out) {
    const std::string rng = reader.text("RNG");
    if (rng.empty() || rng == "GPU" || rng == "NV" || rng == "cuda") {
        out.noise = ForeignNoise::kTorchCuda;
    } else if (rng == "CPU" || rng == "cpu") {
        out.noise = ForeignNoise::kTorchCpu;
    } else {
        add_not_honoured(
            out, fmt::format("the random generator \"{}\" is not one of torch's", shown(rng))
        );
    }
    const std::string emphasis = reader.text("Emphasis");
    if (emphasis == "None") {
        out.plain_prompt = true;
    } else if (!emphasis.empty() && emphasis != "Original") {
        add_not_honoured(
            out, fmt::format("emphasis of the kind \"{}\" is not known here", shown(emphasis))
        );
    }
    const std::string schedule = reader.text("Noise Schedule");
    if (schedule == "Zero Terminal SNR") {
        out.zero_terminal_snr = true;
    } else if (!schedule.empty() && schedule != "Default") {
        add_not_honoured(
            out, fmt::format("the noise schedule \"{}\" is not known here", shown(schedule))
        );
    }
}

bool is_idle(const A1111Key& known, std::string_view value) {
    if (known.idle_value.empty()) {
        return value.empty();
    }
    if (value == known.idle_value || (known.key == "VAE" && value == "None")) {
        return true;
    }
    const auto idle = parse_real("", known.idle_value, -1e9, 1e9);
    const auto given = parse_real("", value, -1e9, 1e9);
    return idle && given && *idle == *given;
}

void list_the_rest(const Infotext& text, ForeignParameters& out) {
    for (const auto& [key, value] : text.parameters) {
        const A1111Key* const known = find_key(key);
        if (known == nullptr) {
            add_not_honoured(
                out, fmt::format("\"{}: {}\" is not known here", shown(key), shown(value))
            );
        } else if (known->fate == Fate::kNotHonoured && !is_idle(*known, value)) {
            add_not_honoured(
                out,
                fmt::format(
                    "\"{}: {}\" is not possible here: {}", key, shown(value), known->meaning
                )
            );
        }
    }
}

/// stable-diffusion.cpp puts JSON between the parameters, unquoted; cuts it out.
std::string without_embedded_json(std::string_view text) {
    constexpr std::string_view kStart = "SDCPP: {";
    const std::size_t start = text.rfind(kStart);
    if (start == std::string_view::npos) {
        return std::string(text);
    }
    std::size_t depth = 0;
    bool in_text = false;
    std::size_t at = start + kStart.size() - 1;
    for (; at < text.size(); ++at) {
        const char letter = text[at];
        if (in_text) {
            at += letter == '\\' ? 1U : 0U;
            in_text = letter != '"';
        } else if (letter == '"') {
            in_text = true;
        } else if (letter == '{') {
            ++depth;
        } else if (letter == '}' && --depth == 0) {
            break;
        }
    }
    std::string_view rest = text.substr(std::min(at + 1, text.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(", "), rest.size()));
    return std::string(text.substr(0, start)).append(rest);
}

/// Its sampler has the schedule behind a space, its default eta is written too.
void translate_sdcpp(ForeignParameters& out) {
    out.program = "stable-diffusion.cpp";
    if (const auto gap = out.sampler.find(' '); gap != std::string::npos && out.scheduler.empty()) {
        out.scheduler = out.sampler.substr(gap + 1);
        out.sampler.resize(gap);
    }
    if (out.eta == 0.0) {
        out.eta.reset();
    }
    if (draws_noise_in_steps(out.sampler)) {
        add_not_honoured(
            out,
            fmt::format(
                "sampler {} draws noise in each step, in another order than here",
                shown(out.sampler)
            )
        );
    }
}

}  // namespace

Result<ForeignParameters> read_a1111_parameters(std::string_view infotext) {
    if (auto status = check_utf8(infotext); !status) {
        return within("the picture's parameters", std::move(status).error());
    }
    const Infotext text = parse_infotext(without_embedded_json(infotext));
    if (text.parameters.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the picture's parameters say nothing of how it was made; there is no line such as "
            "\"Steps: 20, Sampler: Euler a, ...\""
        );
    }
    const Reader reader(text);
    ForeignParameters out;
    const std::string version = reader.text("Version");
    out.program = version.starts_with("tessera") ? "Tessera" : "A1111";
    out.prompt = text.prompt;
    out.negative_prompt = text.negative_prompt;
    read_names(reader, out);
    TESSERA_TRY(read_numbers(reader, out));
    if (has_hires(reader)) {
        TESSERA_TRY(read_hires(reader, out));
    } else {
        TESSERA_TRY(read_picture(reader, out));
    }
    read_modes(reader, out);
    if (version.find("stable-diffusion.cpp") != std::string::npos) {
        translate_sdcpp(out);
    }
    list_the_rest(text, out);
    return out;
}

}  // namespace tessera
