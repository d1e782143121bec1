#include "api/native_internal.h"
#include "api/openapi_document.h"

namespace tessera::api {
namespace {

http::Handler document(const char* media_type) {
    return [media_type](const ExchangePtr& exchange) {
        http::Response response{200, {}, std::string(openapi_document())};
        response.fields.add("Content-Type", media_type);
        response.fields.add("Cache-Control", "no-cache");
        exchange->respond(std::move(response));
    };
}

}  // namespace

void add_native_document_routes(http::Router& router) {
    router.add("GET", "/api/v1/openapi.json", document("application/json"));
    // JSON is YAML.
    router.add("GET", "/api/v1/openapi.yaml", document("application/yaml"));
}

}  // namespace tessera::api
