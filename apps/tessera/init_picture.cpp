#include "tessera/init_picture.h"

#include "base/file.h"
#include "base/hash.h"
#include "imaging/codec.h"
#include "tessera/picture_decoder.h"

namespace tessera::cli {

Result<InitPicture> read_init_picture(
    const std::filesystem::path& path, const std::stop_token& stop
) {
    const DecodeLimits limits;
    TESSERA_ASSIGN(const auto file, read_file(path, limits.max_bytes));
    auto image = picture_decoder().decode(as_bytes(file), limits, stop);
    if (!image) {
        return within(path.string(), std::move(image).error());
    }
    return InitPicture{*std::move(image), sha256_hex(as_bytes(file))};
}

Result<MaskPicture> read_mask_picture(
    const std::filesystem::path& path, const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto picture, read_init_picture(path, stop));
    return MaskPicture{mask_from_picture(picture.image), picture.sha256};
}

}  // namespace tessera::cli
