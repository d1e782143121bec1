#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tessera {

/// A disk in memory, seen by SQLite as a VFS, that tells its writes from what is synced: it can be
/// cut off power at any moment of its past, and be full or broken on demand. One process, many
/// connections.
class FaultyDisk {
  public:
    using Files = std::map<std::string, std::string>;

    /// One thing that was done to the disk.
    struct Step {
        enum class Kind : std::uint8_t { kWrite, kTruncate, kSync, kDelete };
        Kind kind = Kind::kWrite;
        std::string file;
        std::int64_t offset = 0;  ///< the new size; not 0: the folder is synced after a deletion
        std::string bytes;
    };

    /// Registers itself under a name of its own.
    explicit FaultyDisk(Files files = {});
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    [[nodiscard]] const std::string& vfs() const;
    /// How much has happened to it.
    [[nodiscard]] std::size_t steps() const;
    /// Called before each write and sync with its number; an SQLite error code makes it fail (a
    /// write half-way), SQLITE_OK lets it be.
    void on_change(std::function<int(std::size_t change)> fault);

    /// What is there after a power cut following the first `steps` steps: all that was synced, and
    /// of each later write all, nothing or its first half, as `chance` (0, 1, 2, ...) says.
    [[nodiscard]] Files after_power_cut(std::size_t steps, const std::function<unsigned()>& chance)
        const;

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace tessera
