#include "imaging/format.h"

#include <algorithm>
#include <string>

namespace tessera {

using namespace std::string_view_literals;

const char* to_string(PictureFormat format) {
    switch (format) {
        case PictureFormat::kPng:
            return "PNG";
        case PictureFormat::kJpeg:
            return "JPEG";
        case PictureFormat::kWebp:
            return "WebP";
    }
    return "unknown";
}

const char* file_extension(PictureFormat format) {
    switch (format) {
        case PictureFormat::kPng:
            return "png";
        case PictureFormat::kJpeg:
            return "jpg";
        case PictureFormat::kWebp:
            return "webp";
    }
    return "bin";
}

Result<PictureFormat> parse_picture_format(std::string_view name) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    if (lower == "png") {
        return PictureFormat::kPng;
    }
    if (lower == "jpg" || lower == "jpeg") {
        return PictureFormat::kJpeg;
    }
    if (lower == "webp") {
        return PictureFormat::kWebp;
    }
    return fail(
        ErrorKind::kInvalidArgument, "unknown picture format \"{}\": use png, jpg or webp", name
    );
}

std::optional<PictureFormat> sniff_format(ByteView file) {
    const std::string_view text = as_text(file);
    if (text.starts_with("\x89PNG\r\n\x1a\n"sv)) {
        return PictureFormat::kPng;
    }
    if (text.starts_with("\xFF\xD8\xFF"sv)) {
        return PictureFormat::kJpeg;
    }
    if (text.size() >= 12 && text.starts_with("RIFF"sv) && text.substr(8, 4) == "WEBP"sv) {
        return PictureFormat::kWebp;
    }
    return std::nullopt;
}

}  // namespace tessera
