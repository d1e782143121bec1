#include "storage/media_type.h"

#include <algorithm>

namespace tessera {

using namespace std::string_view_literals;

std::string_view media_type_of(ByteView beginning) {
    const std::string_view text = as_text(beginning);
    if (text.starts_with("\x89PNG\r\n\x1a\n"sv)) {
        return "image/png";
    }
    if (text.starts_with("\xff\xd8\xff"sv)) {
        return "image/jpeg";
    }
    if (text.starts_with("RIFF"sv) && text.size() >= kMediaTypeBytes &&
        text.substr(8, 4) == "WEBP"sv) {
        return "image/webp";
    }
    return kUnknownMediaType;
}

bool is_media_type(std::string_view text) {
    constexpr std::size_t kLongest = 127;
    const std::size_t slash = text.find('/');
    return text.size() <= kLongest && slash != std::string_view::npos && slash > 0 &&
           slash + 1 < text.size() && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      "/+-._=; \"!#$&^*"sv.find(c) != std::string_view::npos;
           });
}

}  // namespace tessera
