#pragma once

#include "api/api.h"
#include "api/api_fault.h"
#include "base/bytes.h"

#include <string>

namespace tessera::api {

/// A picture of a request that is in the store now.
struct StoredPicture {
    std::string sha256;
    UploadEntry entry;
};

/// Looks at a client's picture, without trusting it, and stores it as an upload of the tenant's.
/// Faults name `field`.
[[nodiscard]] Checked<StoredPicture> store_picture(
    const ApiParts& parts, const std::string& tenant, const std::string& field, ByteView picture
);

/// Stores what is painted where `picture` is transparent, as a mask. Faults name `field`. Empty
/// when it is transparent nowhere.
[[nodiscard]] Checked<std::string> store_alpha_mask(
    const ApiParts& parts, const std::string& tenant, const std::string& field, ByteView picture
);

}  // namespace tessera::api
