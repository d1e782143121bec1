#include "imaging/metadata.h"

#include "base/utf8.h"
#include "imaging/exif.h"
#include "imaging/format.h"
#include "imaging/jpeg_segments.h"
#include "imaging/png_chunks.h"
#include "imaging/webp_chunks.h"
#include "imaging/xmp.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace tessera {
namespace {

constexpr const char* kParametersKeyword = "parameters";
constexpr const char* kTesseraKeyword = "tessera";

tl::unexpected<Error> not_a_picture() {
    return fail(ErrorKind::kUnsupported, "this is not a PNG, JPEG or WebP picture");
}

Status check_texts(const PictureMetadata& metadata) {
    if (auto status = check_utf8(metadata.parameters); !status) {
        return within("the picture's parameters", std::move(status).error());
    }
    if (auto status = check_utf8(metadata.tessera_json); !status) {
        return within("the picture's JSON", std::move(status).error());
    }
    if (metadata.parameters.find('\0') != std::string::npos) {
        return fail(ErrorKind::kInvalidArgument, "the picture's parameters hold a NUL character");
    }
    const auto is_control = [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20U && letter != '\t' && letter != '\n' &&
               letter != '\r';
    };
    const std::string& json = metadata.tessera_json;
    if (std::any_of(json.begin(), json.end(), is_control)) {
        return fail(
            ErrorKind::kInvalidArgument, "the picture's JSON holds an unescaped control character"
        );
    }
    return {};
}

Result<Bytes> embed_in_png(ByteView png, const PictureMetadata& metadata) {
    const std::vector<PngText> texts = {
        {kParametersKeyword, metadata.parameters},
        {kTesseraKeyword, metadata.tessera_json},
    };
    return insert_png_texts(png, texts);
}

Result<PictureMetadata> extract_from_png(ByteView png) {
    TESSERA_ASSIGN(const std::vector<PngText> texts, read_png_texts(png));
    const auto text_of = [&](std::string_view keyword) {
        const auto found = std::find_if(texts.begin(), texts.end(), [&](const PngText& text) {
            return text.keyword == keyword;
        });
        return found == texts.end() ? std::string() : found->text;
    };
    return PictureMetadata{text_of(kParametersKeyword), text_of(kTesseraKeyword)};
}

}  // namespace

Result<Bytes> embed_metadata(ByteView picture, const PictureMetadata& metadata) {
    const auto format = sniff_format(picture);
    if (!format) {
        return not_a_picture();
    }
    TESSERA_TRY(check_texts(metadata));
    if (*format == PictureFormat::kPng) {
        return embed_in_png(picture, metadata);
    }
    Bytes exif;
    std::string xmp;
    if (!metadata.parameters.empty()) {
        TESSERA_ASSIGN(exif, write_exif_comment(metadata.parameters));
    }
    if (!metadata.tessera_json.empty()) {
        xmp = write_xmp(metadata.tessera_json);
    }
    const MetadataBlocks blocks{exif, as_bytes(xmp)};
    return *format == PictureFormat::kJpeg ? insert_jpeg_metadata(picture, blocks)
                                           : insert_webp_metadata(picture, blocks);
}

Result<PictureMetadata> extract_metadata(ByteView picture) {
    const auto format = sniff_format(picture);
    if (!format) {
        return not_a_picture();
    }
    if (*format == PictureFormat::kPng) {
        return extract_from_png(picture);
    }
    TESSERA_ASSIGN(
        const MetadataBlocks blocks,
        *format == PictureFormat::kJpeg ? read_jpeg_metadata(picture) : read_webp_metadata(picture)
    );
    PictureMetadata metadata;
    metadata.parameters = read_exif_comment(blocks.exif).value_or("");
    metadata.tessera_json = read_xmp(as_text(blocks.xmp)).value_or("");
    if (!check_utf8(metadata.tessera_json)) {
        metadata.tessera_json.clear();
    }
    return metadata;
}

}  // namespace tessera
