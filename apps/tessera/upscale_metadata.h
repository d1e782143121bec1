#pragma once

#include "base/result.h"
#include "imaging/metadata.h"

#include <string>

namespace tessera::cli {

/// What was done to a picture after it was made.
struct UpscaleRecord {
    double scale = 1.0;
    int width = 0;  ///< of the result
    int height = 0;
    std::string upscaler;  ///< its name; empty: only repaired
    std::string restorer;  ///< the repairing network's name; empty: not repaired
};

/// The source's metadata with the record added: its text stays and goes on with A1111's
/// "Postprocess upscale by" and so on; its JSON, where it is an object, gets the record as the last
/// entry of the list "postprocess". A picture without JSON gets none: the list alone repeats
/// nothing.
[[nodiscard]] Result<PictureMetadata> add_to_metadata(
    PictureMetadata source, const UpscaleRecord& record
);

}  // namespace tessera::cli
