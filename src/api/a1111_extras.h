#pragma once

#include "api/api_fault.h"
#include "api/catalog.h"
#include "base/bytes.h"
#include "job/job_spec.h"

#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

/// What A1111's "Extras" tab asks for, of one picture or several.
struct A1111Extras {
    std::vector<Bytes> pictures;
    UpscaleSettings upscale;
    /// Neither enlarged nor repaired: the picture comes back as it is.
    bool changes_nothing = false;
    /// Instead of `upscale.scale`: as large as it must be to cover this.
    int cover_width = 0;
    int cover_height = 0;
    bool crops = true;  ///< what stands out of it
};

enum class ExtrasCall : std::uint8_t { kSingle, kBatch };

[[nodiscard]] Checked<A1111Extras> parse_a1111_extras(ExtrasCall call, std::string_view body);

/// The scale of one of the pictures, in UpscaleSettings' words.
[[nodiscard]] Checked<std::string> extras_scale(
    const A1111Extras& extras, const UploadEntry& picture
);

}  // namespace tessera::api
