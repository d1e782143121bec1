#pragma once

#include "base/result.h"
#include "imaging/image.h"

#include <string_view>

namespace tessera {

/// An SVG drawing of ours as RGB pixels, `scale` times its size, over white. Not for drawings from
/// elsewhere, and not while another thread decodes: libvips may load SVG meanwhile. kUnsupported
/// when this libvips cannot, kInvalidArgument when it is no such drawing.
[[nodiscard]] Result<Image> draw_svg(std::string_view svg, double scale);

}  // namespace tessera
