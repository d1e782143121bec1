#pragma once

#include "job/resolved_job.h"
#include "job/task.h"

#include <vector>

namespace tessera {

/// A picture's tiles are at most so many; they are made larger instead. It keeps what a merge task
/// needs within one frame of the link.
inline constexpr int kMaxTiles = 256;

/// The regions that tile workers make, row by row: each pixel lies in exactly one. They are as few
/// as `side` allows and nearly equal. Inner edges stand at multiples of `multiple`, so that
/// they are edges of the smaller picture's pixels too. How far a worker looks beyond the edges is
/// its own business. All arguments at least 1, `multiple` at most `side`.
[[nodiscard]] std::vector<TileRegion> tile_grid(PixelSize size, int side, int multiple);

}  // namespace tessera
