#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "storage/folder_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace tessera {

/// A clock that moves when it is told to.
class HandClock final : public Clock {
  public:
    [[nodiscard]] Instant now() const override { return Instant(since_start_); }
    [[nodiscard]] WallTime wall() const override {
        return kStart + std::chrono::duration_cast<std::chrono::milliseconds>(since_start_);
    }
    void pass(Duration time) { since_start_ += time; }

    static constexpr WallTime kStart{std::chrono::milliseconds(1'700'000'000'000)};

  private:
    Duration since_start_{0};
};

/// A folder of the test's own, gone with it.
class TestFolder {
  public:
    TestFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "tessera-store-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            std::abort();
        }
        path_ = name;
    }
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline std::unique_ptr<FolderStore> open_store(
    const TestFolder& folder, const StoreLimits& limits = {}, const Clock& clock = Clock::system()
) {
    auto store = FolderStore::open(folder.path() / "store", limits, clock);
    if (!store) {
        ADD_FAILURE() << store.error().message;
        std::abort();
    }
    return std::move(*store);
}

inline std::string hash_of(std::string_view text) {
    return sha256_hex(as_bytes(text));
}

inline std::filesystem::path file_of(const TestFolder& folder, const std::string& sha256) {
    return folder.path() / "store" / "sha256" / sha256.substr(0, 2) / sha256.substr(2);
}

inline std::size_t files_below(const std::filesystem::path& folder) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
}

}  // namespace tessera
