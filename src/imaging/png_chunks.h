#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <span>
#include <string>
#include <vector>

namespace tessera {

/// A named text inside a PNG, as UTF-8 whatever chunk held it.
struct PngText {
    std::string keyword;  ///< 1 to 79 characters of Latin-1 (kept here as UTF-8)
    std::string text;

    bool operator==(const PngText&) const = default;
};

/// Every tEXt, zTXt and iTXt chunk, in file order (PNG specification, third edition, 11.3.3).
/// Looks at the text chunks only and checks their CRCs; pixels are not looked at. kInvalidArgument
/// when it is not a PNG, kCorrupt when it is damaged or cut off, kExhausted when the texts come to
/// more than 16 MiB once decompressed.
[[nodiscard]] Result<std::vector<PngText>> read_png_texts(ByteView png);

/// A copy with the texts in front of the pixels; text chunks that held the same keywords are left
/// out, all else stays byte for byte. An empty text is not written. A text that fits Latin-1
/// becomes tEXt, any other iTXt: what PIL's add_text does, and so what A1111's readers know.
/// kInvalidArgument when a keyword is not a legal one or a text is not UTF-8 or holds a NUL,
/// kExhausted beyond 16 MiB.
[[nodiscard]] Result<Bytes> insert_png_texts(ByteView png, std::span<const PngText> texts);

}  // namespace tessera
