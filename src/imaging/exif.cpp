#include "imaging/exif.h"

#include "base/utf8.h"
#include "imaging/byte_order.h"
#include "imaging/utf16.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tessera {
namespace {

using namespace std::string_view_literals;

constexpr std::uint16_t kExifPointerTag = 0x8769;
constexpr std::uint16_t kUserCommentTag = 0x9286;
constexpr std::array<std::uint16_t, 4> kTextTags{0x010E, 0x010F, 0x0110, 0x0131};
constexpr std::uint16_t kTypeAscii = 2;
constexpr std::uint16_t kTypeLong = 4;
constexpr std::uint16_t kTypeUndefined = 7;
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kEntrySize = 12;
constexpr std::size_t kCodeSize = 8;  // the character code in front of a UserComment

void append_directory(
    Bytes& out, std::uint16_t tag, std::uint16_t type, std::uint32_t count, std::uint32_t value
) {
    put_big_endian_16(out, 1);
    put_big_endian_16(out, tag);
    put_big_endian_16(out, type);
    put_big_endian_32(out, count);
    put_big_endian_32(out, value);
    put_big_endian_32(out, 0);  // no further directory
}

/// Bounds-checked reads in the block's own byte order.
class TiffReader {
  public:
    static std::optional<TiffReader> open(ByteView tiff) {
        const std::string_view text = as_text(tiff);
        if (text.starts_with("MM\0\x2A"sv)) {
            return TiffReader(tiff, true);
        }
        if (text.starts_with("II\x2A\0"sv)) {
            return TiffReader(tiff, false);
        }
        return std::nullopt;
    }

    struct Entry {
        std::uint16_t type;
        std::uint32_t count;
        std::size_t value_at;
    };

