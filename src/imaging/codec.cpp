#include "imaging/codec.h"

#include "imaging/picture_decoding.h"
#include "imaging/vips_handle_internal.h"
#include "imaging/vips_setup.h"

#include <vips/vips.h>

#include <utility>

namespace tessera {
namespace {

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
    const VipsHandle coloured = raw ? run_vips([&](VipsImage** out) {
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
    TESSERA_ASSIGN(const PictureFormat format, check_picture_file(file, limits));
    TESSERA_TRY(set_up_vips());
    auto image = decode_checked_file(file, format, limits);
    if (!image) {
        return tl::unexpected(describe(image.error(), format, limits));
    }
    return *std::move(image);
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
