#include "api/native_internal.h"
#include "http/conditional.h"
#include "job/job_spec.h"

#include <algorithm>
#include <utility>

namespace tessera::api {
namespace {

/// What a browser may be told that a picture is; a result can claim anything.
bool is_picture_type(std::string_view type) {
    return std::ranges::any_of(kOutputFormats, [&](std::string_view format) {
        return type.starts_with("image/") && type.substr(6) == format;
    });
}

Checked<http::Response> picture(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_TRY(check_query(request, {"download"}));
    const std::string unit = parameter_of(request, "unit");
    TESSERA_ASSIGN(const JobView job, find_job(parts.queue, caller, parameter_of(request, "id")));
    TESSERA_ASSIGN(const TaskResult result, find_picture(job, unit));
    const ObjectRef& object = result.object;
    const std::string etag = '"' + object.sha256 + '"';
    const auto selection = http::select_content(request, etag, object.bytes);
    http::Response response;
    http::describe_selection(selection, etag, object.bytes, response);
    if (selection.length > 0) {
        const bool is_whole = selection.length == object.bytes;
        TESSERA_ASSIGN(
            const Bytes bytes,
            is_whole ? parts.store.get(object.sha256)
                     : parts.store.read(object.sha256, selection.offset, selection.length)
        );
        response.body = as_text(bytes);
    }
    const bool is_known = is_picture_type(object.media_type);
    const bool is_inline = is_known && !request.query.contains("download");
    const std::string ending = is_known ? object.media_type.substr(6) : "bin";
    response.fields.add("Content-Type", is_known ? object.media_type : "application/octet-stream");
    response.fields.add("Cache-Control", "private, max-age=31536000, immutable");
    response.fields.add(
        "Content-Disposition",
        fmt::format(
            "{}; filename=\"{}-{}.{}\"",
            is_inline ? "inline" : "attachment",
            job.id.value,
            unit,
            ending
        )
    );
    return response;
}

}  // namespace

void add_native_image_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/jobs/{id}/images/{unit}",
        answering([parts](const http::Request& request, const Caller& caller) {
            return picture(*parts, request, caller);
        })
    );
}

}  // namespace tessera::api
