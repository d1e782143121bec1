#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// An EXIF block (a big-endian TIFF structure, no "Exif\0\0" in front) that holds a UserComment
/// and nothing else: no camera, no software, no date. The comment is "UNICODE\0" and UTF-16
/// big-endian, as A1111 writes it through piexif. kInvalidArgument when it is not UTF-8.
[[nodiscard]] Result<Bytes> write_exif_comment(std::string_view comment);

/// The UserComment of an EXIF block of either byte order, as UTF-8; with or without "Exif\0\0" in
/// front. Nothing when there is none, or when the block is malformed: a camera's private notes
/// are often broken, and are no reason to refuse a picture. UTF-16 has the byte order of its byte
/// order mark, else that of the block; but in a little-endian block it is taken for big-endian when
/// it looks so, because some writers always write that.
[[nodiscard]] std::optional<std::string> read_exif_comment(ByteView exif);

/// The plain texts of the first directory that say what took or made the picture
/// (ImageDescription, Make, Model, Software), as far as they are there and UTF-8: ComfyUI writes
/// `prompt:{...}` and `workflow:{...}` there.
[[nodiscard]] std::vector<std::string> read_exif_texts(ByteView exif);

}  // namespace tessera
