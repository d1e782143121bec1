#include "tessera/init_picture.h"

#include "base/file.h"
#include "base/hash.h"
#include "imaging/codec.h"
#include "imaging/resize.h"

namespace tessera::cli {
namespace {

int nearest_multiple(int value, int multiple) {
    return (value + multiple / 2) / multiple * multiple;
}

bool is_within_twice(int value, int native) {
    return value >= native / 2 && value <= native * 2;
}

}  // namespace

Result<InitPicture> read_init_picture(const std::filesystem::path& path) {
    const DecodeLimits limits;
    TESSERA_ASSIGN(const auto file, read_file(path, limits.max_bytes));
    auto image = decode(as_bytes(file), limits);
    if (!image) {
        return within(path.string(), std::move(image).error());
    }
    return InitPicture{*std::move(image), sha256_hex(as_bytes(file))};
}

PictureSize size_for_init(const Image& image, PictureSize native, int multiple) {
    const PictureSize own{
        nearest_multiple(image.width, multiple), nearest_multiple(image.height, multiple)};
    const bool fits =
        is_within_twice(own.width, native.width) && is_within_twice(own.height, native.height);
    return fits ? own : native;
}

Result<Tensor> init_tensor(const Image& image, PictureSize size) {
    TESSERA_ASSIGN(const auto cropped, crop_to_fill(image, size.width, size.height));
    return Tensor({1, 3, size.height, size.width}, planes_from_image(cropped));
}

}  // namespace tessera::cli
