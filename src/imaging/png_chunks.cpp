#include "imaging/png_chunks.h"

#include "base/utf8.h"
#include "imaging/byte_order.h"
#include "imaging/format.h"
#include "imaging/latin1.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tessera {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSignatureSize = 8;
constexpr std::size_t kChunkOverhead = 12;  // length, type, CRC
constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxKeyword = 79;

struct Chunk {
    ByteView whole;

    [[nodiscard]] std::string_view type() const { return as_text(whole.subspan(4, 4)); }
    [[nodiscard]] ByteView data() const { return whole.subspan(8, whole.size() - kChunkOverhead); }
    [[nodiscard]] bool is_text() const {
        return type() == "tEXt"sv || type() == "zTXt"sv || type() == "iTXt"sv;
    }
};

std::uint32_t checksum(ByteView bytes) {
    const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
    return static_cast<std::uint32_t>(crc32_z(0, data, bytes.size()));
}

/// Calls visit(Chunk) for each chunk up to and with IEND.
template <class Visit>
Status walk(ByteView png, Visit visit) {
    if (sniff_format(png) != PictureFormat::kPng) {
        return fail(ErrorKind::kInvalidArgument, "this is not a PNG file");
    }
    ByteView rest = png.subspan(kSignatureSize);
    while (rest.size() >= kChunkOverhead) {
        const std::size_t length = big_endian_32(rest);
        if (length > rest.size() - kChunkOverhead) {
            return fail(ErrorKind::kCorrupt, "the PNG file is cut off inside a chunk");
        }
        const Chunk chunk{rest.first(length + kChunkOverhead)};
        TESSERA_TRY(visit(chunk));
        if (chunk.type() == "IEND"sv) {
            return {};
        }
        rest = rest.subspan(length + kChunkOverhead);
    }
    return fail(ErrorKind::kCorrupt, "the PNG file is cut off: it has no end chunk");
}

Status check_sum(const Chunk& chunk) {
    const ByteView covered = chunk.whole.subspan(4, chunk.whole.size() - 8);
    if (checksum(covered) != big_endian_32(chunk.whole.last(4))) {
        return fail(ErrorKind::kCorrupt, "a text chunk of the PNG file is damaged (wrong CRC)");
    }
    return {};
}

/// Cuts off the front up to the first NUL, and the NUL.
std::optional<std::string_view> take_up_to_nul(std::string_view& rest) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view front = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return front;
}

Result<std::string> inflate_text(std::string_view packed, std::size_t limit) {
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) {
        return fail(ErrorKind::kExhausted, "no memory to decompress a text chunk");
    }
    // zlib's interface predates const; it does not write to its input.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string text;
    std::array<char, 16384> part{};
    int state = Z_OK;
    while (state == Z_OK && text.size() <= limit) {
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = static_cast<uInt>(part.size());
        state = inflate(&stream, Z_NO_FLUSH);
        text.append(part.data(), part.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (text.size() > limit) {
        return fail(
            ErrorKind::kExhausted,
            "the texts inside the PNG file come to more than {} MiB, the limit",
            kMaxTextBytes >> 20U
        );
    }
    if (state != Z_STREAM_END) {
        return fail(ErrorKind::kCorrupt, "a compressed text chunk of the PNG file is damaged");
    }
    return text;
}

tl::unexpected<Error> malformed() {
    return fail(ErrorKind::kCorrupt, "a text chunk of the PNG file is malformed");
}

/// `limit` bounds the text's size; what is stored uncompressed is bounded by the file itself.
Result<PngText> parse_text(const Chunk& chunk, std::size_t limit) {
    std::string_view rest = as_text(chunk.data());
    const auto keyword = take_up_to_nul(rest);
    if (!keyword) {
        return malformed();
    }
    PngText parsed{utf8_from_latin1(*keyword), {}};
    if (chunk.type() == "tEXt"sv) {
        parsed.text = utf8_from_latin1(rest);
        return parsed;
    }
    if (chunk.type() == "zTXt"sv) {
        if (rest.empty() || rest.front() != '\0') {
            return malformed();
        }
        TESSERA_ASSIGN(const std::string latin1, inflate_text(rest.substr(1), limit));
        parsed.text = utf8_from_latin1(latin1);
        return parsed;
    }
    if (rest.size() < 2) {
        return malformed();
    }
    const bool compressed = rest[0] != '\0';
    rest.remove_prefix(2);
    const auto language = take_up_to_nul(rest);
    const auto translated = language ? take_up_to_nul(rest) : std::nullopt;
    if (!translated) {
        return malformed();
    }
    if (compressed) {
        TESSERA_ASSIGN(parsed.text, inflate_text(rest, limit));
    } else {
        parsed.text = rest;
    }
    if (!check_utf8(parsed.text)) {
        return malformed();
    }
    return parsed;
}

Status check_text(const PngText& text) {
    TESSERA_TRY(check_utf8(text.text));
    if (text.text.find('\0') != std::string::npos) {
        return fail(
            ErrorKind::kInvalidArgument, "the text \"{}\" holds a NUL character", text.keyword
        );
    }
    const auto keyword = check_utf8(text.keyword) ? latin1_from_utf8(text.keyword) : std::nullopt;
    const auto printable = [](char raw) {
        const auto code = static_cast<unsigned char>(raw);
        return (code >= 0x20U && code <= 0x7EU) || code >= 0xA1U;
    };
    const bool legal = keyword && !keyword->empty() && keyword->size() <= kMaxKeyword &&
                       keyword->front() != ' ' && keyword->back() != ' ' &&
                       keyword->find("  ") == std::string::npos &&
                       std::all_of(keyword->begin(), keyword->end(), printable);
    if (!legal) {
        return fail(ErrorKind::kInvalidArgument, "a PNG text has a keyword that is not legal");
    }
    return {};
}

void append_chunk(Bytes& out, std::string_view type, std::string_view data) {
    put_big_endian_32(out, static_cast<std::uint32_t>(data.size()));
    const std::size_t covered = out.size();
    put_bytes(out, as_bytes(type));
    put_bytes(out, as_bytes(data));
    put_big_endian_32(out, checksum(ByteView(out).subspan(covered)));
}

void append_text(Bytes& out, const PngText& text) {
    std::string data = latin1_from_utf8(text.keyword).value_or("");
    data += '\0';
    if (const auto latin1 = latin1_from_utf8(text.text)) {
        append_chunk(out, "tEXt", data + *latin1);
    } else {
        data += "\0\0\0\0"sv;  // uncompressed, method 0, no language, no translated keyword
        append_chunk(out, "iTXt", data + text.text);
    }
}

}  // namespace

