#pragma once

#include "base/result.h"

namespace tessera {

/// Makes libvips ready in the calling thread; cheap after the first call. From then on the process
/// has these of its loaders and savers only: PNG, JPEG and WebP. One thread per operation and no
/// cache of operations, because whoever calls has threads of his own. kInternal when libvips
/// cannot start.
[[nodiscard]] Status set_up_vips();

}  // namespace tessera
