#include "api/json_body.h"

#include "api/json_tree_internal.h"
#include "base/similar_name.h"
#include "http/media_type.h"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

/// Doubles hold every whole number up to here.
constexpr double kExactDouble = 9'007'199'254'740'992.0;

std::string_view type_in_words(const Json& value) {
    switch (value.type()) {
        case Json::value_t::object:
            return "an object";
        case Json::value_t::array:
            return "a list";
        case Json::value_t::string:
            return "a text";
        case Json::value_t::boolean:
            return "true or false";
        case Json::value_t::null:
            return "null";
        default:
            return "a number";
    }
}

template <class Whole>
std::optional<Whole> whole_number(const Json& value) {
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        return std::in_range<Whole>(number) ? std::optional(static_cast<Whole>(number))
                                            : std::nullopt;
    }
    if (value.is_number_integer()) {
        const auto number = value.get<std::int64_t>();
        return std::in_range<Whole>(number) ? std::optional(static_cast<Whole>(number))
                                            : std::nullopt;
    }
    const auto number = value.get<double>();
    if (std::abs(number) > kExactDouble || std::trunc(number) != number ||
        !std::in_range<Whole>(static_cast<std::int64_t>(number))) {
        return std::nullopt;
    }
    return static_cast<Whole>(number);
}

}  // namespace

struct JsonObject::Node {
    std::shared_ptr<const Json> document;
    const Json* value = nullptr;
    std::string path;  ///< of what is within: "" or "override_settings."
    std::set<std::string, std::less<>> looked_at;
    std::vector<std::shared_ptr<Node>> children;
    std::shared_ptr<std::optional<FieldError>> wrong;

    /// nullptr: absent, null, or something is wrong already.
    const Json* find(std::string_view name) {
        looked_at.emplace(name);
        const auto found = value->find(name);
        return *wrong || found == value->end() || found->is_null() ? nullptr : &*found;
    }

    void refuse(std::string_view name, const std::string& why) {
        if (!*wrong) {
            std::string field = path + std::string(name);
            Error error{ErrorKind::kInvalidArgument, field + ": " + why};
            *wrong = FieldError{std::move(error), std::move(field)};
        }
    }

    void expected(std::string_view name, std::string_view what, const Json& is) {
        refuse(name, fmt::format("it must be {}, not {}", what, type_in_words(is)));
    }

    template <class Whole>
    void read_whole(std::string_view name, Whole& target) {
        const Json* field = find(name);
        if (field == nullptr) {
            return;
        }
        if (!field->is_number()) {
            expected(name, "a whole number", *field);
        } else if (const auto number = whole_number<Whole>(*field)) {
            target = *number;
        } else {
            refuse(
                name,
                fmt::format(
                    "it must be a whole number from {} to {}, not {}",
                    std::numeric_limits<Whole>::min(),
                    std::numeric_limits<Whole>::max(),
                    field->dump()
                )
            );
        }
    }

    std::shared_ptr<Node> child(const Json& within, std::string name) {
        children.push_back(std::make_shared<Node>(Node{
            document, &within, path + std::move(name) + ".", {}, {}, wrong}));
        return children.back();
    }

    [[nodiscard]] std::optional<FieldError> first_unknown() const {
        for (const auto& [name, field] : value->items()) {
            if (looked_at.contains(name)) {
                continue;
            }
            const std::vector<std::string_view> known(looked_at.begin(), looked_at.end());
            const std::string_view near = most_similar(name, known);
            std::string message = fmt::format("{}{}: there is no such field", path, name);
            if (!near.empty()) {
                message += fmt::format("; did you mean {}?", near);
            }
            return FieldError{{ErrorKind::kInvalidArgument, std::move(message)}, path + name};
        }
        for (const auto& one : children) {
            if (auto unknown = one->first_unknown()) {
                return unknown;
            }
        }
        return std::nullopt;
    }
};

Result<BodyFormat> body_format(std::string_view content_type) {
    if (content_type.empty()) {
        return BodyFormat::kJson;
    }
    const auto type = http::parse_parameterized(content_type);
    if (type && (type->value == "application/json" || type->value.ends_with("+json"))) {
        return BodyFormat::kJson;
    }
    if (type && (type->value == "application/msgpack" || type->value == "application/x-msgpack" ||
                 type->value == "application/vnd.msgpack")) {
        return BodyFormat::kMessagePack;
    }
    return fail(
        ErrorKind::kUnsupported, "the Content-Type must be application/json or application/msgpack"
    );
}

