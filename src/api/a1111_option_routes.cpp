#include "api/a1111_farm_internal.h"

#include <array>
#include <string_view>
#include <utility>

namespace tessera::api {
namespace {

/// Models are found and loaded when a job needs them: there is nothing to be done by hand.
constexpr std::array<std::string_view, 6> kNothingToDo{
    "refresh-checkpoints",
    "refresh-vae",
    "refresh-embeddings",
    "refresh-loras",
    "unload-checkpoint",
    "reload-checkpoint",
};

void change(A1111Farm& farm, const ExchangePtr& exchange) {
    const std::string& key = desk_key(*exchange);
    auto options = changed_options(
        farm.desk.options(key), exchange->request().body, "", farm.parts.catalog.models()
    );
    if (!options) {
        exchange->respond(a1111_error(options.error()));
        return;
    }
    farm.desk.set_options(key, *std::move(options));
    exchange->respond(http::json_response(200, "null"));
}

}  // namespace

void add_a1111_option_routes(http::Router& router, const A1111FarmPtr& farm) {
    router.add("GET", "/sdapi/v1/options", [farm](const ExchangePtr& exchange) {
        exchange->respond(http::json_response(
            200, options_json(farm->desk.options(desk_key(*exchange)), farm->parts.catalog.models())
        ));
    });
    router.add("POST", "/sdapi/v1/options", [farm](const ExchangePtr& exchange) {
        change(*farm, exchange);
    });
    for (const std::string_view name : kNothingToDo) {
        router.add("POST", fmt::format("/sdapi/v1/{}", name), [](const ExchangePtr& exchange) {
            exchange->respond(http::json_response(200, "null"));
        });
    }
}

}  // namespace tessera::api
