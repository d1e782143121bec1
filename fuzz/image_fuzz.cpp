// Any bytes as a picture file: what comes out is a well-formed picture within the limits, or an
// error; and what can be decoded can be written and read again.
#include "imaging/codec.h"

#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const tessera::DecodeLimits limits{64 * 1024, 1024, std::size_t{1} << 20U};
    const auto image = tessera::decode(std::as_bytes(std::span(data, size)), limits);
    if (!image) {
        return 0;
    }
    const bool is_within = image->width <= limits.max_side && image->height <= limits.max_side &&
                           tessera::is_well_formed(*image);
    const auto written = tessera::encode(*image, tessera::PictureFormat::kPng, {90, false, 1});
    if (!is_within || !written || tessera::decode(*written) != *image) {
        std::abort();
    }
    return 0;
}