Result<JsonObject> JsonObject::parse(BodyFormat format, std::string_view body) {
    TESSERA_ASSIGN(
        auto tree,
        read_json_tree(format == BodyFormat::kMessagePack, body, kMaxJsonDepth, kMaxJsonValues)
    );
    if (!tree.is_object()) {
        return fail(
            ErrorKind::kInvalidArgument, "the body must be an object, not {}", type_in_words(tree)
        );
    }
    auto document = std::make_shared<const Json>(std::move(tree));
    const Json* root = document.get();
    return JsonObject(std::make_shared<Node>(Node{
        std::move(document), root, {}, {}, {}, std::make_shared<std::optional<FieldError>>()}));
}

void JsonObject::read(std::string_view name, std::string& value) {
    if (const Json* field = node_->find(name)) {
        if (field->is_string()) {
            value = field->get_ref<const std::string&>();
        } else {
            node_->expected(name, "a text", *field);
        }
    }
}

void JsonObject::read(std::string_view name, bool& value) {
    if (const Json* field = node_->find(name)) {
        if (field->is_boolean()) {
            value = field->get<bool>();
        } else {
            node_->expected(name, "true or false", *field);
        }
    }
}

void JsonObject::read(std::string_view name, int& value) {
    node_->read_whole(name, value);
}

void JsonObject::read(std::string_view name, std::int64_t& value) {
    node_->read_whole(name, value);
}

void JsonObject::read(std::string_view name, std::uint64_t& value) {
    node_->read_whole(name, value);
}

void JsonObject::read(std::string_view name, double& value) {
    if (const Json* field = node_->find(name)) {
        if (field->is_number()) {
            value = field->get<double>();
        } else {
            node_->expected(name, "a number", *field);
        }
    }
}

void JsonObject::read(std::string_view name, std::vector<std::string>& value) {
    const Json* field = node_->find(name);
    if (field == nullptr) {
        return;
    }
    if (!field->is_array()) {
        node_->expected(name, "a list of texts", *field);
        return;
    }
    std::vector<std::string> texts;
    for (const Json& entry : *field) {
        if (!entry.is_string()) {
            node_->expected(fmt::format("{}[{}]", name, texts.size()), "a text", entry);
            return;
        }
        texts.push_back(entry.get<std::string>());
    }
    value = std::move(texts);
}

void JsonObject::read_text_or_number(std::string_view name, std::string& value) {
    if (const Json* field = node_->find(name)) {
        if (field->is_string()) {
            value = field->get<std::string>();
        } else if (field->is_number()) {
            const auto whole = whole_number<std::int64_t>(*field);
            value = whole ? std::to_string(*whole) : field->dump();
        } else {
            node_->expected(name, "a text or a number", *field);
        }
    }
}

std::optional<JsonObject> JsonObject::object(std::string_view name) {
    const Json* field = node_->find(name);
    if (field == nullptr) {
        return std::nullopt;
    }
    if (!field->is_object()) {
        node_->expected(name, "an object", *field);
        return std::nullopt;
    }
    return JsonObject(node_->child(*field, std::string(name)));
}

std::vector<JsonObject> JsonObject::objects(std::string_view name) {
    const Json* field = node_->find(name);
    if (field == nullptr) {
        return {};
    }
    if (!field->is_array()) {
        node_->expected(name, "a list of objects", *field);
        return {};
    }
    std::vector<JsonObject> all;
    for (const Json& entry : *field) {
        const std::string place = fmt::format("{}[{}]", name, all.size());
        if (!entry.is_object()) {
            node_->expected(place, "an object", entry);
            return {};
        }
        all.push_back(JsonObject(node_->child(entry, place)));
    }
    return all;
}

bool JsonObject::has(std::string_view name) const {
    node_->looked_at.emplace(name);
    const auto found = node_->value->find(name);
    return found != node_->value->end() && !found->is_null();
}

bool JsonObject::is_text(std::string_view name) const {
    return has(name) && node_->value->find(name)->is_string();
}

std::vector<std::string> JsonObject::names() const {
    std::vector<std::string> all;
    for (const auto& [name, value] : node_->value->items()) {
        all.push_back(name);
    }
    return all;
}

std::string JsonObject::dump() const {
    return node_->value->dump();
}

void JsonObject::refuse(std::string_view name, const std::string& why) {
    node_->refuse(name, why);
}

bool JsonObject::is_good() const {
    return !*node_->wrong;
}

tl::expected<void, FieldError> JsonObject::finish() const {
    if (*node_->wrong) {
        return tl::unexpected(**node_->wrong);
    }
    return {};
}

tl::expected<void, FieldError> JsonObject::finish_strictly() const {
    if (*node_->wrong) {
        return tl::unexpected(**node_->wrong);
    }
    if (auto unknown = node_->first_unknown()) {
        return tl::unexpected(*std::move(unknown));
    }
    return {};
}

}  // namespace tessera::api
