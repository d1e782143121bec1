#pragma once

#include "base/result.h"
#include "diffusion/latent_preview.h"
#include "telemetry/metrics.h"
#include "tessera/model_shelf.h"
#include "tessera/opened_model.h"
#include "tessera/upscalers.h"

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// A model in memory with what goes with it.
struct PooledModel {
    OpenedModel opened;
    std::string affinity;
    std::uint64_t bytes = 0;

    /// The model's preview factors, found at the first call.
    [[nodiscard]] Result<LatentPreview> preview(const std::stop_token& stop);

  private:
    std::mutex mutex_;
    std::optional<LatentPreview> preview_;
};

/// The models that a worker process has in memory: loaded on demand, and let go by least recent use
/// when they are more than the budget. Weights are mapped from the engine cache, which all
/// processes of the machine share. Thread-safe.
class ModelPool {
  public:
    ModelPool(
        const ModelShelf& shelf,
        const EngineChoice& engine,
        std::uint64_t budget_bytes,
        RenderListener& listener,
        Metrics& metrics
    );

    /// kNotFound when it is not installed here, kConflict when what is has another hash.
    [[nodiscard]] Result<std::shared_ptr<PooledModel>> get(
        const std::string& name, const std::string& hash
    );
    /// The engine, for work without a model.
    [[nodiscard]] Result<std::shared_ptr<Engine>> engine();
    /// Their affinities, the latest used first. Never waits for a model that is being opened.
    [[nodiscard]] std::vector<std::string> loaded() const;

  private:
    void make_room(std::uint64_t bytes);
    void note_loaded();

    const ModelShelf& shelf_;
    const EngineChoice engine_;
    const std::uint64_t budget_bytes_;
    RenderListener& listener_;
    const Counter first_loads_;
    const Counter swaps_;
    const Counter evictions_;
    const Histogram load_seconds_;
    const Counter hits_;
    const Counter misses_;
    std::mutex mutex_;  // guards what follows; held while a model is opened
    std::shared_ptr<Engine> spare_engine_;
    std::list<std::shared_ptr<PooledModel>> models_;  ///< the latest first
    mutable std::mutex loaded_mutex_;
    std::vector<std::string> loaded_;
};

}  // namespace tessera::cli
