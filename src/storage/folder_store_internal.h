#pragma once

#include "storage/folder_layout_internal.h"
#include "storage/object_store.h"
#include "storage/store_budget.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace tessera {

/// What a folder store and its writers share.
struct FolderStoreParts {
    FolderStoreParts(FolderLayout opened, const StoreLimits& limits, const Clock& time);
    ~FolderStoreParts();
    FolderStoreParts(const FolderStoreParts&) = delete;
    FolderStoreParts& operator=(const FolderStoreParts&) = delete;

    // kInvalidArgument when `sha256` is none.
    [[nodiscard]] Result<ObjectInfo> info(const std::string& sha256) const;
    [[nodiscard]] Result<ObjectInfo> touch(const std::string& sha256);
    /// With `names` held.
    [[nodiscard]] Status set_aside(const std::string& sha256, std::uint64_t bytes);

    FolderLayout layout;
    StoreBudget budget;
    const Clock& clock;
    /// Held where a name appears, vanishes or is touched, so that a sweep does not take what
    /// somebody was just told is there.
    std::mutex names;
};

[[nodiscard]] Status check_sha256(const std::string& text);

/// `media_type` is one. See ObjectStore::create.
[[nodiscard]] Result<std::unique_ptr<ObjectWriter>> make_folder_writer(
    std::shared_ptr<FolderStoreParts> parts,
    const std::string& expected,
    std::uint64_t size,
    const std::string& media_type
);

}  // namespace tessera
