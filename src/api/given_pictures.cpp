#include "api/given_pictures.h"

#include "api/object_desk.h"
#include "imaging/codec.h"
#include "imaging/mask.h"

#include <utility>

namespace tessera::api {
namespace {

/// Ours, so that it may be decoded here.
bool is_empty_mask(ByteView mask) {
    const auto picture = decode(mask);
    return picture && is_empty(mask_from_picture(*picture));
}

}  // namespace

Checked<StoredPicture> store_picture(
    const ApiParts& parts, const std::string& tenant, const std::string& field, ByteView picture
) {
    if (picture.size() > parts.settings.upload_bytes) {
        return refuse(
            field,
            ErrorKind::kInvalidArgument,
            "{} has {} bytes, {} are allowed",
            field,
            picture.size(),
            parts.settings.upload_bytes
        );
    }
    auto entry = parts.catalog.inspect(picture);
    if (!entry) {
        return tl::unexpected(ApiFault(field, within(field, std::move(entry).error()).value()));
    }
    TESSERA_ASSIGN(auto info, parts.objects->upload(tenant, picture, entry->media_type));
    return StoredPicture{std::move(info.sha256), *std::move(entry)};
}

Checked<std::string> store_alpha_mask(
    const ApiParts& parts, const std::string& tenant, const std::string& field, ByteView picture
) {
    auto mask = parts.catalog.mask_from_alpha(picture);
    if (!mask) {
        return tl::unexpected(ApiFault(field, within(field, std::move(mask).error()).value()));
    }
    if (is_empty_mask(*mask)) {
        return std::string();
    }
    TESSERA_ASSIGN(auto info, parts.objects->upload(tenant, *mask, "image/png"));
    return std::move(info.sha256);
}

}  // namespace tessera::api
