#pragma once

#include "base/result.h"

#include <filesystem>

namespace tessera {

/// One process at a time owns a database: an advisory lock on the file PATH.owner beside it, which
/// the system drops with the process, however that ends. The file itself stays.
class OwnerLock {
  public:
    /// kConflict, naming the process that has it; kUnavailable when the file cannot be made.
    [[nodiscard]] static Result<OwnerLock> take(const std::filesystem::path& database);

    ~OwnerLock();
    OwnerLock(OwnerLock&& other) noexcept;
    OwnerLock& operator=(OwnerLock&& other) noexcept;

  private:
    explicit OwnerLock(int file) : file_(file) {}
    int file_ = -1;
};

}  // namespace tessera
