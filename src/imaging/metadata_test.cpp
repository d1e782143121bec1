#include "imaging/metadata.h"

#include "imaging/codec.h"
#include "imaging/infotext.h"
#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

namespace tessera {
namespace {

constexpr std::array kFormats = {PictureFormat::kPng, PictureFormat::kJpeg, PictureFormat::kWebp};

const PictureMetadata kChinese{
    "雪山，日出 🏔\nNegative prompt: 模糊\nSteps: 20, Sampler: Euler a, CFG scale: 7",
    R"({"prompt":"雪山，日出 🏔","quote":"\"'<&>]]>","list":[1,2.5]})",
};

Bytes encoded(PictureFormat format, int channels, bool lossless, const PictureMetadata& metadata) {
    const auto picture = encode(test_image(40, 30, channels), format, {90, lossless, 6}, metadata);
    EXPECT_TRUE(picture) << (picture ? "" : picture.error().message);
    return picture.value_or(Bytes());
}

TEST(Metadata, ComesBackFromEveryFormat) {
    const std::vector<PictureMetadata> cases = {
        kChinese,
        {"a cat", ""},
        {"", "{}"},
        {"", ""},
        {"caf\xC3\xA9 \xC3\xBF, \"quoted\", tab\t\n\nlines\r\n", "{\n\t\"a\": 1\r\n}"},
        {std::string(30000, 'x'), "\"" + std::string(50000, 'y') + "\""},
    };
    for (const PictureFormat format : kFormats) {
        for (const int channels : {3, 4}) {
            for (const bool lossless : {false, true}) {
                for (const PictureMetadata& metadata : cases) {
                    const Bytes picture = encoded(format, channels, lossless, metadata);
                    EXPECT_EQ(extract_metadata(picture), metadata) << to_string(format);
                }
            }
        }
    }
}

TEST(Metadata, AnyTextComesBackFromEveryFormat) {
    static const std::vector<std::string> kParts = {
        "a",
        "\"",
        "\\",
        "<",
        "&",
        ">",
        "'",
        "&amp;",
        "</tessera:json>",
        "\n",
        "\r",
        "\t",
        "\xC2\x80",
        "\xC3\xBF",
        "雪",
        "🏔",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",
        "\xF4\x8F\xBF\xBF"};
    std::array<Bytes, 3> pictures;
    for (std::size_t at = 0; at < kFormats.size(); ++at) {
        pictures[at] = encoded(kFormats[at], 3, false, {});
    }
    const auto text = [] {
        std::string joined;
        for (const auto& part :
             *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kParts))) {
            joined += part;
        }
        return joined;
    };
    EXPECT_TRUE(rc::check([&] {
        const PictureMetadata metadata{text(), text()};
        for (const Bytes& picture : pictures) {
            const auto carrying = embed_metadata(picture, metadata);
            RC_ASSERT(carrying.has_value());
            RC_ASSERT(extract_metadata(*carrying) == metadata);
            RC_ASSERT(decode(*carrying) == decode(picture).value());
            // New metadata takes the place of the old, without a trace of it.
            RC_ASSERT(embed_metadata(*carrying, {}) == embed_metadata(picture, {}).value());
        }
    }));
}

TEST(Metadata, ReadsA1111InEveryFormat) {
    for (const char* name : {"a1111_chinese.png", "a1111_chinese.jpg", "a1111_chinese.webp"}) {
        const auto metadata = extract_metadata(as_bytes(test_file(name)));
        ASSERT_TRUE(metadata) << name;
        EXPECT_EQ(metadata->parameters, kChinese.parameters) << name;
        EXPECT_EQ(metadata->tessera_json, "") << name;
        const Infotext parsed = parse_infotext(metadata->parameters);
        EXPECT_EQ(parsed.prompt, "雪山，日出 🏔");
        EXPECT_EQ(parsed.negative_prompt, "模糊");
        EXPECT_EQ(parsed.find("CFG scale"), "7");
    }
}

TEST(Metadata, SaysWhenTheFormatCannotHoldIt) {
    const Image image = test_image(8, 8, 3);
    const PictureMetadata long_prompt{std::string(40000, 'x'), ""};
    const auto jpeg = encode(image, PictureFormat::kJpeg, {}, long_prompt);
    ASSERT_FALSE(jpeg);
    EXPECT_EQ(jpeg.error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(
        jpeg.error().message,
        "the EXIF metadata comes to 80052 bytes and a JPEG holds 65527: shorten the prompt or use "
        "PNG"
    );
    for (const PictureFormat format : {PictureFormat::kPng, PictureFormat::kWebp}) {
        const auto picture = encode(image, format, {}, long_prompt);
        ASSERT_TRUE(picture);
        EXPECT_EQ(extract_metadata(*picture), long_prompt);
    }
}

TEST(Metadata, RefusesTextsThatWouldNotComeBack) {
    for (const PictureFormat format : kFormats) {
        const Bytes picture = encoded(format, 3, false, {});
        for (const PictureMetadata& bad : {
                 PictureMetadata{"\xFF", ""},
                 PictureMetadata{"", "\xFF"},
                 PictureMetadata{std::string("a\0b", 3), ""},
                 PictureMetadata{"", std::string("a\0b", 3)},
                 PictureMetadata{"", "\x01"},
             }) {
            const auto carrying = embed_metadata(picture, bad);
            ASSERT_FALSE(carrying);
            EXPECT_EQ(carrying.error().kind, ErrorKind::kInvalidArgument);
        }
    }
}

TEST(Metadata, OtherFilesAreRefused) {
    for (const char* name : {"refused.gif", "refused.pdf", "make_pictures.py"}) {
        EXPECT_EQ(
            extract_metadata(as_bytes(test_file(name))).error().kind, ErrorKind::kUnsupported
        );
        EXPECT_EQ(
            embed_metadata(as_bytes(test_file(name)), {}).error().kind, ErrorKind::kUnsupported
        );
    }
    EXPECT_EQ(extract_metadata({}).error().kind, ErrorKind::kUnsupported);
}

TEST(Metadata, APictureCutOffAnywhereIsNoDanger) {
    for (const PictureFormat format : kFormats) {
        const Bytes picture = encoded(format, 4, false, kChinese);
        for (std::size_t size = 0; size < picture.size(); ++size) {
            const ByteView part = ByteView(picture).first(size);
            const auto found = extract_metadata(part);
            EXPECT_TRUE(!found || *found == kChinese) << to_string(format) << " at " << size;
            const auto carrying = embed_metadata(part, kChinese);
            EXPECT_TRUE(!carrying || extract_metadata(*carrying) == kChinese);
        }
    }
}

}  // namespace
}  // namespace tessera