    [[nodiscard]] std::optional<Entry> find(std::size_t directory, std::uint16_t tag) const {
        const auto count = number_16(directory);
        for (std::size_t index = 0; count && index < *count; ++index) {
            const std::size_t at = directory + 2 + index * kEntrySize;
            const auto found = number_16(at);
            const auto type = number_16(at + 2);
            const auto values = number_32(at + 4);
            if (!found || !type || !values) {
                return std::nullopt;
            }
            if (*found == tag) {
                return Entry{*type, *values, at + 8};
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::uint16_t> number_16(std::size_t at) const {
        const auto bytes = slice(at, 2);
        if (!bytes) {
            return std::nullopt;
        }
        const std::uint16_t big = big_endian_16(*bytes);
        return is_big_ ? big : static_cast<std::uint16_t>((big << 8U) | (big >> 8U));
    }
    [[nodiscard]] std::optional<std::uint32_t> number_32(std::size_t at) const {
        const auto first = number_16(at);
        const auto second = number_16(at + 2);
        if (!first || !second) {
            return std::nullopt;
        }
        return is_big_ ? (std::uint32_t{*first} << 16U) | *second
                       : (std::uint32_t{*second} << 16U) | *first;
    }
    [[nodiscard]] std::optional<ByteView> slice(std::size_t at, std::size_t size) const {
        if (at > tiff_.size() || size > tiff_.size() - at) {
            return std::nullopt;
        }
        return tiff_.subspan(at, size);
    }
    [[nodiscard]] bool is_big() const { return is_big_; }

  private:
    TiffReader(ByteView tiff, bool is_big) : tiff_(tiff), is_big_(is_big) {}

    ByteView tiff_;
    bool is_big_;
};

/// The bytes of the UserComment with its character code.
std::optional<ByteView> find_comment(const TiffReader& tiff) {
    const auto main_directory = tiff.number_32(4);
    const auto pointer =
        main_directory ? tiff.find(*main_directory, kExifPointerTag) : std::nullopt;
    if (!pointer || pointer->type != kTypeLong) {
        return std::nullopt;
    }
    const auto directory = tiff.number_32(pointer->value_at);
    const auto comment = directory ? tiff.find(*directory, kUserCommentTag) : std::nullopt;
    if (!comment || comment->count < kCodeSize) {
        return std::nullopt;
    }
    const auto at = tiff.number_32(comment->value_at);
    return at ? tiff.slice(*at, comment->count) : std::nullopt;
}

/// Whether text in a little-endian block is big-endian all the same: most text has characters
/// below U+0100, whose zero byte comes first then.
bool looks_big_endian(ByteView utf16) {
    std::size_t first_zeros = 0;
    std::size_t second_zeros = 0;
    for (std::size_t at = 0; at + 1 < utf16.size(); at += 2) {
        first_zeros += utf16[at] == std::byte{0} ? 1U : 0U;
        second_zeros += utf16[at + 1] == std::byte{0} ? 1U : 0U;
    }
    return first_zeros > second_zeros;
}

/// The TIFF structure, without the "Exif\0\0" that some writers put in front.
ByteView without_prefix(ByteView exif) {
    constexpr std::string_view kPrefix = "Exif\0\0"sv;
    return as_text(exif).starts_with(kPrefix) ? exif.subspan(kPrefix.size()) : exif;
}

std::optional<std::string> decode_unicode(ByteView utf16, bool block_is_big) {
    const std::string_view text = as_text(utf16);
    if (text.starts_with("\xFE\xFF"sv)) {
        return utf8_from_utf16(utf16.subspan(2), true);
    }
    if (text.starts_with("\xFF\xFE"sv)) {
        return utf8_from_utf16(utf16.subspan(2), false);
    }
    return utf8_from_utf16(utf16, block_is_big || looks_big_endian(utf16));
}

}  // namespace

Result<Bytes> write_exif_comment(std::string_view comment) {
    TESSERA_TRY(check_utf8(comment));
    Bytes encoded;
    put_bytes(encoded, as_bytes("UNICODE\0"sv));
    // A text that begins with what reads as a byte order mark, either way round, needs one before
    // it.
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (comment.starts_with(kMark) || comment.starts_with("\xEF\xBF\xBE")) {
        append_utf16_big_endian(encoded, kMark);
    }
    append_utf16_big_endian(encoded, comment);

    constexpr std::uint32_t kDirectorySize = 2 + kEntrySize + 4;
    constexpr std::uint32_t kExifDirectory = kHeaderSize + kDirectorySize;
    constexpr std::uint32_t kCommentAt = kExifDirectory + kDirectorySize;
    if (encoded.size() > UINT32_MAX - kCommentAt) {
        return fail(ErrorKind::kExhausted, "the comment is too long for an EXIF block");
    }
    Bytes out;
    put_bytes(out, as_bytes("MM\0\x2A"sv));
    put_big_endian_32(out, kHeaderSize);
    append_directory(out, kExifPointerTag, kTypeLong, 1, kExifDirectory);
    append_directory(
        out, kUserCommentTag, kTypeUndefined, static_cast<std::uint32_t>(encoded.size()), kCommentAt
    );
    put_bytes(out, encoded);
    return out;
}

std::vector<std::string> read_exif_texts(ByteView exif) {
    const auto tiff = TiffReader::open(without_prefix(exif));
    const auto directory = tiff ? tiff->number_32(4) : std::nullopt;
    std::vector<std::string> texts;
    for (const std::uint16_t tag : kTextTags) {
        const auto entry = directory ? tiff->find(*directory, tag) : std::nullopt;
        if (!entry || entry->type != kTypeAscii) {
            continue;
        }
        constexpr std::uint32_t kMostInPlace = 4;
        const auto pointed = tiff->number_32(entry->value_at);
        const auto at = entry->count <= kMostInPlace ? std::optional<std::size_t>(entry->value_at)
                        : pointed                    ? std::optional<std::size_t>(*pointed)
                                                     : std::nullopt;
        const auto bytes = at ? tiff->slice(*at, entry->count) : std::nullopt;
        if (bytes && check_utf8(as_text(*bytes))) {
            const std::string_view text = as_text(*bytes);
            texts.emplace_back(text.substr(0, text.find('\0')));
        }
    }
    return texts;
}

std::optional<std::string> read_exif_comment(ByteView exif) {
    const auto tiff = TiffReader::open(without_prefix(exif));
    const auto comment = tiff ? find_comment(*tiff) : std::nullopt;
    if (!comment) {
        return std::nullopt;
    }
    const std::string_view code = as_text(comment->first(kCodeSize));
    const ByteView content = comment->subspan(kCodeSize);
    if (code == "UNICODE\0"sv) {
        return decode_unicode(content, tiff->is_big());
    }
    const bool is_plain = code == "ASCII\0\0\0"sv || code == "\0\0\0\0\0\0\0\0"sv;
    if (!is_plain || !check_utf8(as_text(content))) {
        return std::nullopt;
    }
    const std::string_view text = as_text(content);
    return std::string(text.substr(0, text.find('\0')));
}

}  // namespace tessera
