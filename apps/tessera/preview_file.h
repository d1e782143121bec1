#pragma once

#include "base/tensor.h"
#include "diffusion/latent_preview.h"
#include "diffusion/pipeline_model.h"
#include "tessera/painting.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>

namespace tessera::cli {

/// A small PNG that shows one model's latents, replaced whenever there is something new. What goes
/// wrong with it is told once and ends the previews, not the render. One thread at a time.
class PreviewFile final : public StepObserver {
  public:
    PreviewFile(
        std::filesystem::path file, std::shared_ptr<PipelineModel> model, RenderListener& listener
    )
        : file_(std::move(file)), model_(std::move(model)), listener_(listener) {}

    /// The first call finds the model's factors (preview_of).
    void after_step(int pass, const Render& render, const std::stop_token& stop) override;

  private:
    Status write(const Tensor& latents, const std::stop_token& stop);

    std::filesystem::path file_;
    std::shared_ptr<PipelineModel> model_;
    RenderListener& listener_;
    std::optional<LatentPreview> preview_;
    bool failed_ = false;
};

}  // namespace tessera::cli
