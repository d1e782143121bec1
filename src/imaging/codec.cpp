#include "imaging/codec.h"

#include "imaging/jpeg_segments.h"
#include "imaging/vips_setup.h"

#include <vips/vips.h>

#include <memory>
#include <string>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMaxScans = 100;  // real progressive files have about ten

struct Unref {
    void operator()(VipsImage* image) const { g_object_unref(image); }
};
using VipsHandle = std::unique_ptr<VipsImage, Unref>;

struct Free {
    void operator()(void* memory) const { g_free(memory); }
};
using VipsMemory = std::unique_ptr<void, Free>;

/// Runs an operation that leaves its result in the VipsImage* it is given; empty when it fails.
/// libvips explains failures in a buffer that all threads share, so the words may be another
/// picture's: they are dropped.
template <class Operation>
VipsHandle run(Operation operation) {
    VipsImage* out = nullptr;
    if (operation(&out) != 0) {
        vips_error_clear();
        return nullptr;
    }
    return VipsHandle(out);
}

tl::unexpected<Error> damaged(PictureFormat format) {
    return fail(ErrorKind::kCorrupt, "the {} picture is damaged or cut off", to_string(format));
}

/// Reads the header; pixels follow from the top as they are asked for.
VipsHandle open(ByteView file, PictureFormat format) {
    // The loaders do not write to the buffer.
    void* data = const_cast<std::byte*>(file.data());
    return run([&](VipsImage** out) {
        const auto load = [&](auto loader) {
            return loader(
                data,
                file.size(),
                out,
                "access",
                VIPS_ACCESS_SEQUENTIAL,
                "fail_on",
                VIPS_FAIL_ON_ERROR,
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

Status check_file(ByteView file, const DecodeLimits& limits) {
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
    return {};
}

Status check_size(const VipsImage& image, const DecodeLimits& limits) {
    const std::int64_t pixels = std::int64_t{image.Xsize} * image.Ysize;
    if (image.Xsize > limits.max_side || image.Ysize > limits.max_side ||
        pixels > limits.max_pixels) {
        return fail(
            ErrorKind::kExhausted,
            "the picture claims {}x{} pixels, the limit is {} a side and {} in all: make it "
            "smaller",
            image.Xsize,
            image.Ysize,
            limits.max_side,
            limits.max_pixels
        );
    }
    return {};
}

/// Turns the picture the way its EXIF orientation says.
VipsHandle upright(VipsHandle image) {
    if (vips_image_get_orientation(image.get()) <= 1) {
        return image;
    }
    // Turning needs the pixels out of order, and reading gives them in order.
    const VipsHandle whole(vips_image_copy_memory(image.get()));
    if (!whole) {
        vips_error_clear();
        return nullptr;
    }
    return run([&](VipsImage** out) { return vips_autorot(whole.get(), out, nullptr); });
}

VipsHandle to_srgb(VipsHandle image) {
    if (vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0) {
        auto converted = run([&](VipsImage** out) {
            return vips_icc_transform(
                image.get(), out, "srgb", "embedded", TRUE, "depth", 8, nullptr
            );
        });
        if (converted) {
            return converted;
        }
        // A profile that does not fit the pixels is ignored, as browsers do.
    }
    return run([&](VipsImage** out) {
        return vips_colourspace(image.get(), out, VIPS_INTERPRETATION_sRGB, nullptr);
    });
}

/// 8-bit RGB or RGBA.
VipsHandle to_pixels(VipsHandle image) {
    image = to_srgb(std::move(image));
    if (image && image->BandFmt != VIPS_FORMAT_UCHAR) {
        image = run([&](VipsImage** out) { return vips_cast_uchar(image.get(), out, nullptr); });
    }
    if (image && image->Bands > 4) {
        image = run([&](VipsImage** out) {
            return vips_extract_band(image.get(), out, 0, "n", 4, nullptr);
        });
    }
    return image && image->Bands >= 3 ? std::move(image) : nullptr;
}

Status check_options(const Image& image, PictureFormat format, const EncodeOptions& options) {
    if (!is_well_formed(image)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a picture of {}x{} with {} channels and {} values cannot be written",
            image.width,
            image.height,
            image.channels,
            image.pixels.size()
        );
    }
    if (options.quality < 1 || options.quality > 100) {
        return fail(ErrorKind::kInvalidArgument, "quality {} is not in 1..100", options.quality);
    }
    if (options.compression < 0 || options.compression > 9) {
        return fail(
            ErrorKind::kInvalidArgument, "compression {} is not in 0..9", options.compression
        );
    }
    const int longest = format == PictureFormat::kWebp ? 16383 : 65500;
    if (image.width > longest || image.height > longest) {
        return fail(
            ErrorKind::kExhausted,
            "{} holds pictures up to {} pixels a side, not {}x{}",
            to_string(format),
            longest,
            image.width,
            image.height
        );
    }
    return {};
}

int save(
    VipsImage* image, PictureFormat format, const EncodeOptions& options, void** out, size_t* size
) {
    switch (format) {
        case PictureFormat::kPng:
            return vips_pngsave_buffer(
                image,
                out,
                size,
                "compression",
                options.compression,
                "filter",
                VIPS_FOREIGN_PNG_FILTER_ALL,
                "strip",
                TRUE,
                nullptr
            );
        case PictureFormat::kJpeg:
            return vips_jpegsave_buffer(
                image,
                out,
                size,
                "Q",
                options.quality,
                "optimize_coding",
                TRUE,
                "strip",
                TRUE,
                nullptr
            );
        case PictureFormat::kWebp:
            return vips_webpsave_buffer(
                image,
                out,
                size,
                "Q",
                options.quality,
                "lossless",
                options.lossless ? TRUE : FALSE,
                "strip",
                TRUE,
                nullptr
            );
    }
    return -1;
}

Result<Bytes> encode_pixels(
    const Image& image, PictureFormat format, const EncodeOptions& options
) {
    // The saver reads the pixels where they are and does not write to them.
    const VipsHandle raw(vips_image_new_from_memory(
        image.pixels.data(),
        image.pixels.size(),
        image.width,
        image.height,
        image.channels,
        VIPS_FORMAT_UCHAR
    ));
    const VipsHandle coloured = raw ? run([&](VipsImage** out) {
        return vips_copy(raw.get(), out, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
    })
                                    : nullptr;
    void* data = nullptr;
    std::size_t size = 0;
    if (!coloured || save(coloured.get(), format, options, &data, &size) != 0) {
        vips_error_clear();
        return fail(
            ErrorKind::kExhausted,
            "a {}x{} picture cannot be written as {}, probably for lack of memory",
            image.width,
            image.height,
            to_string(format)
        );
    }
    const VipsMemory owner(data);
    const auto* bytes = static_cast<const std::byte*>(data);
    return Bytes(bytes, bytes + size);
}

}  // namespace

Result<Image> decode(ByteView file, const DecodeLimits& limits) {
    TESSERA_TRY(check_file(file, limits));
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
    TESSERA_TRY(set_up_vips());
    VipsHandle image = open(file, *format);
    if (!image) {
        return damaged(*format);
    }
    TESSERA_TRY(check_size(*image, limits));
    image = upright(std::move(image));
    if (image) {
        image = to_pixels(std::move(image));
    }
    std::size_t size = 0;
    const VipsMemory pixels(image ? vips_image_write_to_memory(image.get(), &size) : nullptr);
    if (!pixels) {
        vips_error_clear();
        return damaged(*format);
    }
    const auto* values = static_cast<const std::uint8_t*>(pixels.get());
    return Image{
        image->Xsize,
        image->Ysize,
        image->Bands,
        std::vector<std::uint8_t>(values, values + size),
    };
}

Result<Bytes> encode(
    const Image& image,
    PictureFormat format,
    const EncodeOptions& options,
    const PictureMetadata& metadata
) {
    TESSERA_TRY(check_options(image, format, options));
    TESSERA_TRY(set_up_vips());
    TESSERA_ASSIGN(
        const Bytes encoded,
        encode_pixels(format == PictureFormat::kJpeg ? flatten(image) : image, format, options)
    );
    return embed_metadata(encoded, metadata);
}

}  // namespace tessera
