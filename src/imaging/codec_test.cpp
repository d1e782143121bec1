#include "imaging/codec.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace tessera {
namespace {

using namespace std::string_view_literals;

constexpr std::array kFormats = {PictureFormat::kPng, PictureFormat::kJpeg, PictureFormat::kWebp};

Image decoded(const std::string& name) {
    auto image = decode(as_bytes(test_file(name)));
    EXPECT_TRUE(image) << name << ": " << (image ? "" : image.error().message);
    return image.value_or(Image());
}

Bytes encoded(const Image& image, PictureFormat format, const EncodeOptions& options = {}) {
    auto bytes = encode(image, format, options);
    EXPECT_TRUE(bytes) << to_string(format) << ": " << (bytes ? "" : bytes.error().message);
    return bytes.value_or(Bytes());
}

std::array<int, 4> pixel(const Image& image, int x, int y) {
    const auto at = static_cast<std::size_t>((y * image.width + x) * image.channels);
    std::array<int, 4> values{0, 0, 0, 255};
    for (std::size_t channel = 0; channel < static_cast<std::size_t>(image.channels); ++channel) {
        values[channel] = image.pixels.at(at + channel);
    }
    return values;
}

TEST(Codec, LosslessFormatsGiveTheSamePixels) {
    for (const int channels : {3, 4}) {
        for (const auto& [width, height] : {std::pair(1, 1), {3, 200}, {257, 63}}) {
            const Image image = test_image(width, height, channels);
            for (const int compression : {0, 6, 9}) {
                EXPECT_EQ(
                    decode(encoded(image, PictureFormat::kPng, {90, false, compression})), image
                );
            }
            EXPECT_EQ(decode(encoded(image, PictureFormat::kWebp, {90, true, 6})), image);
        }
    }
}

TEST(Codec, LossyFormatsStayNear) {
    const Image image = test_image(256, 192, 3);
    const struct {
        PictureFormat format;
        int quality;
        double mean;
    } cases[] = {
        {PictureFormat::kJpeg, 100, 1.0},
        {PictureFormat::kJpeg, 90, 3.0},
        {PictureFormat::kWebp, 100, 4.0},  // WebP always halves the colours' resolution
        {PictureFormat::kWebp, 90, 5.0},
    };
    for (const auto& entry : cases) {
        const auto back = decode(encoded(image, entry.format, {entry.quality, false, 6}));
        ASSERT_TRUE(back);
        EXPECT_LT(mean_difference(*back, image), entry.mean)
            << to_string(entry.format) << " " << entry.quality;
    }
    for (const PictureFormat format : {PictureFormat::kJpeg, PictureFormat::kWebp}) {
        EXPECT_LT(encoded(image, format, {30, false, 6}).size(), encoded(image, format).size());
    }
}

TEST(Codec, LossyWebpKeepsAlphaAndJpegIsCompositedOverWhite) {
    Image image = test_image(32, 32, 4);
    const auto webp = decode(encoded(image, PictureFormat::kWebp));
    ASSERT_TRUE(webp);
    ASSERT_EQ(webp->channels, 4);
    EXPECT_EQ(pixel(*webp, 5, 7)[3], pixel(image, 5, 7)[3]);
    const auto jpeg = decode(encoded(image, PictureFormat::kJpeg));
    ASSERT_TRUE(jpeg);
    EXPECT_LT(mean_difference(*jpeg, flatten(image)), 3.0);
}

TEST(Codec, TheSamePictureGivesTheSameBytes) {
    const Image image = test_image(64, 64, 3);
    const PictureMetadata metadata{"a cat", "{}"};
    for (const PictureFormat format : kFormats) {
        EXPECT_EQ(encode(image, format, {}, metadata), encode(image, format, {}, metadata).value());
    }
}

TEST(Codec, AddsNothingOfItsOwn) {
    for (const PictureFormat format : kFormats) {
        const Bytes bytes = encoded(test_image(64, 64, 3), format);
        const std::string_view text = as_text(bytes);
        for (const std::string_view sign :
             {"tEXt"sv,
              "iTXt"sv,
              "zTXt"sv,
              "tIME"sv,
              "eXIf"sv,
              "EXIF"sv,
              "Exif"sv,
              "XMP"sv,
              "iCCP"sv,
              "ICC"sv,
              "vips"sv,
              "http"sv}) {
            EXPECT_EQ(text.find(sign), std::string_view::npos) << to_string(format) << " " << sign;
        }
    }
}

TEST(Codec, EveryKindOfPngComesOutAs8BitSrgb) {
    const Image gradient = decoded("gradient.png");
    EXPECT_EQ(gradient.width, 24);
    EXPECT_EQ(gradient.height, 16);
    EXPECT_EQ(pixel(gradient, 23, 15), (std::array{230, 225, 140, 255}));

    const Image grey = decoded("grey.png");
    EXPECT_EQ(grey.channels, 3);
    EXPECT_EQ(pixel(grey, 0, 0), (std::array{29, 29, 29, 255}));
    const Image grey_alpha = decoded("grey_alpha.png");
    EXPECT_EQ(grey_alpha.channels, 4);
    EXPECT_EQ(pixel(grey_alpha, 0, 0), (std::array{29, 29, 29, 55}));

    EXPECT_LT(largest_difference(decoded("palette.png"), gradient), 60);  // 16 colours
    const Image palette_alpha = decoded("palette_alpha.png");
    EXPECT_EQ(palette_alpha.channels, 4);

    const Image deep = decoded("rgba16.png");
    ASSERT_EQ(deep.channels, 4);
    EXPECT_EQ(pixel(deep, 0, 0), (std::array{0, 0, 156, 55}));
    EXPECT_EQ(pixel(deep, 23, 15), (std::array{230, 225, 156, 205}));
    const Image deep_grey = decoded("grey16.png");
    EXPECT_EQ(deep_grey.channels, 3);
    EXPECT_NEAR(pixel(deep_grey, 12, 3)[0], 120, 1);
}

TEST(Codec, EveryKindOfJpegAndWebpComesOutAs8BitSrgb) {
    const Image gradient = decoded("gradient.png");
    EXPECT_LT(mean_difference(decoded("progressive.jpg"), gradient), 4.0);
    EXPECT_EQ(decoded("grey.jpg").channels, 3);
    EXPECT_LT(mean_difference(decoded("grey.jpg"), decoded("grey.png")), 2.0);
    const Image ink = decoded("cmyk.jpg");
    EXPECT_EQ(ink.channels, 3);
    EXPECT_EQ(ink.width, 24);
    // Without a profile inks are a guess; bright stays bright and dark stays dark.
    EXPECT_GT(pixel(ink, 23, 15)[0], pixel(ink, 0, 15)[0] + 100);
    const Image alpha = decoded("alpha.webp");
    EXPECT_EQ(alpha.channels, 4);
    EXPECT_EQ(pixel(alpha, 23, 15), (std::array{230, 225, 140, 205}));
}

TEST(Codec, TheFirstFrameOfAnAnimationIsTaken) {
    const Image frame = decoded("animated.webp");
    EXPECT_EQ(frame.width, 20);
    EXPECT_EQ(frame.height, 10);
    EXPECT_EQ(pixel(frame, 10, 5), (std::array{250, 0, 0, 255}));
}

TEST(Codec, AnEmbeddedProfileIsApplied) {
    const Image gradient = decoded("gradient.png");
    const Image swapped = decoded("swapped_profile.png");
    ASSERT_EQ(swapped.channels, 3);
    for (const auto& [x, y] : {std::pair(2, 14), {20, 3}, {12, 12}}) {
        const auto straight = pixel(gradient, x, y);
        const auto exchanged = pixel(swapped, x, y);
        EXPECT_NEAR(exchanged[0], straight[1], 4);
        EXPECT_NEAR(exchanged[1], straight[0], 4);
        EXPECT_NEAR(exchanged[2], straight[2], 4);
    }
    EXPECT_EQ(decoded("broken_profile.png"), gradient);
}

TEST(Codec, OrientationIsCarriedOut) {
    const Image upright = decoded("orientation_1.jpg");
    // EXIF 2.3, 4.6.4 A: where each corner of the upright picture lies in the file.
    for (int orientation = 2; orientation <= 8; ++orientation) {
        const Image turned = decoded("orientation_" + std::to_string(orientation) + ".jpg");
        const bool is_lying = orientation >= 5;
        ASSERT_EQ(turned.width, is_lying ? upright.height : upright.width) << orientation;
        ASSERT_EQ(turned.height, is_lying ? upright.width : upright.height) << orientation;
        for (const auto& [x, y] : {std::pair(3, 2), {20, 1}, {4, 12}}) {
            const int right = upright.width - 1 - x;
            const int bottom = upright.height - 1 - y;
            const std::array<std::pair<int, int>, 9> places = {
                {{},
                 {},
                 {right, y},
                 {right, bottom},
                 {x, bottom},
                 {y, x},
                 {bottom, x},
                 {bottom, right},
                 {y, right}}};
            const auto [to_x, to_y] = places[static_cast<std::size_t>(orientation)];
            EXPECT_EQ(pixel(turned, to_x, to_y), pixel(upright, x, y)) << orientation;
        }
    }
}

TEST(Codec, BombsAreRefusedByTheirHeader) {
    const auto bomb = decode(as_bytes(test_file("bomb.png")));
    ASSERT_FALSE(bomb);
    EXPECT_EQ(bomb.error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(
        bomb.error().message,
        "the picture claims 50000x50000 pixels, the limit is 16384 a side and 67108864 in all: "
        "make it smaller"
    );
    for (const PictureFormat format : kFormats) {
        const Bytes picture = encoded(test_image(100, 50, 3), format);
        EXPECT_TRUE(decode(picture, {5000, 100, picture.size()}));
        for (const DecodeLimits& limits : {
                 DecodeLimits{4999, 100, picture.size()},
                 DecodeLimits{5000, 99, picture.size()},
                 DecodeLimits{5000, 100, picture.size() - 1},
             }) {
            const auto refused = decode(picture, limits);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().kind, ErrorKind::kExhausted);
        }
    }
}

TEST(Codec, AJpegOfEndlessScansIsRefused) {
    std::string jpeg = test_file("progressive.jpg");
    for (int scan = 0; scan < 200; ++scan) {
        jpeg += "\xFF\xDA";
    }
    EXPECT_EQ(decode(as_bytes(jpeg)).error().kind, ErrorKind::kExhausted);
}

TEST(Codec, APictureCutOffIsRefused) {
    const Image image = test_image(120, 90, 3);
    for (const PictureFormat format : kFormats) {
        const Bytes whole = encoded(image, format);
        for (std::size_t size = 64; size + 16 < whole.size(); size += 64) {
            const auto part = decode(ByteView(whole).first(size));
            ASSERT_FALSE(part) << to_string(format) << " at " << size << " of " << whole.size();
            EXPECT_EQ(part.error().kind, ErrorKind::kCorrupt);
            EXPECT_EQ(
                part.error().message,
                std::string("the ") + to_string(format) + " picture is damaged or cut off"
            );
        }
    }
}

TEST(Codec, OtherFilesAreRefusedByName) {
    const std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>";
    for (const std::string& file :
         {test_file("refused.gif"),
          test_file("refused.tiff"),
          test_file("refused.pdf"),
          svg,
          std::string("P6 1 1 255\nabc"),
          std::string("x"),
          std::string("RIFF1234WAVE"),
          test_file("make_pictures.py")}) {
        const auto image = decode(as_bytes(file));
        ASSERT_FALSE(image);
        EXPECT_EQ(image.error().kind, ErrorKind::kUnsupported);
        EXPECT_EQ(
            image.error().message, "this is not a picture that can be read: use PNG, JPEG or WebP"
        );
    }
    EXPECT_EQ(decode({}).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(decode(as_bytes("\x89PNG\r\n\x1a\n")).error().kind, ErrorKind::kCorrupt);
}

TEST(Codec, RefusesToWriteWhatCannotBe) {
    const Image image = test_image(4, 4, 3);
    const auto refusal = [&](const Image& from, PictureFormat format, EncodeOptions options) {
        const auto bytes = encode(from, format, options);
        return bytes ? ErrorKind::kInternal : bytes.error().kind;
    };
    EXPECT_EQ(refusal(image, PictureFormat::kJpeg, {0, false, 6}), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refusal(image, PictureFormat::kJpeg, {101, false, 6}), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refusal(image, PictureFormat::kPng, {90, false, 10}), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refusal(Image(), PictureFormat::kPng, {}), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refusal(test_image(16384, 1, 3), PictureFormat::kWebp, {}), ErrorKind::kExhausted);
    EXPECT_EQ(refusal(test_image(65501, 1, 3), PictureFormat::kJpeg, {}), ErrorKind::kExhausted);
}

TEST(Codec, ThreadsMayWorkAtOnce) {
    const Image image = test_image(64, 48, 3);
    const std::string oriented = test_file("orientation_6.jpg");
    const Image expected = decode(as_bytes(oriented)).value();
    std::vector<std::thread> threads;
    std::array<bool, 4> is_right{};
    for (bool& right : is_right) {
        threads.emplace_back([&] {
            right = true;
            for (int round = 0; round < 8; ++round) {
                const auto bytes = encode(image, PictureFormat::kPng);
                right = right && bytes && decode(*bytes) == image &&
                        decode(as_bytes(oriented)) == expected &&
                        !decode(as_bytes("\x89PNG\r\n\x1a\n"));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(is_right, (std::array{true, true, true, true}));
}

TEST(Codec, FormatsAreKnownByName) {
    EXPECT_EQ(parse_picture_format("png"), PictureFormat::kPng);
    EXPECT_EQ(parse_picture_format("JPG"), PictureFormat::kJpeg);
    EXPECT_EQ(parse_picture_format("jpeg"), PictureFormat::kJpeg);
    EXPECT_EQ(parse_picture_format("WebP"), PictureFormat::kWebp);
    EXPECT_EQ(
        parse_picture_format("gif").error().message,
        "unknown picture format \"gif\": use png, jpg or webp"
    );
    for (const PictureFormat format : kFormats) {
        EXPECT_EQ(parse_picture_format(file_extension(format)), format);
        EXPECT_EQ(sniff_format(encoded(test_image(2, 2, 3), format)), format);
    }
}

}  // namespace
}  // namespace tessera
