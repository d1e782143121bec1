#include "http/media_type.h"

#include "base/number.h"
#include "http/message.h"

#include <algorithm>

namespace tessera::http {
namespace {

bool is_token_character(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(byte) != std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& letter : lowered) {
        if (letter >= 'A' && letter <= 'Z') {
            letter = static_cast<char>(letter - 'A' + 'a');
        }
    }
    return lowered;
}

class Scanner {
  public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool at_end() const { return rest_.empty(); }

    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    }
    bool skip(char byte) {
        if (!rest_.starts_with(byte)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view token() {
        const auto* end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
        const auto found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(found.size());
        return found;
    }
    /// After its opening quote. A backslash escapes only quote and backslash, so that file names of
    /// Windows come through whole.
    std::optional<std::string> quoted() {
        std::string text;
        while (!rest_.empty()) {
            char byte = rest_.front();
            rest_.remove_prefix(1);
            if (byte == '"') {
                return text;
            }
            if (byte == '\\' && (rest_.starts_with('"') || rest_.starts_with('\\'))) {
                byte = rest_.front();
                rest_.remove_prefix(1);
            }
            text.push_back(byte);
        }
        return std::nullopt;
    }

  private:
    std::string_view rest_;
};

/// How much an Accept range such as "application/*;q=0.5" wants the type: 0 not at all. `precision`
/// tells which of several ranges counts.
struct Wish {
    double quality = 0;
    int precision = -1;
};

Wish wish_of(std::string_view range, std::string_view type) {
    const auto parsed = parse_parameterized(range);
    if (!parsed) {
        return {};
    }
    int precision = -1;
    if (parsed->value == type) {
        precision = 2;
    } else if (parsed->value.ends_with("/*") &&
               type.starts_with(parsed->value.substr(0, parsed->value.size() - 1))) {
        precision = 1;
    } else if (parsed->value == "*/*") {
        precision = 0;
    }
    const auto text = parsed->parameter("q");
    const auto quality = text ? read_number<double>(*text).value_or(0) : 1.0;
    return {quality > 0 && quality <= 1 ? quality : 0, precision};
}

}  // namespace

std::optional<std::string_view> ParameterizedValue::parameter(std::string_view name) const {
    for (const auto& [key, found] : parameters) {
        if (key == name) {
            return found;
        }
    }
    return std::nullopt;
}

std::optional<ParameterizedValue> parse_parameterized(std::string_view text) {
    Scanner scanner(text);
    scanner.skip_space();
    ParameterizedValue parsed{lower(scanner.token()), {}};
    if (parsed.value.empty()) {
        return std::nullopt;
    }
    if (scanner.skip('/')) {
        const auto subtype = scanner.token();
        if (subtype.empty()) {
            return std::nullopt;
        }
        parsed.value += '/';
        parsed.value += lower(subtype);
    }
    for (;;) {
        scanner.skip_space();
        if (scanner.at_end()) {
            return parsed;
        }
        if (!scanner.skip(';')) {
            return std::nullopt;
        }
        scanner.skip_space();
        if (scanner.at_end()) {
            return parsed;
        }
        auto name = lower(scanner.token());
        if (name.empty() || !scanner.skip('=')) {
            return std::nullopt;
        }
        auto value = scanner.skip('"') ? scanner.quoted() : std::string(scanner.token());
        if (!value) {
            return std::nullopt;
        }
        parsed.parameters.emplace_back(std::move(name), *std::move(value));
    }
}

std::optional<std::size_t> preferred_type(
    std::string_view accept, std::span<const std::string_view> offers
) {
    if (accept.find_first_not_of(" \t") == std::string_view::npos) {
        return offers.empty() ? std::nullopt : std::optional<std::size_t>(0);
    }
    std::optional<std::size_t> best;
    double best_quality = 0;
    for (std::size_t i = 0; i < offers.size(); ++i) {
        Wish wish;
        for (std::string_view rest = accept; !rest.empty();) {
            const auto comma = std::min(rest.find(','), rest.size());
            const Wish other = wish_of(rest.substr(0, comma), offers[i]);
            wish = other.precision > wish.precision ? other : wish;
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
        if (wish.precision >= 0 && wish.quality > best_quality) {
            best = i;
            best_quality = wish.quality;
        }
    }
    return best;
}

}  // namespace tessera::http
