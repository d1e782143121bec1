#include "imaging/drawing.h"

#include "imaging/vips_handle_internal.h"
#include "imaging/vips_setup.h"

#include <cstddef>
#include <cstdint>

namespace tessera {
namespace {

constexpr const char* kLoader = "VipsForeignLoadSvg";

/// set_up_vips takes the loader away from everybody.
class LoaderLent {
  public:
    LoaderLent() { vips_operation_block_set(kLoader, FALSE); }
    ~LoaderLent() { vips_operation_block_set(kLoader, TRUE); }
    LoaderLent(const LoaderLent&) = delete;
    LoaderLent& operator=(const LoaderLent&) = delete;
};

}  // namespace

Result<Image> draw_svg(std::string_view svg, double scale) {
    TESSERA_TRY(set_up_vips());
    if (vips_type_find("VipsOperation", "svgload_buffer") == 0) {
        return fail(
            ErrorKind::kUnsupported, "the libvips of this machine draws no SVG; take a .svg file"
        );
    }
    const LoaderLent lent;
    const VipsHandle loaded = run_vips([&](VipsImage** out) {
        // It is not written to.
        auto* const data = const_cast<char*>(svg.data());
        return vips_svgload_buffer(data, svg.size(), out, "scale", scale, nullptr);
    });
    std::size_t size = 0;
    const VipsMemory pixels(loaded ? vips_image_write_to_memory(loaded.get(), &size) : nullptr);
    Image image;
    if (pixels) {
        const auto* const bytes = static_cast<const std::uint8_t*>(pixels.get());
        image.width = vips_image_get_width(loaded.get());
        image.height = vips_image_get_height(loaded.get());
        image.channels = vips_image_get_bands(loaded.get());
        image.pixels.assign(bytes, bytes + size);
    }
    if (!is_well_formed(image)) {
        vips_error_clear();
        return fail(ErrorKind::kInvalidArgument, "it is no SVG that can be drawn");
    }
    return flatten(image);
}

}  // namespace tessera
