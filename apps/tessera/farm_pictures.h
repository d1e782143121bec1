#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/image.h"
#include "imaging/metadata.h"
#include "job/job_spec.h"
#include "job/task.h"
#include "tessera/recipe.h"

#include <string>
#include <vector>

namespace tessera::cli {

/// As a file in the format that the job wants.
[[nodiscard]] Result<Bytes> encode_output(
    const Image& picture, const OutputSettings& output, const PictureMetadata& metadata
);
/// "image/png".
[[nodiscard]] std::string media_type_of(const OutputSettings& output);

/// How a picture is made larger after it is there.
struct EnlargementWish {
    std::string upscaler;
    std::string restorer;  ///< empty: none
    PictureSize size;      ///< of the result
};

/// From the recipe of a render, or from the settings of an upscale job, which name the size
/// ("1024x1024") once the job was accepted.
[[nodiscard]] Result<EnlargementWish> read_enlargement(
    const JobSpec& spec, const std::string& recipe
);

/// What the enlarged file of an upscale job says: the source's own words and what was done to it.
[[nodiscard]] Result<PictureMetadata> enlarged_metadata(
    ByteView source, const Image& before, const EnlargementWish& wish
);

/// Copies a tile to its place in a picture, which is made at the first tile with `whole`'s size.
/// kInternal when it does not fit there.
[[nodiscard]] Status put_tile(
    const Image& tile, const TileRegion& region, const TileRegion& whole, Image& picture
);

}  // namespace tessera::cli
