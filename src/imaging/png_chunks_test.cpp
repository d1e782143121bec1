#include "imaging/png_chunks.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

using Texts = std::vector<PngText>;

std::string with_texts(const Texts& texts) {
    const auto png = insert_png_texts(as_bytes(test_file("gradient.png")), texts);
    EXPECT_TRUE(png);
    return std::string(as_text(png.value_or(Bytes())));
}

ErrorKind refusal(const std::string& png) {
    const auto texts = read_png_texts(as_bytes(png));
    EXPECT_FALSE(texts);
    return texts ? ErrorKind::kInternal : texts.error().kind;
}

TEST(PngChunks, TextsComeBackInOrder) {
    const Texts texts = {
        {"parameters", "plain, with \"quotes\", \\ and\nlines"},
        {"Latin", "caf\xC3\xA9 \xC3\xBF"},
        {"tessera", "雪山 🏔"},
    };
    EXPECT_EQ(read_png_texts(as_bytes(with_texts(texts))), texts);
}

TEST(PngChunks, AnyTextComesBack) {
    EXPECT_TRUE(rc::check([](const std::vector<std::uint16_t>& codes) {
        std::string text;
        for (const std::uint16_t code : codes) {
            // One of every class of Latin-1 and beyond; never NUL.
            static const std::vector<std::string> kLetters = {
                "\x01", "\n", "a", "\x7F", "\xC2\x80", "\xC2\xA0", "\xC3\xBF", "雪", "🏔"};
            text += kLetters[code % (code % 2 == 0 ? 7U : kLetters.size())];
        }
        const Texts texts = {{"parameters", text + "."}};
        RC_ASSERT(read_png_texts(as_bytes(with_texts(texts))) == texts);
    }));
}

TEST(PngChunks, Latin1BecomesTextAndOtherTextInternationalText) {
    const std::string latin = with_texts({{"k", "caf\xC3\xA9"}});
    EXPECT_NE(latin.find(std::string("tEXtk\0caf\xE9", 10)), std::string::npos);
    EXPECT_EQ(latin.find("iTXt"), std::string::npos);
    const std::string other = with_texts({{"k", "雪"}});
    EXPECT_NE(other.find(std::string("iTXtk\0\0\0\0\0雪", 13)), std::string::npos);
    EXPECT_EQ(other.find("tEXt"), std::string::npos);
}

TEST(PngChunks, ReadsCompressedTexts) {
    const auto texts = read_png_texts(as_bytes(test_file("compressed_texts.png")));
    ASSERT_TRUE(texts);
    ASSERT_EQ(texts->size(), 2U);
    EXPECT_TRUE(texts->at(0).text.ends_with("Version: v1.9.4"));
    EXPECT_TRUE(texts->at(1).text.starts_with("雪山，日出 🏔\n"));
}

TEST(PngChunks, ReplacesTextsOfTheSameKeywordOnly) {
    const std::string once = with_texts({{"parameters", "old"}, {"other", "stays"}});
    const Texts fresh = {{"parameters", "new"}};
    const auto twice = insert_png_texts(as_bytes(once), fresh);
    ASSERT_TRUE(twice);
    EXPECT_EQ(read_png_texts(*twice), (Texts{{"other", "stays"}, {"parameters", "new"}}));
    EXPECT_EQ(insert_png_texts(*twice, fresh), *twice);
    const auto removed = insert_png_texts(*twice, Texts{{"parameters", ""}});
    ASSERT_TRUE(removed);
    EXPECT_EQ(read_png_texts(*removed), (Texts{{"other", "stays"}}));
}

TEST(PngChunks, StopsABombOfText) {
    EXPECT_EQ(refusal(test_file("text_bomb.png")), ErrorKind::kExhausted);
}

TEST(PngChunks, RefusesDamageWhereItMatters) {
    const std::string good = with_texts({{"parameters", "some words"}});
    std::string damaged = good;
    damaged[good.find("some words") + 1] = 'X';
    EXPECT_EQ(refusal(damaged), ErrorKind::kCorrupt);
    for (std::size_t size = 8; size < good.size(); ++size) {
        EXPECT_EQ(refusal(good.substr(0, size)), ErrorKind::kCorrupt) << size;
    }
    EXPECT_EQ(refusal("GIF89a"), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refusal(""), ErrorKind::kInvalidArgument);
    std::string lying = good;
    lying.replace(8, 4, "\xFF\xFF\xFF\xFF");
    EXPECT_EQ(refusal(lying), ErrorKind::kCorrupt);
}

TEST(PngChunks, RefusesToWriteWhatIsNotLegal) {
    const std::string png = test_file("gradient.png");
    const auto refused = [&](const PngText& text) {
        const auto written = insert_png_texts(as_bytes(png), Texts{text});
        return written ? ErrorKind::kInternal : written.error().kind;
    };
    for (const std::string& keyword :
         {std::string(),
          std::string(80, 'k'),
          std::string(" k"),
          std::string("k "),
          std::string("k  k"),
          std::string("k\nk"),
          std::string("雪"),
          std::string("\xFF")}) {
        EXPECT_EQ(refused({keyword, "text"}), ErrorKind::kInvalidArgument) << keyword;
    }
    EXPECT_EQ(refused({"k", "\xFF"}), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refused({"k", std::string("a\0b", 3)}), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refused({"k", std::string(17U << 20U, 'a')}), ErrorKind::kExhausted);
}

}  // namespace
}  // namespace tessera
