#pragma once

#include "api/openapi_document.h"
#include "http/message.h"
#include "storage/object_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::api {

/// Holds answers against api/openapi.json. Knows the part of JSON Schema that the document uses,
/// and says so when it meets another.
class OpenApi {
  public:
    using Json = nlohmann::json;

    /// Methods in capitals and paths.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> operations() const {
        std::vector<std::pair<std::string, std::string>> all;
        for (const auto& [path, methods] : document_.at("paths").items()) {
            for (const auto& [method, operation] : methods.items()) {
                std::string capital = method;
                std::ranges::transform(capital, capital.begin(), [](char letter) {
                    return static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
                });
                all.emplace_back(std::move(capital), path);
            }
        }
        return all;
    }

    /// What is wrong with the answer; empty: nothing.
    [[nodiscard]] std::string check(
        std::string method, std::string_view target, const http::Response& response
    ) const {
        std::ranges::transform(method, method.begin(), [](char letter) {
            return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        });
        const std::string path(target.substr(0, target.find('?')));
        const Json* operation = find(method, path);
        if (operation == nullptr) {
            return fmt::format("{} {} stands nowhere", method, path);
        }
        const Json& responses = operation->at("responses");
        const std::string status = std::to_string(response.status);
        const Json* described = responses.contains(status) ? &responses.at(status)
                                : response.status >= 400   ? &responses.at("default")
                                                           : nullptr;
        if (described == nullptr) {
            return fmt::format("{} {} does not say that it answers {}", method, path, status);
        }
        if (!described->contains("content")) {
            return response.body.empty() ? "" : "a body where there should be none";
        }
        return check_body(described->at("content"), response);
    }

    [[nodiscard]] std::string check(const std::string& schema, const Json& value) const {
        return violation(Json{{"$ref", "#/components/schemas/" + schema}}, value, schema);
    }

  private:
    static std::vector<std::string> segments(const std::string& path) {
        std::vector<std::string> all;
        std::istringstream in(path);
        for (std::string one; std::getline(in, one, '/');) {
            all.push_back(one);
        }
        return all;
    }

    [[nodiscard]] const Json* find(const std::string& method, const std::string& path) const {
        const auto wanted = segments(path);
        const Json* found = nullptr;
        for (const auto& [pattern, methods] : document_.at("paths").items()) {
            const auto fits = [](const std::string& one, const std::string& is) {
                return one.starts_with('{') || one == is;
            };
            const auto shape = segments(pattern);
            const bool is_it =
                std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(), fits);
            if (is_it && methods.contains(method) &&
                (found == nullptr || pattern.find('{') == std::string::npos)) {
                found = &methods.at(method);
            }
        }
        return found;
    }

    [[nodiscard]] std::string check_body(const Json& content, const http::Response& response)
        const {
        std::string type(response.fields.get("Content-Type"));
        type = type.substr(0, type.find(';'));
        const std::string family = type.substr(0, type.find('/')) + "/*";
        const Json* media = content.contains(type)     ? &content.at(type)
                            : content.contains(family) ? &content.at(family)
                                                       : nullptr;
        if (media == nullptr) {
            return "the answer has the type " + type;
        }
        if (type == "application/json" || type == "application/msgpack") {
            const bool is_packed = type == "application/msgpack";
            const auto value = is_packed ? Json::from_msgpack(response.body, true, false)
                                         : Json::parse(response.body, nullptr, false);
            return value.is_discarded() ? "the body cannot be read"
                                        : violation(media->at("schema"), value, "body");
        }
        return {};
    }

    static bool has_type(const Json& value, const std::string& type) {
        return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
               (type == "string" && value.is_string()) ||
               (type == "boolean" && value.is_boolean()) || (type == "null" && value.is_null()) ||
               (type == "number" && value.is_number()) ||
               (type == "integer" && value.is_number_integer());
    }

    [[nodiscard]] std::string violation(
        const Json& schema, const Json& value, const std::string& at
    ) const {
        static const std::vector<std::string> kKnown = {
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "enum",
            "pattern",
            "minimum",
            "maximum",
            "oneOf",
            "$ref",
            "format",
            "description",
            "default"};
        for (const auto& [word, rule] : schema.items()) {
            if (std::ranges::find(kKnown, word) == kKnown.end()) {
                return "the checker does not know " + word;
            }
        }
        if (schema.contains("$ref")) {
            const std::string name = schema.at("$ref").get<std::string>();
            return violation(document_.at(Json::json_pointer(name.substr(1))), value, at);
        }
        if (schema.contains("oneOf")) {
            const auto fits = std::ranges::count_if(schema.at("oneOf"), [&](const Json& one) {
                return violation(one, value, at).empty();
            });
            return fits == 1 ? "" : fmt::format("{} fits {} of oneOf", at, fits);
        }
        return violation_of_value(schema, value, at);
    }

    [[nodiscard]] std::string violation_of_value(
        const Json& schema, const Json& value, const std::string& at
    ) const {
        if (schema.contains("type")) {
            const Json& type = schema.at("type");
            const Json types = type.is_array() ? type : Json::array({type});
            if (std::ranges::none_of(types, [&](const Json& one) {
                    return has_type(value, one.get<std::string>());
                })) {
                return fmt::format("{} is no {}: {}", at, type.dump(), value.dump());
            }
        }
        if (schema.contains("enum") &&
            std::ranges::find(schema.at("enum"), value) == schema.at("enum").end()) {
            return fmt::format("{} is none of its values: {}", at, value.dump());
        }
        if (schema.contains("pattern")) {
            if (schema.at("pattern") != "^[0-9a-f]{64}$") {
                return "the checker knows one pattern alone";
            }
            if (!is_sha256(value.get<std::string>())) {
                return fmt::format("{} is no SHA-256: {}", at, value.dump());
            }
        }
        if ((schema.contains("minimum") && value < schema.at("minimum")) ||
            (schema.contains("maximum") && value > schema.at("maximum"))) {
            return fmt::format("{} is out of its bounds: {}", at, value.dump());
        }
        return value.is_object()  ? violation_within(schema, value, at)
               : value.is_array() ? violation_of_items(schema, value, at)
                                  : "";
    }

    [[nodiscard]] std::string violation_within(
        const Json& schema, const Json& value, const std::string& at
    ) const {
        const Json properties = schema.value("properties", Json::object());
        for (const Json& name : schema.value("required", Json::array())) {
            if (!value.contains(name.get<std::string>())) {
                return fmt::format("{} lacks {}", at, name.get<std::string>());
            }
        }
        for (const auto& [name, field] : value.items()) {
            if (properties.contains(name)) {
                if (auto wrong = violation(properties.at(name), field, at + "." + name);
                    !wrong.empty()) {
                    return wrong;
                }
            } else if (!schema.value("additionalProperties", true)) {
                return fmt::format("{} has a {} that is not described", at, name);
            }
        }
        return {};
    }

    [[nodiscard]] std::string violation_of_items(
        const Json& schema, const Json& value, const std::string& at
    ) const {
        for (std::size_t i = 0; i < value.size() && schema.contains("items"); ++i) {
            auto wrong = violation(schema.at("items"), value[i], fmt::format("{}[{}]", at, i));
            if (!wrong.empty()) {
                return wrong;
            }
        }
        return {};
    }

    const Json document_ = Json::parse(openapi_document());
};

}  // namespace tessera::api
