#include "tessera/init_canvas.h"

#include "imaging/composite.h"
#include "imaging/masked_fill.h"
#include "imaging/resize.h"
#include "upscaling/pixels.h"

#include <utility>

namespace tessera::cli {
namespace {

/// The picture that is painted on and what of it is repainted, both of one size.
struct Sheet {
    Image picture;
    std::optional<Mask> mask;
};

Result<Sheet> lay_out(const Image& init, const std::optional<Mask>& drawn, const Recipe& recipe) {
    if (recipe.outpaint) {
        TESSERA_ASSIGN(auto grown, extend_canvas(init, *recipe.outpaint));
        return Sheet{std::move(grown.picture), std::move(grown.mask)};
    }
    if (!recipe.inpaint) {
        return Sheet{init, std::nullopt};
    }
    Mask mask = drawn ? *drawn : mask_from_alpha(init);
    TESSERA_ASSIGN(auto fitted, fit_mask(std::move(mask), init.width, init.height));
    if (recipe.inpaint->inverted) {
        fitted.mask = inverted(std::move(fitted.mask));
    }
    TESSERA_ASSIGN(auto soft, blurred(fitted.mask, recipe.inpaint->blur, recipe.inpaint->blur));
    // What is to be repainted may be transparent; the colours that lie below it are the picture's.
    const bool cut_out = !drawn && init.channels == 4;
    return Sheet{cut_out ? colours_of(init) : flatten(init), std::move(soft)};
}

}  // namespace

Result<PictureSize> canvas_size(const Image& init, const std::optional<CanvasExtension>& outpaint) {
    if (!outpaint) {
        return PictureSize{init.width, init.height};
    }
    TESSERA_ASSIGN(const auto grown, extend_canvas(init, *outpaint));
    return PictureSize{grown.picture.width, grown.picture.height};
}

Result<InitCanvas> make_init_canvas(
    const Image& init, const std::optional<Mask>& mask, const Recipe& recipe
) {
    TESSERA_ASSIGN(Sheet sheet, lay_out(init, mask, recipe));
    const auto [width, height] = recipe.rendered;
    const ResizeMode mode = recipe.init->resize_mode;
    InitCanvas canvas;
    if (!sheet.mask) {
        TESSERA_ASSIGN(canvas.picture, resize_by_mode(sheet.picture, mode, width, height));
        return canvas;
    }
    auto& around = canvas.surroundings.emplace();
    if (recipe.inpaint->only_masked_padding) {
        around.region = crop_region(*sheet.mask, *recipe.inpaint->only_masked_padding);
    }
    if (around.region) {
        around.region = expand_crop_region(
            *around.region, width, height, sheet.picture.width, sheet.picture.height
        );
        TESSERA_ASSIGN(const Image part, crop(sheet.picture, *around.region));
        TESSERA_ASSIGN(const Mask part_mask, crop(*sheet.mask, *around.region));
        constexpr auto kFill = ResizeMode::kResizeAndFill;
        TESSERA_ASSIGN(canvas.picture, resize_by_mode(part, kFill, width, height));
        TESSERA_ASSIGN(canvas.mask, resize_by_mode(part_mask, kFill, width, height));
        around.picture = std::move(sheet.picture);
        around.overlay = *std::move(sheet.mask);
    } else {
        TESSERA_ASSIGN(canvas.picture, resize_by_mode(sheet.picture, mode, width, height));
        TESSERA_ASSIGN(canvas.mask, resize_by_mode(*sheet.mask, mode, width, height));
        const auto [all_width, all_height] = recipe.size;
        TESSERA_ASSIGN(around.picture, resize_by_mode(sheet.picture, mode, all_width, all_height));
        TESSERA_ASSIGN(auto overlay, resize_by_mode(*sheet.mask, mode, all_width, all_height));
        around.overlay = overlay_mask(std::move(overlay));
    }
    if (recipe.inpaint->fill != MaskedFill::kOriginal) {
        TESSERA_ASSIGN(canvas.picture, fill_masked(canvas.picture, *canvas.mask));
    }
    return canvas;
}

Result<Image> put_back(const InitCanvas& canvas, Image rendered) {
    if (!canvas.surroundings) {
        return rendered;
    }
    const auto& around = *canvas.surroundings;
    if (around.region) {
        return composite_region(around.picture, rendered, around.overlay, *around.region);
    }
    return composite(around.picture, rendered, around.overlay);
}

}  // namespace tessera::cli
