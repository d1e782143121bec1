#pragma once

#include "tessera/model_pool.h"
#include "tessera/picture_decoder.h"
#include "worker/task_runner.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tessera::cli {

/// What a worker does with tasks: renders, enlarges, merges tiles. Equal tasks give equal bytes on
/// one engine fingerprint, however many slots there are and wherever a render was taken up again.
class FarmRenderer final : public TaskRunner {
  public:
    /// Shelf and metrics must outlive it.
    FarmRenderer(
        const ModelShelf& shelf,
        const EngineChoice& engine,
        std::uint64_t model_budget_bytes,
        RenderListener& listener,
        Metrics& metrics
    );

    [[nodiscard]] Result<TaskResult> run(
        const AssignTask& task, TaskContext& context, const std::stop_token& stop
    ) override;
    [[nodiscard]] std::vector<ModelOffer> models() const override;
    [[nodiscard]] std::string fingerprint() const override { return fingerprint_; }

    /// Makes the engine: once, before the first task.
    [[nodiscard]] Status prepare();

  private:
    const ModelShelf& shelf_;
    Metrics& metrics_;
    ModelPool pool_;
    std::string fingerprint_;
    std::unique_ptr<Upscalers> upscalers_;
};

}  // namespace tessera::cli
