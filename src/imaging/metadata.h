#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <string>

namespace tessera {

/// What a picture says about itself; both UTF-8, empty where there is none.
///
/// | file | `parameters`                        | `tessera_json`                        |
/// | ---- | ----------------------------------- | ------------------------------------- |
/// | PNG  | text chunk `parameters`             | text chunk `tessera`                  |
/// | JPEG | EXIF UserComment, UTF-16 big-endian | XMP property `tessera:json`           |
/// | WebP | EXIF UserComment, UTF-16 big-endian | XMP property `tessera:json`           |
///
/// The `parameters` places are A1111's. XMP rather than a second EXIF field, so that the JSON does
/// not turn up as a caption in other programs and has a JPEG segment to itself.
struct PictureMetadata {
    std::string parameters;    ///< A1111's text, see infotext.h
    std::string tessera_json;  ///< exactly what repeats the picture; nothing about who, where, when

    bool operator==(const PictureMetadata&) const = default;
};

/// A copy of the picture that carries the metadata in place of any it had in those places; pixels
/// stay byte for byte. kInvalidArgument when a text is not UTF-8 or holds a NUL (tessera_json: any
/// control character but tab and line ends), kExhausted when the format cannot hold that much
/// (JPEG: about 32,000 characters of `parameters`), kUnsupported for other files.
[[nodiscard]] Result<Bytes> embed_metadata(ByteView picture, const PictureMetadata& metadata);

/// Looks at the metadata only. kCorrupt when the file is damaged where that matters, kUnsupported
/// when it is none of our formats.
[[nodiscard]] Result<PictureMetadata> extract_metadata(ByteView picture);

}  // namespace tessera
