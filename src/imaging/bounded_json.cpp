#include "base/utf8.h"
#include "imaging/bounded_json_internal.h"

#include <array>
#include <cmath>

namespace tessera {
namespace {

/// A copy in which Python's words for numbers that are none are null; nothing when it is nested too
/// deep. Texts are passed over.
std::optional<std::string> prepare(std::string_view text) {
    constexpr std::array<std::string_view, 3> kNoNumbers{"-Infinity", "Infinity", "NaN"};
    std::string prepared;
    prepared.reserve(text.size());
    std::size_t depth = 0;
    bool in_text = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char letter = text[at];
        if (in_text) {
            prepared += letter;
            if (letter == '\\' && at + 1 < text.size()) {
                prepared += text[++at];
            } else {
                in_text = letter != '"';
            }
            continue;
        }
        std::size_t skipped = 0;
        for (const std::string_view word : kNoNumbers) {
            if (skipped == 0 && text.substr(at).starts_with(word)) {
                skipped = word.size();
            }
        }
        if (skipped > 0) {
            prepared += "null";
            at += skipped - 1;
            continue;
        }
        in_text = letter == '"';
        if (letter == '{' || letter == '[') {
            ++depth;
        } else if ((letter == '}' || letter == ']') && depth > 0) {
            --depth;
        }
        if (depth > kDeepestForeignJson) {
            return std::nullopt;
        }
        prepared += letter;
    }
    return prepared;
}

}  // namespace

Result<nlohmann::json> parse_bounded_json(std::string_view what, std::string_view text) {
    if (text.size() > kMostForeignJson) {
        return fail(
            ErrorKind::kExhausted,
            "{} in the picture is {} bytes long; at most {} are read",
            what,
            text.size(),
            kMostForeignJson
        );
    }
    if (auto status = check_utf8(text); !status) {
        return fail(ErrorKind::kCorrupt, "{} in the picture is damaged: it is not UTF-8", what);
    }
    const auto prepared = prepare(text);
    if (!prepared) {
        return fail(
            ErrorKind::kExhausted,
            "{} in the picture is nested more than {} levels deep, the limit",
            what,
            kDeepestForeignJson
        );
    }
    auto json = nlohmann::json::parse(*prepared, nullptr, false);
    if (!json.is_object()) {
        return fail(
            ErrorKind::kCorrupt, "{} in the picture is damaged: it is not a JSON object", what
        );
    }
    return json;
}

const nlohmann::json& member(const nlohmann::json& object, const char* key) {
    static const nlohmann::json nothing;
    if (!object.is_object()) {
        return nothing;
    }
    const auto found = object.find(key);
    return found == object.end() ? nothing : *found;
}

std::optional<std::string> scalar_text(const nlohmann::json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_boolean()) {
        return value.get<bool>() ? "true" : "false";
    }
    if (value.is_number_unsigned()) {
        return fmt::format("{}", value.get<std::uint64_t>());
    }
    if (value.is_number_integer()) {
        return fmt::format("{}", value.get<std::int64_t>());
    }
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        // Below 2^53 a whole number in another form is that number.
        constexpr double kExact = 9007199254740992.0;
        return std::floor(number) == number && std::abs(number) < kExact
                   ? fmt::format("{:.0f}", number)
                   : fmt::format("{}", number);
    }
    return std::nullopt;
}

}  // namespace tessera
