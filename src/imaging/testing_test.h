#pragma once

#include "base/bytes.h"
#include "base/file.h"
#include "imaging/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace tessera {

/// A file of tests/data/imaging (made by make_pictures.py there).
inline std::string test_file(const std::string& name) {
    auto content = read_file(std::string(TESSERA_TEST_DATA "/imaging/") + name, 1U << 20U);
    EXPECT_TRUE(content) << name;
    return content.value_or("");
}

/// Smooth in all directions, with a pattern that keeps it from compressing to nothing.
inline Image test_image(int width, int height, int channels) {
    Image image{width, height, channels, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const int values[] = {
                x * 255 / width, y * 255 / height, 255 - (x ^ y) % 64, 128 + y % 100};
            for (int channel = 0; channel < channels; ++channel) {
                image.pixels.push_back(static_cast<std::uint8_t>(values[channel]));
            }
        }
    }
    return image;
}

inline int largest_difference(const Image& a, const Image& b) {
    EXPECT_EQ(a.width, b.width);
    EXPECT_EQ(a.height, b.height);
    EXPECT_EQ(a.channels, b.channels);
    int largest = a.pixels.size() == b.pixels.size() ? 0 : 256;
    for (std::size_t at = 0; largest < 256 && at < a.pixels.size(); ++at) {
        largest = std::max(largest, std::abs(a.pixels[at] - b.pixels[at]));
    }
    return largest;
}

inline double mean_difference(const Image& a, const Image& b) {
    EXPECT_EQ(a.pixels.size(), b.pixels.size());
    double sum = 0.0;
    for (std::size_t at = 0; at < std::min(a.pixels.size(), b.pixels.size()); ++at) {
        sum += std::abs(a.pixels[at] - b.pixels[at]);
    }
    return sum / static_cast<double>(std::max<std::size_t>(1, a.pixels.size()));
}

}  // namespace tessera
