#include "api/a1111_farm_internal.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace tessera::api {
namespace {

using Json = nlohmann::ordered_json;

Json models(const ApiParts& parts) {
    Json list = Json::array();
    for (const ModelEntry& model : parts.catalog.models()) {
        list.push_back({
            {"title", model_title(model)},
            {"model_name", model.name},
            {"hash", short_hash(model)},
            {"sha256", model.hash},
            {"filename", model.name},
            {"config", nullptr},
        });
    }
    return list;
}

Json samplers(const ApiParts& parts) {
    Json list = Json::array();
    for (const SamplerEntry& sampler : parts.catalog.samplers()) {
        list.push_back({
            {"name", sampler.name},
            {"aliases", sampler.aliases},
            {"options", Json::object()},
        });
    }
    return list;
}

/// "SGM Uniform" as A1111 names it: "sgm_uniform".
std::string schedule_name(const std::string& label) {
    std::string name = label;
    std::ranges::transform(name, name.begin(), [](char letter) {
        const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        return lower == ' ' ? '_' : lower;
    });
    return name;
}

Json schedulers(const ApiParts& parts) {
    Json list = Json::array();
    for (const std::string& label : parts.catalog.schedules()) {
        list.push_back({
            {"name", schedule_name(label)},
            {"label", label},
            {"aliases", Json::array()},
            {"default_rho", -1.0},
            {"need_inner_model", false},
        });
    }
    return list;
}

Json upscaler(const std::string& name, const Json& scale) {
    return {
        {"name", name},
        {"model_name", nullptr},
        {"model_path", nullptr},
        {"model_url", nullptr},
        {"scale", scale},
    };
}

Json upscalers(const ApiParts& parts) {
    Json list = Json::array({upscaler("None", 1)});
    for (const UpscalerEntry& entry : parts.catalog.upscalers()) {
        list.push_back(upscaler(entry.name, entry.scale));
    }
    return list;
}

Json realesrgan_models(const ApiParts& parts) {
    Json list = Json::array();
    for (const UpscalerEntry& entry : parts.catalog.upscalers()) {
        if (entry.scale > 1) {
            list.push_back({{"name", entry.name}, {"path", nullptr}, {"scale", entry.scale}});
        }
    }
    return list;
}

Json styles(const ApiParts& parts) {
    Json list = Json::array();
    for (const StyleEntry& style : parts.catalog.styles()) {
        list.push_back({
            {"name", style.name},
            {"prompt", style.prompt},
            {"negative_prompt", style.negative_prompt},
        });
    }
    return list;
}

Json embeddings(const ApiParts& parts) {
    Json loaded = Json::object();
    for (const std::string& name : parts.catalog.embeddings()) {
        loaded[name] = {
            {"step", nullptr},
            {"sd_checkpoint", nullptr},
            {"sd_checkpoint_name", nullptr},
            {"shape", 0},
            {"vectors", 0},
        };
    }
    return {{"loaded", std::move(loaded)}, {"skipped", Json::object()}};
}

Json nothing(const ApiParts& /*parts*/) {
    return Json::array();
}

Json no_flags(const ApiParts& /*parts*/) {
    return Json::object();
}

Json scripts(const ApiParts& /*parts*/) {
    return {{"txt2img", Json::array()}, {"img2img", Json::array()}};
}

/// Whose memory would it be? The workers' stand in the native API.
Json memory(const ApiParts& /*parts*/) {
    return {
        {"ram", {{"error", "see GET /api/v1/workers"}}},
        {"cuda", {{"error", "see GET /api/v1/workers"}}},
    };
}

struct ListRoute {
    std::string_view name;
    Json (*list)(const ApiParts&);
};

/// What there is none of here is an empty list, so that clients show nothing to choose from.
constexpr std::array<ListRoute, 18> kRoutes{{
    {"sd-models", models},
    {"samplers", samplers},
    {"schedulers", schedulers},
    {"upscalers", upscalers},
    {"latent-upscale-modes", nothing},
    {"sd-vae", nothing},
    {"sd-modules", nothing},
    {"loras", nothing},
    {"embeddings", embeddings},
    {"hypernetworks", nothing},
    {"face-restorers", nothing},
    {"realesrgan-models", realesrgan_models},
    {"prompt-styles", styles},
    {"scripts", scripts},
    {"script-info", nothing},
    {"extensions", nothing},
    {"cmd-flags", no_flags},
    {"memory", memory},
}};

}  // namespace

void add_a1111_list_routes(http::Router& router, const A1111FarmPtr& farm) {
    for (const ListRoute& route : kRoutes) {
        router.add(
            "GET",
            fmt::format("/sdapi/v1/{}", route.name),
            [farm, list = route.list](const ExchangePtr& exchange) {
                exchange->respond(http::json_response(
                    200, list(farm->parts).dump(-1, ' ', false, Json::error_handler_t::replace)
                ));
            }
        );
    }
}

}  // namespace tessera::api
