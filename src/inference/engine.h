#pragma once

#include "base/result.h"
#include "inference/engine_cache.h"
#include "inference/fingerprint.h"
#include "inference/network.h"
#include "models/onnx_model.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tessera {

class CacheWriter;
class Runtime;

struct EngineOptions {
    Provider provider = Provider::kCpu;
    int threads = 0;  ///< threads that work on one call; 0: one per usable core
    std::filesystem::path cache_folder{};  ///< empty: no engine cache
    std::uint64_t cache_budget_bytes = 20ULL << 30U;
    /// Told, in one sentence, why an engine could not be cached or a cached one was refused; the
    /// work goes on without. Called from any thread. Empty: nobody is told.
    std::function<void(const std::string&)> warn{};
    /// Bytes of memory that may still be used, asked before a cache entry is written, which takes
    /// some three times the weights for a while. Empty: the system is asked.
    std::function<std::uint64_t()> available_memory{};
};

/// Where a network comes from. `build` writes the graph and opens the weights; it is not called
/// when the engine cache has the network.
struct ModelSource {
    std::string name;         ///< "unet", "vae_decoder", ...: for messages
    std::string content_key;  ///< differs whenever `build` would give another graph or weights
    std::function<Result<OnnxModel>()> build;
};

/// Loads networks. All engines of a process share one pool of threads. Thread-safe.
///
/// Engine cache (CPU only): the first load of a network starts from memory, and a low-priority
/// thread writes the optimised graph and weights beside it; from then on every process of the
/// machine maps that entry, and so does the network that was loaded first.
class Engine {
  public:
    /// kInvalidArgument for a negative thread count, kConflict while an engine with another number
    /// of threads lives in this process. A cache folder that cannot be used is a warning.
    /// Whether the GPU's provider and libraries are there shows when a network is loaded.
    [[nodiscard]] static Result<std::shared_ptr<Engine>> create(EngineOptions options);

    Engine(
        EngineOptions options, std::shared_ptr<Runtime> runtime, std::optional<EngineCache> cache
    );
    /// Waits until begun and waiting cache entries are written; see abandon_cache_writes().
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Errors of `build`, kUnsupported for an operator that this ONNX Runtime lacks, kCorrupt for a
    /// graph that contradicts itself.
    [[nodiscard]] Result<std::shared_ptr<Network>> load(const ModelSource& source);

    [[nodiscard]] const Fingerprint& fingerprint() const { return fingerprint_; }

    /// Where other small things that networks have computed may be kept too, under names that are
    /// no keys (EngineCache::remove). Empty where nothing is to be kept; it may not exist.
    [[nodiscard]] const std::filesystem::path& cache_folder() const {
        return options_.cache_folder;
    }

    /// Returns once all cache entries that loads have asked for are written or given up.
    void finish_cache_writes();
    /// Gives up the cache entry being written, within a second or so, and those waiting.
    void abandon_cache_writes();

  private:
    [[nodiscard]] std::shared_ptr<Network> load_cached(const ModelSource& source);
    void write_later(
        const ModelSource& source, OnnxModel model, const std::shared_ptr<Network>& network
    );
    [[nodiscard]] EngineIdentity identify(const ModelSource& source) const;

    EngineOptions options_;
    std::shared_ptr<Runtime> runtime_;
    Fingerprint fingerprint_;
    std::optional<EngineCache> cache_;
    std::unique_ptr<CacheWriter> writer_;
};

}  // namespace tessera
