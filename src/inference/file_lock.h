#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <utility>

namespace tessera {

/// An advisory lock (flock(2)) on a file or folder, held until the object goes. It binds threads as
/// well as processes, and the kernel drops it when its process dies.
class FileLock {
  public:
    enum class Mode : std::uint8_t { kShared, kExclusive };

    /// Waits for the lock. kNotFound when there is nothing at `path`.
    [[nodiscard]] static Result<FileLock> take(const std::filesystem::path& path, Mode mode);
    /// As take(), but kUnavailable when somebody else holds it.
    [[nodiscard]] static Result<FileLock> try_take(const std::filesystem::path& path, Mode mode);

    ~FileLock();
    FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

  private:
    explicit FileLock(int fd) : fd_(fd) {}
    static Result<FileLock> lock(const std::filesystem::path& path, int operation);

    int fd_;
};

}  // namespace tessera
