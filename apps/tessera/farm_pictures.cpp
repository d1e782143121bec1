#include "tessera/farm_pictures.h"

#include "imaging/codec.h"
#include "tessera/installed_upscalers.h"
#include "tessera/render_settings.h"
#include "tessera/upscale_metadata.h"

#include <algorithm>

namespace tessera::cli {

Result<Bytes> encode_output(
    const Image& picture, const OutputSettings& output, const PictureMetadata& metadata
) {
    TESSERA_ASSIGN(const auto format, parse_picture_format(output.format));
    EncodeOptions options;
    options.quality = output.quality.value_or(options.quality);
    return encode(picture, format, options, metadata);
}

std::string media_type_of(const OutputSettings& output) {
    return output.format == "jpg" ? "image/jpeg" : "image/" + output.format;
}

Result<EnlargementWish> read_enlargement(const JobSpec& spec, const std::string& recipe) {
    EnlargementWish wish;
    if (spec.kind == JobKind::kRender) {
        TESSERA_ASSIGN(const auto whole, recipe_from_json(recipe));
        wish.upscaler = whole.enlarged_by;
        wish.size = whole.size;
        return wish;
    }
    wish.upscaler = spec.upscale.upscaler;
    wish.restorer = spec.upscale.restore ? kRestoreNetwork : "";
    TESSERA_ASSIGN(wish.size, parse_picture_size("scale", spec.upscale.scale));
    return wish;
}

Result<PictureMetadata> enlarged_metadata(
    ByteView source, const Image& before, const EnlargementWish& wish
) {
    TESSERA_ASSIGN(auto metadata, extract_metadata(source));
    UpscaleRecord record;
    record.scale = static_cast<double>(wish.size.width) / before.width;
    record.width = wish.size.width;
    record.height = wish.size.height;
    record.upscaler = wish.upscaler;
    record.restorer = wish.restorer;
    return add_to_metadata(std::move(metadata), record);
}

Status put_tile(
    const Image& tile, const TileRegion& region, const TileRegion& whole, Image& picture
) {
    if (picture.pixels.empty()) {
        picture = {whole.width, whole.height, tile.channels, {}};
        picture.pixels.resize(
            static_cast<std::size_t>(whole.width) * static_cast<std::size_t>(whole.height) *
            static_cast<std::size_t>(tile.channels)
        );
    }
    const bool fits = is_well_formed(tile) && tile.channels == picture.channels &&
                      tile.width == region.width && tile.height == region.height && region.x >= 0 &&
                      region.y >= 0 && region.x <= whole.width - tile.width &&
                      region.y <= whole.height - tile.height;
    if (!fits) {
        return fail(
            ErrorKind::kInternal,
            "a tile of {}x{} does not fit at {},{} of a picture of {}x{}",
            tile.width,
            tile.height,
            region.x,
            region.y,
            whole.width,
            whole.height
        );
    }
    const auto channels = static_cast<std::size_t>(tile.channels);
    const auto line = static_cast<std::size_t>(tile.width) * channels;
    for (int row = 0; row < tile.height; ++row) {
        const auto from = static_cast<std::size_t>(row) * line;
        const auto to =
            (static_cast<std::size_t>(region.y + row) * static_cast<std::size_t>(whole.width) +
             static_cast<std::size_t>(region.x)) *
            channels;
        std::copy_n(tile.pixels.data() + from, line, picture.pixels.data() + to);
    }
    return {};
}

}  // namespace tessera::cli
