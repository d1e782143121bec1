#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tessera {

/// The picture files that Tessera reads and writes.
enum class PictureFormat : std::uint8_t { kPng, kJpeg, kWebp };

/// "PNG", "JPEG", "WebP".
[[nodiscard]] const char* to_string(PictureFormat format);

/// "png", "jpg", "webp": the end of a file name, without the dot.
[[nodiscard]] const char* file_extension(PictureFormat format);

/// From a name or file extension without the dot, in any case: png, jpg, jpeg, webp.
/// kInvalidArgument otherwise.
[[nodiscard]] Result<PictureFormat> parse_picture_format(std::string_view name);

/// By the file's first bytes, whatever its name; nothing when it is none of ours.
[[nodiscard]] std::optional<PictureFormat> sniff_format(ByteView file);

}  // namespace tessera
