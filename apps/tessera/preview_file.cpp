#include "tessera/preview_file.h"

#include "base/file.h"
#include "diffusion/pipeline_preview.h"
#include "imaging/codec.h"

namespace tessera::cli {

void PreviewFile::after_step(int /*pass*/, const Render& render, const std::stop_token& stop) {
    if (failed_ || stop.stop_requested()) {
        return;
    }
    if (const auto written = write(render.loop().predicted_clean(), stop); !written) {
        failed_ = true;
        listener_.say("note: no preview: " + written.error().message);
    }
}

Status PreviewFile::write(const Tensor& latents, const std::stop_token& stop) {
    if (!preview_) {
        TESSERA_ASSIGN(preview_, preview_of(*model_, stop));
    }
    const Tensor small = preview_image(latents, *preview_);
    const auto width = static_cast<int>(small.shape[3]);
    const auto height = static_cast<int>(small.shape[2]);
    TESSERA_ASSIGN(
        const auto png, encode(image_from_planes(small.values, width, height), PictureFormat::kPng)
    );
    return write_file_atomically(file_, png);
}

}  // namespace tessera::cli
