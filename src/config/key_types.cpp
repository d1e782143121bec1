#include "base/number.h"
#include "base/utf8.h"
#include "config/key_types_internal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace tessera {
namespace {

std::string kind_of(const ConfigValue& value) {
    struct Kind {
        std::string operator()(bool) const { return "true or false"; }
        std::string operator()(std::int64_t) const { return "an integer"; }
        std::string operator()(double) const { return "a number with a fraction"; }
        std::string operator()(const std::string&) const { return "a text"; }
        std::string operator()(const std::vector<std::string>&) const { return "a list"; }
        std::string operator()(const UntypedText& text) const { return "'" + text.text + "'"; }
        std::string operator()(const OtherValue& other) const { return other.kind; }
    };
    return std::visit(Kind{}, value);
}

tl::unexpected<Error> wrong_type(std::string_view wanted, const ConfigValue& value) {
    return fail(ErrorKind::kInvalidArgument, "it is {}, and {} is wanted", kind_of(value), wanted);
}

/// The text of a value that is one, or may be read as one.
const std::string* text_in(const ConfigValue& value) {
    if (const auto* const untyped = std::get_if<UntypedText>(&value)) {
        return &untyped->text;
    }
    return std::get_if<std::string>(&value);
}

}  // namespace

template <>
Result<bool> read_as(const ConfigValue& value) {
    if (const auto* const truth = std::get_if<bool>(&value)) {
        return *truth;
    }
    if (const auto* const untyped = std::get_if<UntypedText>(&value)) {
        if (untyped->text == "true" || untyped->text == "false") {
            return untyped->text == "true";
        }
    }
    return wrong_type("true or false", value);
}

template <>
Result<std::int64_t> read_as(const ConfigValue& value) {
    if (const auto* const whole = std::get_if<std::int64_t>(&value)) {
        return *whole;
    }
    if (const auto* const untyped = std::get_if<UntypedText>(&value)) {
        if (const auto whole = read_number<std::int64_t>(untyped->text)) {
            return *whole;
        }
    }
    return wrong_type("an integer", value);
}

template <>
Result<int> read_as(const ConfigValue& value) {
    TESSERA_ASSIGN(const auto whole, read_as<std::int64_t>(value));
    if (whole < std::numeric_limits<int>::min() || whole > std::numeric_limits<int>::max()) {
        return fail(ErrorKind::kInvalidArgument, "{} is out of all range", whole);
    }
    return static_cast<int>(whole);
}

template <>
Result<double> read_as(const ConfigValue& value) {
    std::optional<double> real;
    if (const auto* const given = std::get_if<double>(&value)) {
        real = *given;
    } else if (const auto* const whole = std::get_if<std::int64_t>(&value)) {
        real = static_cast<double>(*whole);
    } else if (const auto* const untyped = std::get_if<UntypedText>(&value)) {
        real = read_number<double>(untyped->text);
    }
    if (!real || !std::isfinite(*real)) {
        return wrong_type("a finite number", value);
    }
    return *real;
}

template <>
Result<std::string> read_as(const ConfigValue& value) {
    const std::string* const text = text_in(value);
    if (text == nullptr) {
        return wrong_type("a text in quotes", value);
    }
    if (!check_utf8(*text) || text->find('\0') != std::string::npos) {
        return fail(ErrorKind::kInvalidArgument, "it is no UTF-8 text, or has a zero in it");
    }
    return *text;
}

template <>
Result<std::filesystem::path> read_as(const ConfigValue& value) {
    TESSERA_ASSIGN(std::string text, read_as<std::string>(value));
    return std::filesystem::path(std::move(text));
}

template <>
Result<std::vector<std::string>> read_as(const ConfigValue& value) {
    if (const auto* const list = std::get_if<std::vector<std::string>>(&value)) {
        return *list;
    }
    const auto* const untyped = std::get_if<UntypedText>(&value);
    if (untyped == nullptr) {
        return wrong_type("a list of texts, like [\"a\", \"b\"],", value);
    }
    std::vector<std::string> list;
    std::string_view rest = untyped->text;
    while (!rest.empty()) {
        const std::string_view element = rest.substr(0, rest.find(','));
        list.emplace_back(element);
        rest.remove_prefix(std::min(rest.size(), element.size() + 1));
    }
    return list;
}

template <>
Result<Duration> read_as(const ConfigValue& value) {
    const std::string* const text = text_in(value);
    return text != nullptr ? parse_duration(*text) : wrong_type("a duration, like \"30s\",", value);
}

template <>
Result<ByteSize> read_as(const ConfigValue& value) {
    const std::string* const text = text_in(value);
    return text != nullptr ? parse_byte_size(*text) : wrong_type("a size, like \"20GiB\",", value);
}

std::string toml_of(bool value) {
    return value ? "true" : "false";
}

std::string toml_of(int value) {
    return fmt::format("{}", value);
}

std::string toml_of(std::int64_t value) {
    return fmt::format("{}", value);
}

std::string toml_of(double value) {
    const std::string text = fmt::format("{}", value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string toml_of(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (code < 0x20 || code == 0x7F) {
            text += fmt::format("\\u{:04X}", code);
        } else {
            text += c;
        }
    }
    return text + '"';
}

std::string toml_of(const std::filesystem::path& value) {
    return toml_of(value.string());
}

std::string toml_of(const std::vector<std::string>& value) {
    std::string text = "[";
    for (const std::string& element : value) {
        text += (text.size() > 1 ? ", " : "") + toml_of(element);
    }
    return text + "]";
}

std::string toml_of(Duration value) {
    return toml_of(to_text(value));
}

std::string toml_of(ByteSize value) {
    return toml_of(to_text(value));
}

}  // namespace tessera
