#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/format.h"
#include "imaging/image.h"
#include "imaging/metadata.h"

#include <cstddef>
#include <cstdint>

namespace tessera {

/// What decode() refuses before it spends memory or time on it.
struct DecodeLimits {
    std::int64_t max_pixels = std::int64_t{64} * 1024 * 1024;
    int max_side = 16384;
    std::size_t max_bytes = std::size_t{64} << 20U;  ///< of the file
};

/// A PNG, JPEG or WebP file as 8-bit sRGB, whatever was in it: grey, palette, 16-bit and CMYK are
/// converted, an embedded colour profile is applied, EXIF orientation is carried out, and of an
/// animation the first frame is taken. RGBA when the file has an alpha channel.
///
/// kUnsupported when it is none of the three formats; kExhausted when its header claims more than
/// a limit, before any pixel is decoded; kCorrupt when it is damaged or cut off.
///
/// Needs at most some 28 bytes per pixel, the result included. May be called from any thread; the
/// first call in a process sets up libvips, about 2 ms.
[[nodiscard]] Result<Image> decode(ByteView file, const DecodeLimits& limits = {});

struct EncodeOptions {
    int quality = 90;  ///< 1..100, for JPEG and lossy WebP; JPEG keeps full colour detail from 90
    bool lossless = false;  ///< for WebP; PNG always is and JPEG never
    int compression = 6;    ///< 0..9, for PNG: 0 = fast and large
};

/// A file whose bytes depend on nothing but the arguments and the libraries' versions: no date, no
/// name of a program. JPEG has no alpha: such a picture is composited over white.
///
/// kInvalidArgument when an option or the image is out of range, kExhausted when the format cannot
/// hold the picture's size or the metadata (see embed_metadata).
/// May be called from any thread.
[[nodiscard]] Result<Bytes> encode(
    const Image& image,
    PictureFormat format,
    const EncodeOptions& options = {},
    const PictureMetadata& metadata = {}
);

}  // namespace tessera
