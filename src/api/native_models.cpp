#include "api/native_internal.h"

namespace tessera::api {
namespace {

OrderedJson model_json(const ModelEntry& model) {
    OrderedJson json;
    json["name"] = model.name;
    json["hash"] = model.hash;
    json["default"] = model.is_default;
    json["description"] = model.description;
    json["width"] = model.width;
    json["height"] = model.height;
    json["steps"] = model.steps;
    json["cfg"] = model.cfg;
    json["sampler"] = model.sampler;
    json["vocabulary"] = model.vocabulary;
    return json;
}

OrderedJson catalog_json(const Catalog& catalog) {
    OrderedJson json;
    json["models"] = OrderedJson::array();
    for (const ModelEntry& model : catalog.models()) {
        json["models"].push_back(model_json(model));
    }
    json["samplers"] = OrderedJson::array();
    for (const SamplerEntry& sampler : catalog.samplers()) {
        json["samplers"].push_back({{"name", sampler.name}, {"aliases", sampler.aliases}});
    }
    json["schedules"] = catalog.schedules();
    json["upscalers"] = OrderedJson::array();
    for (const UpscalerEntry& upscaler : catalog.upscalers()) {
        json["upscalers"].push_back({{"name", upscaler.name}, {"scale", upscaler.scale}});
    }
    json["styles"] = OrderedJson::array();
    for (const StyleEntry& style : catalog.styles()) {
        json["styles"].push_back(
            {{"name", style.name},
             {"prompt", style.prompt},
             {"negative_prompt", style.negative_prompt}}
        );
    }
    json["embeddings"] = catalog.embeddings();
    return json;
}

}  // namespace

void add_native_model_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/models",
        answering([parts](const http::Request& request, const Caller& /*caller*/) {
            return json_answer(request, 200, catalog_json(parts->catalog));
        })
    );
}

}  // namespace tessera::api
