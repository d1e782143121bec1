#include "api/json_body.h"
#include "api/native_internal.h"

#include <array>
#include <utility>

namespace tessera::api {
namespace {

OrderedJson key_json(const KeyRecord& record) {
    OrderedJson json;
    json["id"] = record.id;
    json["name"] = record.name;
    json["tenant"] = record.tenant;
    json["role"] = to_string(record.role);
    json["created"] = iso_time(record.created);
    if (record.expires) {
        json["expires"] = iso_time(*record.expires);
    }
    return json;
}

Checked<http::Response> list_keys(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_TRY(require_admin(caller));
    OrderedJson keys = OrderedJson::array();
    for (const KeyRecord& record : parts.keys.list()) {
        keys.push_back(key_json(record));
    }
    return json_answer(request, 200, {{"keys", std::move(keys)}});
}

Checked<http::Response> add_key(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_TRY(require_admin(caller));
    TESSERA_ASSIGN(const BodyFormat format, body_format(request.fields.get("Content-Type")));
    TESSERA_ASSIGN(JsonObject body, JsonObject::parse(format, request.body));
    std::string name;
    std::string tenant;
    std::string role = "user";
    std::optional<double> lifetime_seconds;
    body.read("name", name);
    body.read("tenant", tenant);
    body.read("role", role);
    body.read("lifetime_seconds", lifetime_seconds);
    constexpr double kLongest = 100.0 * 365.0 * 86'400.0;
    if (lifetime_seconds && !(*lifetime_seconds >= 1.0 && *lifetime_seconds <= kLongest)) {
        body.refuse("lifetime_seconds", "it must be from a second to a hundred years");
    }
    const auto found = find_role(role);
    if (!found) {
        body.refuse("role", found.error().message);
    }
    TESSERA_TRY(body.finish_strictly());
    const auto lifetime =
        lifetime_seconds ? std::optional(duration_of(*lifetime_seconds)) : std::nullopt;
    auto made = parts.keys.add(name, tenant.empty() ? name : tenant, *found, lifetime);
    if (!made) {
        return tl::unexpected(ApiFault(in_words_of(
            std::move(made).error(),
            std::to_array<FieldName>({{"name", "name"}, {"tenant", "tenant"}})
        )));
    }
    OrderedJson json = key_json(made->record);
    json["key"] = made->key;
    return json_answer(request, 201, json);
}

Checked<http::Response> remove_key(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_TRY(require_admin(caller));
    TESSERA_TRY(parts.keys.remove(parameter_of(request, "id")));
    return http::Response{204, {}, {}};
}

}  // namespace

void add_native_key_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/keys",
        answering([parts](const http::Request& request, const Caller& caller) {
            return list_keys(*parts, request, caller);
        })
    );
    router.add(
        "POST",
        "/api/v1/keys",
        answering([parts](const http::Request& request, const Caller& caller) {
            return add_key(*parts, request, caller);
        })
    );
    router.add(
        "DELETE",
        "/api/v1/keys/{id}",
        answering([parts](const http::Request& request, const Caller& caller) {
            return remove_key(*parts, request, caller);
        })
    );
}

}  // namespace tessera::api
