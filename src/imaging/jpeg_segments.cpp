#include "imaging/jpeg_segments.h"

#include "imaging/byte_order.h"
#include "imaging/format.h"

#include <cstdint>
#include <string_view>

namespace tessera {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExifPrefix = "Exif\0\0"sv;
constexpr std::string_view kXmpPrefix = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::size_t kMaxPayload = 0xFFFF - 2;  // the length field counts itself

constexpr unsigned kStartOfScan = 0xDA;
constexpr unsigned kEndOfImage = 0xD9;
constexpr unsigned kFirstApplicationSegment = 0xE0;
constexpr unsigned kMetadataSegment = 0xE1;

struct Segment {
    unsigned marker;
    ByteView payload;
    ByteView whole;

    [[nodiscard]] bool holds(std::string_view prefix) const {
        return marker == kMetadataSegment && as_text(payload).starts_with(prefix);
    }
};

/// Calls visit(Segment) for each segment between the start and the pixels; returns the rest of the
/// file, which begins with the first scan.
template <class Visit>
Result<ByteView> walk(ByteView jpeg, Visit visit) {
    if (sniff_format(jpeg) != PictureFormat::kJpeg) {
        return fail(ErrorKind::kInvalidArgument, "this is not a JPEG file");
    }
    ByteView rest = jpeg.subspan(2);
    while (rest.size() >= 2 && rest[0] == std::byte{0xFF}) {
        const auto marker = std::to_integer<unsigned>(rest[1]);
        if (marker == 0xFFU) {  // a fill byte
            rest = rest.subspan(1);
            continue;
        }
        if (marker == kStartOfScan) {
            return rest;
        }
        const std::size_t length = rest.size() >= 4 ? big_endian_16(rest.subspan(2)) : 0U;
        if (marker == kEndOfImage || length < 2 || length > rest.size() - 2) {
            break;
        }
        visit(Segment{marker, rest.subspan(4, length - 2), rest.first(length + 2)});
        rest = rest.subspan(length + 2);
    }
    return fail(ErrorKind::kCorrupt, "the JPEG file is damaged or cut off before its pixels");
}

Status append_segment(Bytes& out, std::string_view prefix, ByteView content, const char* name) {
    if (content.empty()) {
        return {};
    }
    if (content.size() > kMaxPayload - prefix.size()) {
        return fail(
            ErrorKind::kExhausted,
            "the {} metadata comes to {} bytes and a JPEG holds {}: shorten the prompt or use PNG",
            name,
            content.size(),
            kMaxPayload - prefix.size()
        );
    }
    put_big_endian_16(out, static_cast<std::uint16_t>(0xFF00U | kMetadataSegment));
    put_big_endian_16(out, static_cast<std::uint16_t>(prefix.size() + content.size() + 2));
    put_bytes(out, as_bytes(prefix));
    put_bytes(out, content);
    return {};
}

}  // namespace

Result<MetadataBlocks> read_jpeg_metadata(ByteView jpeg) {
    MetadataBlocks blocks;
    TESSERA_TRY(walk(jpeg, [&](const Segment& segment) {
        if (segment.holds(kExifPrefix) && blocks.exif.empty()) {
            blocks.exif = segment.payload.subspan(kExifPrefix.size());
        } else if (segment.holds(kXmpPrefix) && blocks.xmp.empty()) {
            blocks.xmp = segment.payload.subspan(kXmpPrefix.size());
        }
    }));
    return blocks;
}

Result<Bytes> insert_jpeg_metadata(ByteView jpeg, const MetadataBlocks& blocks) {
    Bytes inserted;
    TESSERA_TRY(append_segment(inserted, kExifPrefix, blocks.exif, "EXIF"));
    TESSERA_TRY(append_segment(inserted, kXmpPrefix, blocks.xmp, "XMP"));

    Bytes out;
    out.reserve(jpeg.size() + inserted.size());
    put_bytes(out, as_bytes("\xFF\xD8"sv));
    bool done = false;
    const auto insert_once = [&] {
        if (!done) {
            put_bytes(out, inserted);
            done = true;
        }
    };
    TESSERA_ASSIGN(const ByteView pixels, walk(jpeg, [&](const Segment& segment) {
                       // JFIF wants its own segment to be the first one.
                       if (segment.marker != kFirstApplicationSegment) {
                           insert_once();
                       }
                       if (!segment.holds(kExifPrefix) && !segment.holds(kXmpPrefix)) {
                           put_bytes(out, segment.whole);
                       }
                   }));
    insert_once();
    put_bytes(out, pixels);
    return out;
}

std::size_t count_jpeg_scans(ByteView jpeg) {
    // Inside coded pixels 0xFF is always followed by 0 or a restart marker, so that the pair can
    // only be a marker there; thumbnails inside metadata may add a few.
    std::size_t scans = 0;
    for (std::size_t at = 0; at + 1 < jpeg.size(); ++at) {
        scans += jpeg[at] == std::byte{0xFF} && jpeg[at + 1] == std::byte{kStartOfScan} ? 1U : 0U;
    }
    return scans;
}

}  // namespace tessera