Result<std::vector<PngText>> read_png_texts(ByteView png) {
    std::vector<PngText> texts;
    std::size_t left = kMaxTextBytes;
    const auto collect = [&](const Chunk& chunk) -> Status {
        if (!chunk.is_text()) {
            return {};
        }
        TESSERA_TRY(check_sum(chunk));
        TESSERA_ASSIGN(PngText text, parse_text(chunk, left));
        // The constant stands for the object itself, so that empty texts are not free.
        const std::size_t size = text.keyword.size() + text.text.size() + sizeof(PngText);
        if (size > left) {
            return fail(
                ErrorKind::kExhausted,
                "the texts inside the PNG file come to more than {} MiB, the limit",
                kMaxTextBytes >> 20U
            );
        }
        left -= size;
        texts.push_back(std::move(text));
        return {};
    };
    TESSERA_TRY(walk(png, collect));
    return texts;
}

Result<Bytes> insert_png_texts(ByteView png, std::span<const PngText> texts) {
    Bytes inserted;
    for (const PngText& text : texts) {
        TESSERA_TRY(check_text(text));
        if (!text.text.empty()) {
            append_text(inserted, text);
        }
    }
    if (inserted.size() > kMaxTextBytes) {
        return fail(
            ErrorKind::kExhausted,
            "the texts for the picture come to {} bytes, the limit is {}",
            inserted.size(),
            kMaxTextBytes
        );
    }
    const auto is_replaced = [&](const Chunk& chunk) {
        std::string_view rest = as_text(chunk.data());
        const auto keyword = take_up_to_nul(rest);
        return keyword && std::any_of(texts.begin(), texts.end(), [&](const PngText& text) {
                   return text.keyword == utf8_from_latin1(*keyword);
               });
    };

    Bytes out;
    out.reserve(png.size() + inserted.size());
    put_bytes(out, png.first(std::min(png.size(), kSignatureSize)));
    bool done = false;
    const auto copy = [&](const Chunk& chunk) -> Status {
        if (chunk.type() == "IDAT"sv && !done) {
            put_bytes(out, inserted);
            done = true;
        }
        if (!chunk.is_text() || !is_replaced(chunk)) {
            put_bytes(out, chunk.whole);
        }
        return {};
    };
    TESSERA_TRY(walk(png, copy));
    if (!done) {
        return fail(ErrorKind::kCorrupt, "the PNG file has no pixels");
    }
    return out;
}

}  // namespace tessera
