#pragma once

#include "base/bytes.h"
#include "imaging/codec.h"
#include "imaging/image.h"
#include "program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

namespace tessera::e2e {

/// The picture in a file.
inline Image picture_in(const std::filesystem::path& file) {
    const std::string bytes = read_text(file);
    auto image = decode(as_bytes(bytes));
    EXPECT_TRUE(image) << file << ": " << image.error().message;
    return image ? *std::move(image) : Image{};
}

/// Writes a PNG whose pixels `colour(x, y, channel)` gives.
inline void write_picture(
    const std::filesystem::path& file,
    int width,
    int height,
    int channels,
    const std::function<int(int, int, int)>& colour
) {
    Image image{width, height, channels, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            for (int channel = 0; channel < channels; ++channel) {
                image.pixels.push_back(static_cast<std::uint8_t>(colour(x, y, channel)));
            }
        }
    }
    const auto bytes = encode(image, PictureFormat::kPng);
    ASSERT_TRUE(bytes) << bytes.error().message;
    write_text(file, std::string(as_text(*bytes)));
}

inline int red_at(const Image& image, int x, int y) {
    return image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels)];
}

}  // namespace tessera::e2e
