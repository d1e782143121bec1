#include "api/native_internal.h"
#include "http/multipart.h"

#include <utility>

namespace tessera::api {
namespace {

constexpr std::size_t kFormBytes = 64U << 10U;  ///< of a form around the picture

/// The body, or the one file in the form that it is.
Checked<std::string_view> picture_in(const http::Request& request) {
    const std::string_view type = request.fields.get("Content-Type");
    if (!http::is_multipart(type)) {
        return std::string_view(request.body);
    }
    TESSERA_ASSIGN(const auto form, http::parse_multipart(type, request.body));
    std::optional<std::string_view> picture;
    for (const http::FormPart& part : form) {
        if (part.filename || part.name == "file" || part.name == "image") {
            if (picture) {
                return refuse(
                    part.name, ErrorKind::kInvalidArgument, "upload one picture at a time"
                );
            }
            picture = part.data;
        }
    }
    if (!picture) {
        return refuse("file", ErrorKind::kInvalidArgument, "the form holds no file");
    }
    return *picture;
}

Checked<http::Response> upload(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_ASSIGN(const std::string_view picture, picture_in(request));
    if (picture.size() > parts.settings.upload_bytes) {
        return refuse(
            "file",
            ErrorKind::kInvalidArgument,
            "the picture has {} bytes, {} are allowed",
            picture.size(),
            parts.settings.upload_bytes
        );
    }
    TESSERA_ASSIGN(const UploadEntry entry, parts.catalog.inspect(as_bytes(picture)));
    TESSERA_ASSIGN(
        const ObjectInfo stored,
        parts.objects->upload(caller.tenant, as_bytes(picture), entry.media_type)
    );
    OrderedJson json;
    json["sha256"] = stored.sha256;
    json["bytes"] = stored.bytes;
    json["media_type"] = entry.media_type;
    json["width"] = entry.width;
    json["height"] = entry.height;
    json["has_alpha"] = entry.has_alpha;
    return json_answer(request, 201, json);
}

}  // namespace

void add_native_upload_routes(http::Router& router, const SharedParts& parts) {
    http::RouteOptions options;
    options.body_limit = parts->settings.upload_bytes + kFormBytes;
    options.is_slow = true;
    router.add(
        "POST",
        "/api/v1/uploads",
        answering([parts](const http::Request& request, const Caller& caller) {
            return upload(*parts, request, caller);
        }),
        std::move(options)
    );
}

}  // namespace tessera::api
