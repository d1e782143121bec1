#include "imaging/picture_decoding.h"

#include "imaging/jpeg_segments.h"
#include "imaging/vips_handle_internal.h"

#include <vips/vips.h>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera {
namespace {

constexpr std::size_t kMaxScans = 100;  // real progressive files have about ten

/// Reads the header; pixels follow from the top as they are asked for.
VipsHandle open(ByteView file, PictureFormat format) {
    // The loaders do not write to the buffer.
    void* data = const_cast<std::byte*>(file.data());
    return run_vips([&](VipsImage** out) {
        const auto load = [&](auto loader) {
            return loader(
                data,
                file.size(),
                out,
                "access",
                VIPS_ACCESS_SEQUENTIAL,
                "fail_on",
                VIPS_FAIL_ON_ERROR,
                // WebP comes all at once; else a large one would go through a temporary file.
                "memory",
                format == PictureFormat::kWebp ? TRUE : FALSE,
                nullptr
            );
        };
        switch (format) {
            case PictureFormat::kPng:
                return load(vips_pngload_buffer);
            case PictureFormat::kJpeg:
                return load(vips_jpegload_buffer);
            case PictureFormat::kWebp:
                return load(vips_webpload_buffer);
        }
        return -1;
    });
}

/// Turns the picture the way its EXIF orientation says.
VipsHandle upright(VipsHandle image) {
    if (vips_image_get_orientation(image.get()) <= 1) {
        return image;
    }
    // Turning needs the pixels out of order, and reading gives them in order.
    const VipsHandle whole(vips_image_copy_memory(image.get()));
    if (!whole) {
        return nullptr;
    }
    return run_vips([&](VipsImage** out) { return vips_autorot(whole.get(), out, nullptr); });
}

VipsHandle to_srgb(VipsHandle image) {
    if (vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0) {
        auto converted = run_vips([&](VipsImage** out) {
            return vips_icc_transform(
                image.get(), out, "srgb", "embedded", TRUE, "depth", 8, nullptr
            );
        });
        if (converted) {
            return converted;
        }
        // A profile that does not fit the pixels is ignored, as browsers do.
        vips_error_clear();
    }
    return run_vips([&](VipsImage** out) {
        return vips_colourspace(image.get(), out, VIPS_INTERPRETATION_sRGB, nullptr);
    });
}

/// 8-bit RGB or RGBA.
VipsHandle to_pixels(VipsHandle image) {
    image = to_srgb(std::move(image));
    if (image && image->BandFmt != VIPS_FORMAT_UCHAR) {
        image =
            run_vips([&](VipsImage** out) { return vips_cast_uchar(image.get(), out, nullptr); });
    }
    if (image && image->Bands > 4) {
        image = run_vips([&](VipsImage** out) {
            return vips_extract_band(image.get(), out, 0, "n", 4, nullptr);
        });
    }
    return image && image->Bands >= 3 ? std::move(image) : nullptr;
}

/// The words libvips has left tell only whether memory was short: they may be those of another
/// thread's picture.
DecodeFailure take_failure() {
    const VipsMemory owner(vips_error_buffer_copy());
    const std::string_view words = static_cast<const char*>(owner.get());
    const bool is_memory = words.find("ut of memory") != std::string_view::npos ||
                           words.find("nsufficient memory") != std::string_view::npos;
    return {is_memory ? DecodeFailure::Kind::kNoMemory : DecodeFailure::Kind::kDamaged};
}

}  // namespace

Result<PictureFormat> check_picture_file(ByteView file, const DecodeLimits& limits) {
    if (file.empty()) {
        return fail(ErrorKind::kInvalidArgument, "the picture file is empty");
    }
    if (file.size() > limits.max_bytes) {
        return fail(
            ErrorKind::kExhausted,
            "the picture file has {} bytes, the limit is {}",
            file.size(),
            limits.max_bytes
        );
    }
    const auto format = sniff_format(file);
    if (!format) {
        return fail(
            ErrorKind::kUnsupported, "this is not a picture that can be read: use PNG, JPEG or WebP"
        );
    }
    if (*format == PictureFormat::kJpeg && count_jpeg_scans(file) > kMaxScans) {
        return fail(
            ErrorKind::kExhausted, "the JPEG picture has more than {} scans, the limit", kMaxScans
        );
    }
    return *format;
}

bool is_size_within(int width, int height, const DecodeLimits& limits) {
    return width > 0 && height > 0 && width <= limits.max_side && height <= limits.max_side &&
           std::int64_t{width} * height <= limits.max_pixels;
}

tl::expected<Image, DecodeFailure> decode_checked_file(
    ByteView file, PictureFormat format, const DecodeLimits& limits
) {
    VipsHandle image = open(file, format);
    if (!image) {
        return tl::unexpected(take_failure());
    }
    if (!is_size_within(image->Xsize, image->Ysize, limits)) {
        return tl::unexpected(DecodeFailure{
            DecodeFailure::Kind::kTooLarge, image->Xsize, image->Ysize});
    }
    image = upright(std::move(image));
    if (image) {
        image = to_pixels(std::move(image));
    }
    std::size_t size = 0;
    const VipsMemory pixels(image ? vips_image_write_to_memory(image.get(), &size) : nullptr);
    if (!pixels) {
        return tl::unexpected(take_failure());
    }
    const auto* values = static_cast<const std::uint8_t*>(pixels.get());
    return Image{
        image->Xsize,
        image->Ysize,
        image->Bands,
        std::vector<std::uint8_t>(values, values + size),
    };
}

Error describe(const DecodeFailure& failure, PictureFormat format, const DecodeLimits& limits) {
    switch (failure.kind) {
        case DecodeFailure::Kind::kTooLarge:
            return {
                ErrorKind::kExhausted,
                fmt::format(
                    "the picture claims {}x{} pixels, the limit is {} a side and {} in all: make "
                    "it smaller",
                    failure.width,
                    failure.height,
                    limits.max_side,
                    limits.max_pixels
                )};
        case DecodeFailure::Kind::kNoMemory:
            return {
                ErrorKind::kExhausted,
                fmt::format(
                    "there is not enough memory to decode the {} picture", to_string(format)
                )};
        case DecodeFailure::Kind::kDamaged:
            break;
    }
    return {
        ErrorKind::kCorrupt,
        fmt::format("the {} picture is damaged or cut off", to_string(format))};
}

}  // namespace tessera
