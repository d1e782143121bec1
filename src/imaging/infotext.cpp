#include "imaging/infotext.h"

#include "base/utf8.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace tessera {
namespace {

constexpr std::string_view kNegativePrompt = "Negative prompt:";
constexpr std::size_t kFewestParameters = 3;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What Python's str.strip() and the \s of its regular expressions take among ASCII.
bool is_space(char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r') ||
           (letter >= '\x1C' && letter <= '\x1F');
}

// The \w of Python's regular expressions, with every character beyond ASCII taken for a letter.
bool is_word(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' ||
           static_cast<unsigned char>(letter) >= 0x80U;
}

bool is_key_part(char letter) {
    return is_word(letter) || letter == ' ' || letter == '-' || letter == '/';
}

bool is_key(std::string_view text) {
    return text.size() >= 2 && is_word(text.front()) &&
           std::all_of(text.begin(), text.end(), is_key_part);
}

std::string_view strip(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string quote_if_needed(const std::string& value) {
    const auto needs_quotes = [](char letter) {
        return letter == ',' || letter == ':' || static_cast<unsigned char>(letter) < 0x20U;
    };
    const bool is_plain = !value.empty() && value.front() != '"' && !is_space(value.front()) &&
                          !is_space(value.back()) &&
                          std::none_of(value.begin(), value.end(), needs_quotes);
    return is_plain ? value : nlohmann::json(value).dump();
}

std::string unquote(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        const auto json = nlohmann::json::parse(value, nullptr, false);
        if (json.is_string()) {
            return json.get<std::string>();
        }
    }
    return std::string(value);
}

/// Length of the value at the front of `text`: a quoted string that a comma or the end follows,
/// else all up to the next comma.
std::size_t value_length(std::string_view text) {
    if (text.starts_with('"')) {
        std::size_t at = 1;
        while (at < text.size() && text[at] != '"') {
            at += text[at] == '\\' ? 2U : 1U;
        }
        const bool is_closed = at < text.size();
        if (is_closed && (at + 1 == text.size() || text[at + 1] == ',')) {
            return at + 1;
        }
    }
    return std::min(text.find(','), text.size());
}

/// All that `\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)` finds, in time linear in the
/// line: a run of key characters is looked at once, because only a whole run can end in a colon.
Pairs find_parameters(std::string_view line) {
    Pairs found;
    for (std::size_t at = 0; at < line.size();) {
        if (!is_word(line[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < line.size() && is_key_part(line[end])) {
            ++end;
        }
        const bool is_pair = end < line.size() && line[end] == ':' && end - at >= 2;
        if (!is_pair) {
            at = end;
            continue;
        }
        std::size_t value_at = end + 1;
        while (value_at < line.size() && is_space(line[value_at])) {
            ++value_at;
        }
        const std::string_view rest = line.substr(value_at);
        const std::size_t length = value_length(rest);
        found.emplace_back(line.substr(at, end - at), unquote(rest.substr(0, length)));
        at = value_at + length + 1;
    }
    return found;
}

std::string_view last_line(std::string_view text) {
    return text.substr(text.find_last_of('\n') + 1);  // npos + 1 is 0
}

bool ends_like_parameters(std::string_view text) {
    return find_parameters(last_line(strip(text))).size() >= kFewestParameters;
}

void append_line(std::string& text, std::string_view line) {
    if (!text.empty()) {
        text += '\n';
    }
    text += line;
}

Status check(const Infotext& infotext) {
    TESSERA_TRY(check_utf8(infotext.prompt));
    TESSERA_TRY(check_utf8(infotext.negative_prompt));
    const std::size_t count = infotext.parameters.size();
    if (count > 0 && count < kFewestParameters) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} parameters are too few for a reader to recognise, write at least {}",
            count,
            kFewestParameters
        );
    }
    for (const auto& [key, value] : infotext.parameters) {
        TESSERA_TRY(check_utf8(key));
        TESSERA_TRY(check_utf8(value));
        if (!is_key(key)) {
            return fail(
                ErrorKind::kInvalidArgument, "\"{}\" cannot be the name of a parameter", key
            );
        }
    }
    return {};
}

}  // namespace

std::optional<std::string_view> Infotext::find(std::string_view key) const {
    const auto found = std::find_if(parameters.rbegin(), parameters.rend(), [&](const auto& pair) {
        return pair.first == key;
    });
    return found == parameters.rend() ? std::nullopt
                                      : std::optional<std::string_view>(found->second);
}

Result<std::string> write_infotext(const Infotext& infotext) {
    TESSERA_TRY(check(infotext));
    std::string text = infotext.prompt;
    if (!infotext.negative_prompt.empty()) {
        text += '\n';
        text += kNegativePrompt;
        text += ' ';
        text += infotext.negative_prompt;
    }
    std::string line;
    for (const auto& [key, value] : infotext.parameters) {
        line += line.empty() ? "" : ", ";
        line += key;
        line += ": ";
        line += quote_if_needed(value);
    }
    if (!line.empty()) {
        text += '\n';
        text += line;
    } else if (ends_like_parameters(text)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "without parameters a reader would take the prompt's last line for them: "
            "write the parameters too"
        );
    }
    return text;
}

Infotext parse_infotext(std::string_view text) {
    Infotext parsed;
    std::string_view rest = strip(text);
    Pairs pairs = find_parameters(last_line(rest));
    if (pairs.size() >= kFewestParameters) {
        parsed.parameters = std::move(pairs);
        rest.remove_suffix(last_line(rest).size());
        rest.remove_suffix(rest.empty() ? 0 : 1);
    }
    bool is_negative = false;
    for (std::size_t start = 0; start <= rest.size();) {
        const std::size_t end = std::min(rest.find('\n', start), rest.size());
        std::string_view line = strip(rest.substr(start, end - start));
        start = end + 1;
        if (line.starts_with(kNegativePrompt)) {
            is_negative = true;
            line = strip(line.substr(kNegativePrompt.size()));
        }
        append_line(is_negative ? parsed.negative_prompt : parsed.prompt, line);
    }
    return parsed;
}

std::optional<std::pair<int, int>> parse_size(std::string_view value) {
    const char* start = value.data();
    const char* end = start + value.size();
    int width = 0;
    int height = 0;
    const auto first = std::from_chars(start, end, width);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x') {
        return std::nullopt;
    }
    const auto second = std::from_chars(first.ptr + 1, end, height);
    if (second.ec != std::errc() || second.ptr != end || width <= 0 || height <= 0) {
        return std::nullopt;
    }
    return std::pair(width, height);
}

}  // namespace tessera
