#pragma once

#include "base/file.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera {

/// A text of tests/data/metadata: what other programs write into pictures.
inline std::string metadata_file(const std::string& name) {
    auto content = read_file(std::string(TESSERA_TEST_DATA "/metadata/") + name, 1U << 20U);
    EXPECT_TRUE(content) << name;
    return content.value_or("");
}

}  // namespace tessera
