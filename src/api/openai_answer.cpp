#include "api/openai_answer.h"

#include "api/base64.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tessera::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kLongestRetry = std::chrono::seconds(120);

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int openai_status(const ApiFault& fault) {
    switch (fault.error.kind) {
        case ErrorKind::kInvalidArgument:
        case ErrorKind::kUnsupported:
        case ErrorKind::kCorrupt:
            return 400;
        case ErrorKind::kNotFound:
            return fault.field.empty() || fault.field == "model" ? 404 : 400;
        default:
            return status_for(fault.error.kind);
    }
}

std::string_view type_of(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 429:
            return "rate_limit_error";
        default:
            return status < 500 ? "invalid_request_error" : "server_error";
    }
}

Json code_for(const ApiFault& fault) {
    switch (fault.error.kind) {
        case ErrorKind::kInvalidArgument:
            return fault.error.message.ends_with("is missing") ? "missing_required_parameter"
                                                               : "invalid_value";
        case ErrorKind::kCorrupt:
            return "invalid_value";
        case ErrorKind::kUnsupported:
            return "unsupported_value";
        case ErrorKind::kNotFound:
            return fault.field == "model" ? "model_not_found"
                   : fault.field.empty()  ? "not_found"
                                          : "invalid_value";
        case ErrorKind::kExhausted:
            return "rate_limit_exceeded";
        default:
            return code_of(fault.error.kind);
    }
}

Json error_object(const ApiFault& fault) {
    return {
        {"message", fault.error.message},
        {"type", type_of(openai_status(fault))},
        {"param", fault.field.empty() ? Json() : Json(fault.field)},
        {"code", code_for(fault)},
    };
}

/// Printable ASCII only, as a header field wants it.
std::string field_text(const std::vector<std::string>& sentences) {
    std::string text = fmt::format("{}", fmt::join(sentences, " "));
    std::ranges::replace_if(
        text, [](char letter) { return letter < ' ' || letter > '~'; }, '?'
    );
    return text;
}

/// Nobody's tokenizer counts these: a text token for every four bytes of the prompts, an image
/// token for every 16x16 pixels. See docs/compatibility.md.
struct Usage {
    std::int64_t text = 0;
    std::int64_t output = 0;
};

Usage usage_of(const JobSpec& spec) {
    const auto bytes = spec.render.prompt.size() + spec.render.negative_prompt.size();
    return {static_cast<std::int64_t>((bytes + 3) / 4)};
}

std::int64_t picture_tokens(const TaskResult& picture) {
    return (std::int64_t{picture.width} + 15) / 16 * ((std::int64_t{picture.height} + 15) / 16);
}

Json usage_json(const Usage& usage) {
    return {
        {"input_tokens", usage.text},
        {"input_tokens_details", {{"text_tokens", usage.text}, {"image_tokens", 0}}},
        {"output_tokens", usage.output},
        {"output_tokens_details", {{"text_tokens", 0}, {"image_tokens", usage.output}}},
        {"total_tokens", usage.text + usage.output},
    };
}

std::int64_t seconds_of_day(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string size_text(int width, int height) {
    return fmt::format("{}x{}", width, height);
}

/// {"b64_json":"…", and then what else there is to say.
std::string with_picture(std::string beginning, ByteView picture, const Json& rest) {
    const std::string others = dumped(rest);
    std::string text = std::move(beginning);
    text.reserve(text.size() + base64_length(picture.size()) + others.size() + 32);
    text += "{\"b64_json\":\"";
    append_base64(text, picture);
    text += "\",";
    text.append(others, 1);  // without its brace
    return text;
}

/// One element of "data".
Status append_picture(
    const ApiParts& parts,
    const http::Request& request,
    const OpenAiRequest& asked,
    const TaskResult& picture,
    std::string& body
) {
    if (asked.wants_url) {
        TESSERA_ASSIGN(const auto link, picture_link(parts, request, picture));
        body += dumped(Json{{"url", link}});
        return {};
    }
    TESSERA_ASSIGN(const auto bytes, parts.store.get(picture.object.sha256));
    body += "{\"b64_json\":\"";
    append_base64(body, bytes);
    body += "\"}";
    return {};
}

}  // namespace

std::string openai_error_object(const ApiFault& fault) {
    return dumped(error_object(fault));
}

http::Response openai_error(const ApiFault& fault) {
    auto response =
        http::json_response(openai_status(fault), dumped(Json{{"error", error_object(fault)}}));
    if (fault.retry_after) {
        response.fields.set(
            "Retry-After", whole_seconds(std::min(*fault.retry_after, kLongestRetry))
        );
    }
    return response;
}

