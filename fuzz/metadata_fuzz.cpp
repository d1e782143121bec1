// Any bytes as a picture's metadata, in each of its forms; what can be read can be written and is
// then read again as it was.
#include "imaging/exif.h"
#include "imaging/infotext.h"
#include "imaging/metadata.h"
#include "imaging/png_chunks.h"
#include "imaging/xmp.h"

#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_file(tessera::ByteView bytes) {
    const auto found = tessera::extract_metadata(bytes);
    const tessera::PictureMetadata fresh{"a cat, 雪山", "{}"};
    if (const auto carrying = tessera::embed_metadata(bytes, fresh); found && carrying) {
        require(tessera::extract_metadata(*carrying) == fresh);
    }
}

void check_infotext(std::string_view text) {
    const auto parsed = tessera::parse_infotext(text);
    if (const auto written = tessera::write_infotext(parsed)) {
        require(tessera::parse_infotext(*written).parameters == parsed.parameters);
    }
}

void check_exif(tessera::ByteView bytes) {
    if (const auto comment = tessera::read_exif_comment(bytes)) {
        const auto written = tessera::write_exif_comment(*comment);
        require(written && tessera::read_exif_comment(*written) == *comment);
    }
}

void check_xmp(std::string_view text) {
    if (const auto json = tessera::read_xmp(text)) {
        require(tessera::read_xmp(tessera::write_xmp(*json)) == *json);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    check_file(bytes);
    check_infotext(tessera::as_text(bytes));
    check_exif(bytes);
    check_xmp(tessera::as_text(bytes));
    return 0;
}
