#include "imaging/webp_chunks.h"

#include "imaging/byte_order.h"
#include "imaging/format.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tessera {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kFileHeader = 12;    // "RIFF", size, "WEBP"
constexpr std::size_t kChunkHeader = 8;    // name, size
constexpr std::size_t kExtendedSize = 10;  // the payload of VP8X

constexpr unsigned kXmpFlag = 0x04;
constexpr unsigned kExifFlag = 0x08;
constexpr unsigned kAlphaFlag = 0x10;

struct Chunk {
    std::string_view name;
    ByteView payload;
};

unsigned byte_at(ByteView bytes, std::size_t at) {
    return std::to_integer<unsigned>(bytes[at]);
}

template <class Visit>
Status walk(ByteView webp, Visit visit) {
    if (sniff_format(webp) != PictureFormat::kWebp) {
        return fail(ErrorKind::kInvalidArgument, "this is not a WebP file");
    }
    const std::size_t size = little_endian_32(webp.subspan(4));
    if (size < 4 || size > webp.size() - kChunkHeader) {
        return fail(ErrorKind::kCorrupt, "the WebP file is cut off");
    }
    ByteView rest = webp.first(size + kChunkHeader).subspan(kFileHeader);
    while (rest.size() >= kChunkHeader) {
        const std::size_t length = little_endian_32(rest.subspan(4));
        if (length > rest.size() - kChunkHeader) {
            return fail(ErrorKind::kCorrupt, "the WebP file is cut off inside a chunk");
        }
        visit(Chunk{as_text(rest.first(4)), rest.subspan(kChunkHeader, length)});
        const std::size_t padded = kChunkHeader + length + (length & 1U);
        rest = rest.subspan(std::min(padded, rest.size()));
    }
    return {};
}

void append_chunk(Bytes& out, std::string_view name, ByteView payload) {
    put_bytes(out, as_bytes(name));
    put_little_endian_32(out, static_cast<std::uint32_t>(payload.size()));
    put_bytes(out, payload);
    if (payload.size() % 2 == 1) {
        out.push_back(std::byte{0});
    }
}

/// The payload of VP8X for a simple file, from the header of its only frame: RFC 6386 9.1 (lossy),
/// WebP lossless specification 3 (lossless).
std::optional<Bytes> extended_header(const Chunk& frame) {
    const ByteView bytes = frame.payload;
    unsigned width = 0;
    unsigned height = 0;
    bool has_alpha = false;
    if (frame.name == "VP8L"sv && bytes.size() >= 5 && bytes[0] == std::byte{0x2F}) {
        const std::uint32_t packed = little_endian_32(bytes.subspan(1));
        width = (packed & 0x3FFFU) + 1;
        height = ((packed >> 14U) & 0x3FFFU) + 1;
        has_alpha = ((packed >> 28U) & 1U) != 0;
    } else if (frame.name == "VP8 "sv && bytes.size() >= 10 &&
               as_text(bytes).substr(3, 3) == "\x9D\x01\x2A"sv) {
        const std::uint32_t packed = little_endian_32(bytes.subspan(6));
        width = packed & 0x3FFFU;
        height = (packed >> 16U) & 0x3FFFU;
    }
    if (width == 0 || height == 0) {
        return std::nullopt;
    }
    Bytes header(kExtendedSize);
    header[0] = static_cast<std::byte>(has_alpha ? kAlphaFlag : 0U);
    for (unsigned part = 0; part < 3; ++part) {
        header[4 + part] = static_cast<std::byte>(((width - 1) >> (8U * part)) & 0xFFU);
        header[7 + part] = static_cast<std::byte>(((height - 1) >> (8U * part)) & 0xFFU);
    }
    return header;
}

}  // namespace

Result<MetadataBlocks> read_webp_metadata(ByteView webp) {
    MetadataBlocks blocks;
    TESSERA_TRY(walk(webp, [&](const Chunk& chunk) {
        if (chunk.name == "EXIF"sv && blocks.exif.empty()) {
            blocks.exif = chunk.payload;
        } else if (chunk.name == "XMP "sv && blocks.xmp.empty()) {
            blocks.xmp = chunk.payload;
        }
    }));
    return blocks;
}

Result<Bytes> insert_webp_metadata(ByteView webp, const MetadataBlocks& blocks) {
    std::optional<Bytes> extended;
    Bytes body;
    body.reserve(webp.size() + blocks.exif.size() + blocks.xmp.size());
    bool is_first = true;
    TESSERA_TRY(walk(webp, [&](const Chunk& chunk) {
        const bool is_header = is_first && chunk.name == "VP8X"sv;
        if (is_header && chunk.payload.size() == kExtendedSize) {
            extended = Bytes(chunk.payload.begin(), chunk.payload.end());
        } else if (is_first) {
            extended = extended_header(chunk);
        }
        if (!is_header && chunk.name != "EXIF"sv && chunk.name != "XMP "sv) {
            append_chunk(body, chunk.name, chunk.payload);
        }
        is_first = false;
    }));
    if (!extended) {
        return fail(ErrorKind::kCorrupt, "the WebP file has no readable header");
    }
    unsigned flags = byte_at(*extended, 0) & ~(kExifFlag | kXmpFlag);
    if (!blocks.exif.empty()) {
        append_chunk(body, "EXIF", blocks.exif);
        flags |= kExifFlag;
    }
    if (!blocks.xmp.empty()) {
        append_chunk(body, "XMP ", blocks.xmp);
        flags |= kXmpFlag;
    }
    (*extended)[0] = static_cast<std::byte>(flags);

    Bytes out;
    out.reserve(kFileHeader + kChunkHeader + kExtendedSize + body.size());
    put_bytes(out, as_bytes("RIFF"sv));
    put_little_endian_32(
        out, static_cast<std::uint32_t>(4 + kChunkHeader + kExtendedSize + body.size())
    );
    put_bytes(out, as_bytes("WEBP"sv));
    append_chunk(out, "VP8X", *extended);
    put_bytes(out, body);
    return out;
}

}  // namespace tessera
