#pragma once

#include "base/bytes.h"
#include "base/file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace tessera {

/// A fresh folder per test, removed after it.
class TemporaryFolderTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto name = (std::filesystem::temp_directory_path() / "tessera-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    /// Writes a file, with the folders above it; returns its path.
    std::filesystem::path put(const std::filesystem::path& name, std::string_view content) const {
        const auto path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        EXPECT_TRUE(write_file_atomically(path, as_bytes(content)));
        return path;
    }

    std::filesystem::path folder_;
};

}  // namespace tessera
