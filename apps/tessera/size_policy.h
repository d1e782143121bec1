#pragma once

#include "base/result.h"
#include "tessera/recipe.h"

namespace tessera::cli {

/// Which sizes a model was trained for.
struct NativeSize {
    PictureSize size;
    int multiple = 8;  ///< of which sides must be
};

/// Larger finished pictures are refused.
inline constexpr int kMaxFinishedSide = 8192;

/// The size to render at for a picture of that size: itself where the model can be expected to
/// compose at it (sides in its multiple and between half and twice its own, an area of at most 2.25
/// times); else about the model's own area in the picture's aspect. With `exact` always itself.
/// kInvalidArgument for sizes that are not possible, with those that are.
[[nodiscard]] Result<PictureSize> size_to_render(
    PictureSize finished, const NativeSize& native, bool exact
);

/// The model's own area in this aspect, sides in its multiple and between half and twice its own.
[[nodiscard]] PictureSize native_in_aspect(PictureSize aspect, const NativeSize& native);

/// For an init picture whose result's size is not said: the picture's own, to the nearest multiple,
/// where the model can render it; else the model's own area in its aspect.
[[nodiscard]] PictureSize size_for_init(PictureSize picture, const NativeSize& native);

}  // namespace tessera::cli
