#pragma once

#include "base/result.h"
#include "inference/cache_manifest.h"
#include "inference/file_lock.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// The files of an entry beside its manifest, and how large a graph may be.
inline constexpr const char* kCachedGraphFile = "model.onnx";
inline constexpr const char* kCachedWeightsFile = "weights.bin";
inline constexpr std::uint64_t kLargestGraph = 512ULL << 20U;

/// One entry of the engine cache, as `tessera cache` lists it.
struct CacheEntry {
    std::string key;
    std::string name;  ///< of the network; empty when the manifest cannot be read
    std::uint64_t bytes = 0;
    std::chrono::system_clock::time_point last_used;
};

/// A cached engine that passed every check. While it lives no process changes the cache, so hold it
/// only until the files are open.
struct CachedEngine {
    std::filesystem::path folder;
    std::string graph;  ///< content of the graph file
    std::optional<FileLock> lock;
};

/// A folder in which an entry is being written. Removed with the object unless committed, and by
/// the next writer if this process dies.
class CacheDraft {
  public:
    CacheDraft(std::filesystem::path folder, FileLock lock);
    ~CacheDraft();
    CacheDraft(CacheDraft&&) noexcept = default;
    CacheDraft& operator=(CacheDraft&&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  private:
    friend class EngineCache;
    std::filesystem::path folder_;
    FileLock lock_;  // tells cleaners of other processes that the writer lives
};

/// Optimised networks on disk, shared by all processes of a machine; one folder per entry:
/// model.onnx, weights.bin, manifest.json. Entries appear whole and by one rename, after their
/// files are synced. Removing an entry that a process has mapped is safe: the file's pages stay
/// until the last process lets go of them. Copies share nothing but the folder; thread-safe.
class EngineCache {
  public:
    /// Makes the folder. The budget bounds the bytes of all entries together.
    [[nodiscard]] static Result<EngineCache> open(
        std::filesystem::path folder, std::uint64_t budget_bytes
    );

    /// Most recently used first.
    [[nodiscard]] std::vector<CacheEntry> list() const;
    [[nodiscard]] std::uint64_t total_bytes() const;
    /// kInvalidArgument for what is no key, kNotFound.
    [[nodiscard]] Status remove(const std::string& key) const;
    /// Removes all entries, and what dead processes left.
    [[nodiscard]] Status clear() const;
    /// Removes the least recently used entries until the rest fits.
    [[nodiscard]] Status prune(std::uint64_t budget_bytes) const;

    /// Marks the entry as used. kNotFound; kCorrupt when the entry is damaged or another identity's
    /// (a foreign fingerprint above all) and must not be loaded.
    [[nodiscard]] Result<CachedEngine> find(const EngineIdentity& identity) const;

    [[nodiscard]] std::uint64_t budget_bytes() const { return budget_bytes_; }
    /// Bytes that the disk of the cache still takes.
    [[nodiscard]] std::uint64_t free_disk_bytes() const;

    [[nodiscard]] Result<CacheDraft> begin() const;
    /// Syncs the draft and makes it the entry, removing others to stay within the budget. An entry
    /// that another process made meanwhile stays. kExhausted: larger than the budget, or disk full.
    [[nodiscard]] Status commit(CacheDraft draft, const EngineIdentity& identity) const;

  private:
    EngineCache(std::filesystem::path folder, std::uint64_t budget_bytes);
    [[nodiscard]] Result<FileLock> lock(FileLock::Mode mode) const;
    [[nodiscard]] std::vector<std::filesystem::path> set_aside_to_fit(std::uint64_t budget) const;

    std::filesystem::path folder_;
    std::uint64_t budget_bytes_;
};

}  // namespace tessera