http::Response openai_error(int status, const std::string& message) {
    const Json code = status == 401   ? Json("invalid_api_key")
                      : status == 429 ? Json("rate_limit_exceeded")
                                      : Json();
    return http::json_response(
        status,
        dumped(Json{
            {"error",
             {{"message", message}, {"type", type_of(status)}, {"param", Json()}, {"code", code}}}})
    );
}

void set_job_fields(
    const Submitted& submitted, const std::vector<std::string>& remarks, http::Response& response
) {
    response.fields.set("X-Tessera-Job", submitted.id.value);
    std::vector<std::string> all = remarks;
    all.insert(all.end(), submitted.remarks.begin(), submitted.remarks.end());
    if (!all.empty()) {
        response.fields.set("X-Tessera-Remarks", field_text(all));
    }
}

Result<ObjectTokens> link_tokens(const ApiSettings& settings) {
    ObjectTokens::Secret secret{};
    if (settings.object_secret.size() != secret.size()) {
        return fail(ErrorKind::kInternal, "the farm has no secret to sign links with");
    }
    std::memcpy(secret.data(), settings.object_secret.data(), secret.size());
    return ObjectTokens(secret);
}

Result<std::string> picture_link(
    const ApiParts& parts, const http::Request& request, const TaskResult& picture
) {
    ObjectGrant grant;
    grant.task = kLinkTask;
    grant.expires = parts.clock.wall() +
                    std::chrono::duration_cast<std::chrono::milliseconds>(kPictureLinkLife);
    grant.reads = {picture.object.sha256};
    TESSERA_ASSIGN(const auto tokens, link_tokens(parts.settings));
    TESSERA_ASSIGN(const auto token, tokens.issue(grant));
    return fmt::format(
        "{}://{}/v1/images/files/{}",
        request.secure ? "https" : "http",
        request.fields.get("Host"),
        token
    );
}

http::Response openai_pictures(
    const ApiParts& parts,
    const http::Request& request,
    const OpenAiRequest& asked,
    const FollowedJob& job
) {
    const auto pictures = published_pictures(job.view);
    Usage usage = usage_of(job.submitted.spec);
    std::size_t length = 1024;
    for (const auto& [unit, picture] : pictures) {
        usage.output += picture_tokens(*picture);
        length += asked.wants_url ? 512 : base64_length(picture->object.bytes) + 32;
    }
    std::string body;
    body.reserve(length);
    body += fmt::format("{{\"created\":{},\"data\":[", seconds_of_day(parts.clock.wall()));
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        body += i == 0 ? "" : ",";
        const auto done = append_picture(parts, request, asked, *pictures[i].result, body);
        if (!done) {
            return openai_error(ApiFault(Error{ErrorKind::kInternal, done.error().message}));
        }
    }
    Json rest{
        {"background", "opaque"},
        {"output_format", job.submitted.spec.output.format},
        {"quality", asked.quality},
    };
    if (!pictures.empty()) {
        rest["size"] = size_text(pictures.front().result->width, pictures.front().result->height);
    }
    rest["usage"] = usage_json(usage);
    body += "],";
    body.append(dumped(rest), 1);
    auto response = http::json_response(200, std::move(body));
    set_job_fields(job.submitted, asked.remarks, response);
    return response;
}

std::string openai_partial_event(
    const OpenAiEventPlace& place,
    const OpenAiRequest& asked,
    const Submitted& submitted,
    ByteView picture,
    int index,
    WallTime now
) {
    const std::string type = fmt::format("{}.partial_image", place.family);
    const Json rest{
        {"type", type},
        {"partial_image_index", index},
        {"image_index", place.unit},
        {"created_at", seconds_of_day(now)},
        {"size", submitted.spec.render.size.empty() ? "auto" : submitted.spec.render.size},
        {"quality", asked.quality},
        {"background", "opaque"},
        {"output_format", submitted.spec.output.format},
    };
    return with_picture(fmt::format("event: {}\ndata: ", type), picture, rest) + "\n\n";
}

std::string openai_completed_event(
    const OpenAiEventPlace& place,
    const OpenAiRequest& asked,
    const Submitted& submitted,
    const TaskResult& result,
    ByteView picture,
    WallTime now
) {
    Usage usage = usage_of(submitted.spec);
    usage.output = picture_tokens(result);
    const std::string type = fmt::format("{}.completed", place.family);
    const Json rest{
        {"type", type},
        {"image_index", place.unit},
        {"created_at", seconds_of_day(now)},
        {"size", size_text(result.width, result.height)},
        {"quality", asked.quality},
        {"background", "opaque"},
        {"output_format", submitted.spec.output.format},
        {"usage", usage_json(usage)},
    };
    return with_picture(fmt::format("event: {}\ndata: ", type), picture, rest) + "\n\n";
}

}  // namespace tessera::api
