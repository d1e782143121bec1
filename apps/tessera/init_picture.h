#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "imaging/image.h"

#include <filesystem>
#include <string>

namespace tessera::cli {

/// A picture that image-to-image begins with.
struct InitPicture {
    Image image;
    std::string sha256;  ///< of its file
};

/// PNG, JPEG or WebP within the limits of imaging's decoder.
[[nodiscard]] Result<InitPicture> read_init_picture(const std::filesystem::path& path);

struct PictureSize {
    int width;
    int height;
};

/// The picture's own size, to the nearest multiple of `multiple`, while both sides are between half
/// and twice the model's native ones; else the native size.
[[nodiscard]] PictureSize size_for_init(const Image& image, PictureSize native, int multiple);

/// Cropped to fill that size, as {1, 3, height, width} in -1..1.
[[nodiscard]] Result<Tensor> init_tensor(const Image& image, PictureSize size);

}  // namespace tessera::cli
