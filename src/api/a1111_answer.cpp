#include "api/a1111_answer.h"

#include "api/base64.h"
#include "api/openai_answer.h"
#include "base/number.h"
#include "imaging/infotext.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace tessera::api {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// "20261123172003", as A1111 names its runs.
std::string run_name(WallTime time) {
    std::string digits;
    for (const char letter : iso_time(time).substr(0, 19)) {
        if (letter >= '0' && letter <= '9') {
            digits += letter;
        }
    }
    return digits;
}

/// A1111's parameters text of a picture; empty when it has none.
std::string infotext_of(const ApiParts& parts, ByteView picture) {
    const auto texts = parts.catalog.picture_texts(picture);
    if (!texts) {
        return {};
    }
    const auto at = texts->find("parameters");
    return at == texts->end() ? std::string() : at->second;
}

struct Made {
    int unit = 0;
    const TaskResult* result = nullptr;
    std::string infotext;
};

Json size_keys(const RenderSettings& render, const std::vector<Made>& pictures) {
    const TaskResult* first = pictures.empty() ? nullptr : pictures.front().result;
    const auto resize = parse_size(render.seed_resize).value_or(std::pair(-1, -1));
    return {
        {"width", first == nullptr ? 0 : first->width},
        {"height", first == nullptr ? 0 : first->height},
        {"seed_resize_from_w", resize.first},
        {"seed_resize_from_h", resize.second},
    };
}

/// One value for each picture of the job.
struct Lists {
    Json prompts = Json::array();
    Json negatives = Json::array();
    Json seeds = Json::array();
    Json subseeds = Json::array();
    Json infotexts = Json::array();
};

/// A picture's seed: what the job says where it says one, else what the picture says of itself.
std::uint64_t seed_of(
    const std::string& seed, std::string_view key, std::uint64_t offset, const Infotext& said
) {
    if (const auto number = read_number<std::uint64_t>(seed)) {
        return *number + offset;
    }
    const auto text = said.find(key);
    return text ? read_number<std::uint64_t>(*text).value_or(0) : 0;
}

/// With a variation the variation seeds count up, else the seeds.
Lists lists_of(const RenderSettings& render, const std::vector<Made>& pictures) {
    Lists lists;
    const bool varies = render.variation_strength.value_or(0.0) > 0.0;
    for (const Made& picture : pictures) {
        const Infotext said = parse_infotext(picture.infotext);
        // Styles are joined to the prompts where the picture is made.
        const bool is_styled = !render.styles.empty() && !picture.infotext.empty();
        lists.prompts.push_back(is_styled ? said.prompt : render.prompt);
        lists.negatives.push_back(is_styled ? said.negative_prompt : render.negative_prompt);
        const auto offset = static_cast<std::uint64_t>(picture.unit);
        lists.seeds.push_back(seed_of(render.seed, "Seed", varies ? 0 : offset, said));
        lists.subseeds.push_back(
            seed_of(render.variation_seed, "Variation seed", varies ? offset : 0, said)
        );
        lists.infotexts.push_back(picture.infotext);
    }
    return lists;
}

