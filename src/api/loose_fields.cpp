#include "api/base64.h"
#include "api/json_body.h"
#include "api/json_tree_internal.h"
#include "api/loose_fields_internal.h"
#include "base/number.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tessera::api {
namespace {

std::string shown(const Json& value) {
    if (value.is_structured()) {
        return value.is_array() ? "a list" : "an object";
    }
    if (value.is_string() && value.get_ref<const std::string&>().size() > 60) {
        return "a long text";
    }
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

tl::unexpected<ApiFault> wrong(const std::string& name, std::string_view wanted, const Json& got) {
    return refuse(
        name, ErrorKind::kInvalidArgument, "{} must be {}, not {}", name, wanted, shown(got)
    );
}

std::optional<double> real_of(const Json& value) {
    std::optional<double> number;
    if (value.is_number()) {
        number = value.get<double>();
    } else if (value.is_string()) {
        number = read_number<double>(value.get_ref<const std::string&>());
    }
    return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::int64_t> whole_of(const Json& value) {
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        return number <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}
                   ? std::optional(static_cast<std::int64_t>(number))
                   : std::nullopt;
    }
    if (value.is_number_integer()) {
        return value.get<std::int64_t>();
    }
    if (value.is_string()) {
        return read_number<std::int64_t>(value.get_ref<const std::string&>());
    }
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (const auto number = real_of(value);
        number && std::trunc(*number) == *number && std::abs(*number) <= kExact) {
        return static_cast<std::int64_t>(*number);
    }
    return std::nullopt;
}

std::optional<bool> flag_of(const Json& value) {
    if (value.is_boolean()) {
        return value.get<bool>();
    }
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (text == "true" || text == "false") {
            return text == "true";
        }
    }
    if (const auto number = whole_of(value); number && (*number == 0 || *number == 1)) {
        return *number == 1;
    }
    return std::nullopt;
}

}  // namespace

Checked<Json> parse_loose_body(std::string_view body, bool empty) {
    if (body.empty() && empty) {
        return Json::object();
    }
    TESSERA_ASSIGN(auto parsed, read_json_tree(false, body, kMaxJsonDepth, kMaxJsonValues));
    if (!parsed.is_object()) {
        return refuse("", ErrorKind::kInvalidArgument, "the body must be a JSON object");
    }
    return parsed;
}

const Json* LooseFields::find(const std::string& name) const {
    const auto at = object_.find(name);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
}

Checked<std::optional<std::string>> LooseFields::text(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        return wrong(name, "a text", *value);
    }
    return value->get<std::string>();
}

Checked<std::optional<std::int64_t>> LooseFields::whole(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto number = whole_of(*value)) {
        return number;
    }
    return wrong(name, "a whole number", *value);
}

Checked<std::optional<int>> LooseFields::whole(const std::string& name, int least, int most) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto number = whole_of(*value);
    if (!number || *number < least || *number > most) {
        return wrong(name, fmt::format("a whole number from {} to {}", least, most), *value);
    }
    return static_cast<int>(*number);
}

Checked<std::optional<double>> LooseFields::real(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto number = real_of(*value)) {
        return number;
    }
    return wrong(name, "a number", *value);
}

Checked<std::optional<double>> LooseFields::real(const std::string& name, double least, double most)
    const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto number = real_of(*value);
    if (!number || *number < least || *number > most) {
        return wrong(name, fmt::format("a number from {} to {}", least, most), *value);
    }
    return number;
}

Checked<std::optional<bool>> LooseFields::flag(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto is_on = flag_of(*value)) {
        return is_on;
    }
    return wrong(name, "true or false", *value);
}

Checked<std::vector<std::string>> LooseFields::texts(const std::string& name) const {
    std::vector<std::string> all;
    const Json* value = find(name);
    if (value == nullptr) {
        return all;
    }
    if (!value->is_array()) {
        return wrong(name, "a list of texts", *value);
    }
    for (const Json& each : *value) {
        if (!each.is_string()) {
            return wrong(name, "a list of texts", each);
        }
        all.push_back(each.get<std::string>());
    }
    return all;
}

Checked<std::optional<std::string>> LooseFields::choice(
    const std::string& name, std::initializer_list<std::string_view> choices
) const {
    TESSERA_ASSIGN(auto value, text(name));
    if (value && std::ranges::find(choices, *value) == choices.end()) {
        return wrong(
            name, fmt::format("one of {}", fmt::join(choices, ", ")), Json(std::move(*value))
        );
    }
    return value;
}

Checked<std::optional<std::string>> LooseFields::seed(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_number_unsigned()) {
        return std::to_string(value->get<std::uint64_t>());
    }
    if (value->is_string()) {
        if (const auto number = read_number<std::uint64_t>(value->get_ref<const std::string&>())) {
            return std::to_string(*number);
        }
    }
    const auto number = whole_of(*value);
    if (!number) {
        return wrong(name, "a whole number", *value);
    }
    return *number < 0 ? "-1" : std::to_string(*number);
}

std::string LooseFields::first_of(std::initializer_list<std::string_view> names) const {
    const auto* at = std::ranges::find_if(names, [this](std::string_view name) {
        return has(std::string(name));
    });
    return std::string(at == names.end() ? *names.begin() : *at);
}

Checked<std::optional<Bytes>> LooseFields::picture(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        return wrong(name, "a picture in base 64", *value);
    }
    TESSERA_ASSIGN(auto bytes, picture_from(name, value->get_ref<const std::string&>()));
    return std::optional(std::move(bytes));
}

Checked<Bytes> picture_from(const std::string& field, std::string_view text) {
    auto read = read_picture_text(text);
    if (read.bytes) {
        return *std::move(read.bytes);
    }
    if (read.fault == PictureTextFault::kAddress) {
        return refuse(
            field,
            ErrorKind::kUnsupported,
            "{} is an address, and this server fetches none; send the picture itself as base 64 "
            "or as a data: URL",
            field
        );
    }
    return refuse(
        field,
        ErrorKind::kInvalidArgument,
        "{} is no picture in base 64 (bare, or as data:image/png;base64,...)",
        field
    );
}

}  // namespace tessera::api
