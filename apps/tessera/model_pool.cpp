#include "tessera/model_pool.h"

#include "diffusion/pipeline_preview.h"
#include "telemetry/farm_metrics.h"
#include "tessera/stop_watch.h"

#include <algorithm>

namespace tessera::cli {

Result<LatentPreview> PooledModel::preview(const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    if (!preview_) {
        TESSERA_ASSIGN(preview_, preview_of(*opened.pipeline, stop));
    }
    return *preview_;
}

ModelPool::ModelPool(
    const ModelShelf& shelf,
    const EngineChoice& engine,
    std::uint64_t budget_bytes,
    RenderListener& listener,
    Metrics& metrics
)
    : shelf_(shelf),
      engine_(engine),
      budget_bytes_(budget_bytes),
      listener_(listener),
      first_loads_(metrics.counter(metric::kModelLoads, {"first"})),
      swaps_(metrics.counter(metric::kModelLoads, {"swap"})),
      evictions_(metrics.counter(metric::kModelEvictions)),
      load_seconds_(metrics.histogram(metric::kModelLoadSeconds)),
      hits_(metrics.counter(metric::kCacheRequests, {"models", "hit"})),
      misses_(metrics.counter(metric::kCacheRequests, {"models", "miss"})) {}

Result<std::shared_ptr<PooledModel>> ModelPool::get(
    const std::string& name, const std::string& hash
) {
    const std::lock_guard lock(mutex_);
    const std::string affinity = affinity_of(name, hash);
    const auto known = std::find_if(models_.begin(), models_.end(), [&](const auto& model) {
        return model->affinity == affinity;
    });
    if (known != models_.end()) {
        hits_.add();
        models_.splice(models_.begin(), models_, known);
        note_loaded();
        return models_.front();
    }
    TESSERA_ASSIGN(const auto shelved, shelf_.find(name));
    if (shelved.affinity != affinity) {
        return fail(
            ErrorKind::kConflict,
            "the model '{}' of this worker has the hash {}, the job wants {}",
            name,
            shelved.hash,
            hash
        );
    }
    misses_.add();
    const Counter& load = models_.empty() ? first_loads_ : swaps_;
    make_room(shelved.bytes);
    StopWatch watch;
    auto model = std::make_shared<PooledModel>();
    TESSERA_ASSIGN(
        model->opened, open_model(shelf_.locations(), shelved.folder, engine_, listener_)
    );
    model->affinity = affinity;
    model->bytes = shelved.bytes;
    models_.push_front(model);
    load.add();
    load_seconds_.observe(watch.lap());
    note_loaded();
    return model;
}

void ModelPool::make_room(std::uint64_t bytes) {
    std::uint64_t used = bytes;
    for (auto model = models_.begin(); model != models_.end();) {
        used += (*model)->bytes;
        // A model in use lives on until its render ends.
        if (used > budget_bytes_) {
            evictions_.add();
            model = models_.erase(model);
        } else {
            ++model;
        }
    }
}

Result<std::shared_ptr<Engine>> ModelPool::engine() {
    const std::lock_guard lock(mutex_);
    if (!spare_engine_) {
        TESSERA_ASSIGN(spare_engine_, make_engine(shelf_.locations(), engine_, listener_));
    }
    return spare_engine_;
}

void ModelPool::note_loaded() {
    std::vector<std::string> names;
    for (const auto& model : models_) {
        names.push_back(model->affinity);
    }
    const std::lock_guard lock(loaded_mutex_);
    loaded_ = std::move(names);
}

std::vector<std::string> ModelPool::loaded() const {
    const std::lock_guard lock(loaded_mutex_);
    return loaded_;
}

}  // namespace tessera::cli