std::string info_of(
    const ApiParts& parts,
    const A1111Request& asked,
    const FollowedJob& job,
    const std::vector<Made>& pictures
) {
    const RenderSettings& render = job.submitted.spec.render;
    const auto models = parts.catalog.models();
    const auto model = find_model(models, "", render.model);
    const bool is_known = model && *model != nullptr;
    const Lists lists = lists_of(render, pictures);
    Json info{
        {"prompt", lists.prompts.empty() ? Json(render.prompt) : lists.prompts.front()},
        {"all_prompts", lists.prompts},
        {"negative_prompt",
         lists.negatives.empty() ? Json(render.negative_prompt) : lists.negatives.front()},
        {"all_negative_prompts", lists.negatives},
        {"seed", lists.seeds.empty() ? Json(-1) : lists.seeds.front()},
        {"all_seeds", lists.seeds},
        {"subseed", lists.subseeds.empty() ? Json(-1) : lists.subseeds.front()},
        {"all_subseeds", lists.subseeds},
        {"subseed_strength", render.variation_strength.value_or(0.0)},
    };
    info.update(size_keys(render, pictures));
    info.update(Json{
        {"sampler_name", render.sampler},
        {"cfg_scale", render.cfg.value_or(1.0)},
        {"steps", render.steps.value_or(0)},
        {"batch_size", asked.batch_size},
        {"restore_faces", false},
        {"face_restoration_model", nullptr},
        {"sd_model_name", render.model},
        {"sd_model_hash", is_known ? short_hash(**model) : ""},
        {"sd_vae_name", nullptr},
        {"sd_vae_hash", nullptr},
        {"denoising_strength",
         render.strength         ? Json(*render.strength)
         : render.hires_strength ? Json(*render.hires_strength)
                                 : Json()},
        {"extra_generation_params", Json::object()},
        {"index_of_first_image", 0},
        {"infotexts", lists.infotexts},
        {"styles", asked.spec.render.styles},
        {"job_timestamp", run_name(job.view.submitted)},
        {"clip_skip", render.clip_skip.value_or(1)},
        {"is_using_inpainting_conditioning", false},
        {"version", parts.settings.version},
        {"tessera_job", job.submitted.id.value},
        {"tessera_remarks", job.submitted.remarks},
    });
    return dumped(info);
}

http::Response error_body(int status, const std::string& error, const std::string& message) {
    return http::json_response(
        status,
        dumped(Json{{"error", error}, {"detail", message}, {"body", ""}, {"errors", message}})
    );
}

}  // namespace

http::Response a1111_error(const ApiFault& fault) {
    auto response =
        error_body(status_for(fault.error.kind), code_of(fault.error.kind), fault.error.message);
    if (fault.retry_after) {
        response.fields.set("Retry-After", whole_seconds(*fault.retry_after));
    }
    return response;
}

http::Response a1111_error(int status, const std::string& message) {
    return error_body(status, std::string(http::reason_of(status)), message);
}

http::Response a1111_pictures(
    const ApiParts& parts, const A1111Request& asked, const FollowedJob& job
) {
    std::vector<Made> made;
    std::size_t length = asked.parameters.size() + 16'384;
    for (const auto& [unit, result] : published_pictures(job.view)) {
        made.push_back({unit, result, {}});
        length += asked.send_images ? base64_length(result->object.bytes) + 8 : 0;
    }
    std::string body;
    body.reserve(length);
    body += "{\"images\":[";
    for (Made& each : made) {
        const auto bytes = parts.store.get(each.result->object.sha256);
        if (!bytes) {
            return a1111_error(ApiFault(Error{ErrorKind::kInternal, bytes.error().message}));
        }
        each.infotext = infotext_of(parts, *bytes);
        if (asked.send_images) {
            body += body.back() == '[' ? "\"" : ",\"";
            append_base64(body, *bytes);
            body += '"';
        }
    }
    body += "],\"parameters\":";
    body += asked.parameters;
    body += ",\"info\":";
    body += dumped(info_of(parts, asked, job, made));
    body += '}';
    auto response = http::json_response(200, std::move(body));
    set_job_fields(job.submitted, {}, response);
    return response;
}

std::string parsed_parameters(std::string_view text) {
    const Infotext parsed = parse_infotext(text);
    Json all{{"Prompt", parsed.prompt}, {"Negative prompt", parsed.negative_prompt}};
    for (const auto& [name, value] : parsed.parameters) {
        if (const auto size = parse_size(value)) {
            all[name + "-1"] = std::to_string(size->first);
            all[name + "-2"] = std::to_string(size->second);
        } else {
            all[name] = value;
        }
    }
    return dumped(all);
}

}  // namespace tessera::api
