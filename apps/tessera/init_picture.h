#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"

#include <filesystem>
#include <stop_token>
#include <string>

namespace tessera::cli {

/// A picture that image-to-image begins with.
struct InitPicture {
    Image image;
    std::string sha256;  ///< of its file
};

/// PNG, JPEG or WebP within the limits of imaging's decoder, decoded in a sandbox.
[[nodiscard]] Result<InitPicture> read_init_picture(
    const std::filesystem::path& path, const std::stop_token& stop = {}
);

/// What of it is painted anew: white in the mask's picture.
struct MaskPicture {
    Mask mask;
    std::string sha256;  ///< of its file
};

[[nodiscard]] Result<MaskPicture> read_mask_picture(
    const std::filesystem::path& path, const std::stop_token& stop = {}
);

}  // namespace tessera::cli
