#include "prompt/extra_networks.h"

#include "base/number.h"
#include "prompt/attention.h"
#include "prompt/prompt_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMostRemarks = 8;

/// The kinds whose numbers are known; others pass with what they say.
bool is_known_kind(std::string_view kind) {
    constexpr std::array<std::string_view, 3> kKinds{"lora", "lyco", "hypernet"};
    return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

/// The \w+ that the text begins with.
std::string_view leading_word(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size()) {
        const Character c = first_character(text.substr(length));
        if (!is_word_character(c.code)) {
            break;
        }
        length += c.bytes;
    }
    return text.substr(0, length);
}

/// As Python reads one: space around it and a plus sign do no harm.
template <class Number>
std::optional<Number> read_loose_number(std::string_view text) {
    text = trimmed(text);
    text.remove_prefix(text.starts_with('+') ? 1 : 0);
    return read_number<Number>(text);
}

std::optional<double> read_multiplier(std::string_view text) {
    const auto number = read_loose_number<double>(text);
    return number && std::abs(*number) <= kMaxPromptWeight ? number : std::nullopt;
}

/// Numbers by place and by name, as the Lora extension takes them. False: one cannot be read.
bool read_numbers(ExtraNetworkTag& tag) {
    std::vector<std::string_view> placed;
    std::vector<std::pair<std::string_view, std::string_view>> named;
    for (const std::string_view argument : tag.arguments) {
        const std::size_t sign = argument.find('=');
        if (sign != std::string_view::npos && argument.find('=', sign + 1) == argument.npos) {
            named.emplace_back(argument.substr(0, sign), argument.substr(sign + 1));
        } else {
            placed.push_back(argument);
        }
    }
    const auto text_of = [&](std::size_t place, std::string_view name) {
        // Of several of one name the last counts.
        const auto by_name = std::find_if(named.rbegin(), named.rend(), [&](const auto& entry) {
            return entry.first == name;
        });
        if (by_name != named.rend()) {
            return std::optional(by_name->second);
        }
        return place < placed.size() ? std::optional(placed[place]) : std::nullopt;
    };
    bool readable = true;
    const auto take_multiplier = [&](std::size_t place, std::string_view name, double fallback) {
        const auto text = text_of(place, name);
        const auto number = text ? read_multiplier(*text) : fallback;
        readable = readable && number.has_value();
        return number.value_or(fallback);
    };
    tag.text_encoder_multiplier = take_multiplier(0, "te", 1);
    tag.unet_multiplier = take_multiplier(1, "unet", tag.text_encoder_multiplier);
    if (const auto text = text_of(2, "dyn")) {
        tag.dyn_dim = read_loose_number<int>(*text);
        readable = readable && tag.dyn_dim.has_value();
    }
    return readable;
}

/// What stands between < and >, split at the colons; nullopt if it has no sense.
std::optional<ExtraNetworkTag> read_tag(std::string_view kind, std::string_view arguments) {
    ExtraNetworkTag tag;
    tag.kind = kind;
    for (std::size_t begin = 0; begin <= arguments.size();) {
        const std::size_t end = std::min(arguments.find(':', begin), arguments.size());
        tag.arguments.emplace_back(arguments.substr(begin, end - begin));
        begin = end + 1;
    }
    tag.name = std::move(tag.arguments.front());
    tag.arguments.erase(tag.arguments.begin());
    if (is_known_kind(kind) && (trimmed(tag.name).empty() || !read_numbers(tag))) {
        return std::nullopt;
    }
    return tag;
}

}  // namespace

TaggedPrompt take_extra_networks(std::string_view prompt) {
    TaggedPrompt result;
    const auto remark = [&](std::string sentence) {
        if (result.remarks.size() < kMostRemarks) {
            result.remarks.push_back(std::move(sentence));
        }
    };
    const std::size_t last_close = prompt.rfind('>');
    std::size_t kept = 0;  // up to here the prompt is dealt with
    for (std::size_t at = prompt.find('<'); at != std::string_view::npos;
         at = prompt.find('<', at + 1)) {
        const auto kind = leading_word(prompt.substr(at + 1));
        const std::size_t arguments = at + 1 + kind.size() + 1;
        if (kind.empty() || arguments > prompt.size() || prompt[arguments - 1] != ':') {
            continue;
        }
        if (last_close == std::string_view::npos || last_close < at) {
            if (is_known_kind(kind)) {
                remark(fmt::format(
                    "the tag that begins with {} has no \">\" at its end and stays text",
                    quoted_text(prompt.substr(at, 30))
                ));
            }
            continue;
        }
        const std::size_t close = prompt.find('>', arguments);
        if (close == arguments) {
            continue;
        }
        auto tag = read_tag(kind, prompt.substr(arguments, close - arguments));
        if (!tag) {
            remark(fmt::format(
                "the tag {} stays text; it is written as <{}:name:0.8>, the number between -{} and "
                "{}",
                quoted_text(prompt.substr(at, close + 1 - at)),
                kind,
                kMaxPromptWeight,
                kMaxPromptWeight
            ));
        } else {
            result.tags.push_back(std::move(*tag));
            result.text += prompt.substr(kept, at - kept);
            result.aligned += prompt.substr(kept, at - kept);
            result.aligned.append(character_count(prompt.substr(at, close + 1 - at)), ' ');
            kept = close + 1;
        }
        at = close;
    }
    result.text += prompt.substr(kept);
    result.aligned += prompt.substr(kept);
    return result;
}

}  // namespace tessera
