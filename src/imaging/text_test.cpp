#include "imaging/text.h"

#include "imaging/testing_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <fstream>
#include <thread>

// Fontconfig keeps the patterns of fonts in use until the process ends.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
    return "leak:libfontconfig.so\n";
}

namespace tessera {
namespace {

constexpr TextBox kWide{1000, 100};

DrawnText draw(std::string_view text, int size = 14, TextBox box = kWide) {
    auto drawn = TextPen::make(size, false).value().draw(text, box, TextAlign::kLeft);
    EXPECT_TRUE(drawn) << text;
    return drawn.value_or(DrawnText());
}

TEST(TextPen, DrawsInk) {
    const DrawnText drawn = draw("Euler a");
    EXPECT_GT(drawn.width, 30);
    EXPECT_LT(drawn.width, 80);
    EXPECT_GE(drawn.height, 8);
    EXPECT_LE(drawn.height, 14);
    EXPECT_EQ(drawn.coverage.size(), static_cast<std::size_t>(drawn.width * drawn.height));
    EXPECT_GT(*std::max_element(drawn.coverage.begin(), drawn.coverage.end()), 200);
}

TEST(TextPen, DrawsLargerTextLarger) {
    EXPECT_GT(draw("Euler a", 28).height, draw("Euler a", 14).height);
    EXPECT_GT(draw("Euler a", 28).width, draw("Euler a", 14).width);
}

TEST(TextPen, WrapsBetweenWords) {
    const TextPen pen = TextPen::make(14, false).value();
    const DrawnText one = pen.draw("steps and scale", kWide, TextAlign::kLeft).value();
    const DrawnText more = pen.draw("steps and scale", {60, 100}, TextAlign::kLeft).value();
    EXPECT_EQ(one.block_height, pen.line_height());
    EXPECT_GE(more.block_height, 2 * pen.line_height());
    EXPECT_LE(more.left + more.width, 60);
}

TEST(TextPen, SplitsAWordThatIsWiderThanItsBox) {
    const DrawnText drawn = draw("Rindfleischetikettierung", 14, {60, 200});
    EXPECT_LE(drawn.left + drawn.width, 60);
    EXPECT_GE(drawn.block_height, 3 * 14);
}

TEST(TextPen, EndsWhatIsTooLongWithAnEllipsis) {
    const TextPen pen = TextPen::make(14, false).value();
    const TextBox one_line{80, pen.line_height()};
    const std::string text = "a very long label that goes on and on";
    const DrawnText cut = pen.draw(text, one_line, TextAlign::kLeft).value();
    EXPECT_LE(cut.left + cut.width, 80);
    EXPECT_EQ(cut.block_height, pen.line_height());
    const DrawnText same = pen.draw("a very long…", one_line, TextAlign::kLeft).value();
    EXPECT_EQ(cut.coverage, same.coverage);
}

TEST(TextPen, AlignsInItsBox) {
    const TextPen pen = TextPen::make(14, false).value();
    const int left = pen.draw("Euler", kWide, TextAlign::kLeft).value().left;
    const DrawnText centre = pen.draw("Euler", kWide, TextAlign::kCentre).value();
    const DrawnText right = pen.draw("Euler", kWide, TextAlign::kRight).value();
    EXPECT_LE(left, 4);
    EXPECT_NEAR(centre.left + centre.width / 2, 500, 2);
    EXPECT_NEAR(right.left + right.width, 1000, 3);
}

TEST(TextPen, TakesMarkupLiterally) {
    EXPECT_GT(draw("<b>Euler</b>").width, draw("Euler").width + 20);
    EXPECT_GT(draw("&amp;").width, draw("&").width + 10);
}

TEST(TextPen, HasNoInkForBlankText) {
    for (const std::string_view text : {"", " ", "\t\n", "\xE2\x80\x8B", "\x01\x02"}) {
        EXPECT_EQ(draw(text).width, 0) << text;
        EXPECT_EQ(draw(text).block_height, 0) << text;
    }
}

TEST(TextPen, DrawsAnyCharacters) {
    for (const std::string_view text :
         {"漢字かな",
          "😀👩‍👩‍👧‍👦🏳️‍🌈",
          "العربية עברית",
          "e\u0301\u0302\u0303\u0304",
          "\xFF\xFE\x80 not UTF-8",
          "\xF0\x9F"}) {
        EXPECT_GT(draw(text).width, 0) << text;
    }
}

TEST(TextPen, SurvivesAnyBytes) {
    EXPECT_TRUE(rc::check([] {
        const auto bytes = *rc::gen::arbitrary<std::string>();
        const TextBox box{*rc::gen::inRange(1, 200), *rc::gen::inRange(1, 60)};
        const auto drawn = TextPen::make(11, true).value().draw(bytes, box, TextAlign::kRight);
        RC_ASSERT(drawn.has_value());
        RC_ASSERT(drawn->coverage.size() == static_cast<std::size_t>(drawn->width * drawn->height));
    }));
}

TEST(TextPen, CutsAVeryLongTextShort) {
    const DrawnText drawn = draw(std::string(1 << 20, 'x'), 9, {200, 40});
    EXPECT_LE(drawn.width, 200);
    EXPECT_LE(drawn.block_height, 40);
}

TEST(TextPen, IsAsLargeAsTheTextsAllow) {
    const std::vector<std::string> words = {"short", "considerably longer than that"};
    const TextBox box{130, 20};
    const auto size_for = [&](std::span<const std::string> texts) {
        return TextPen::make_fitting(texts, box, 16, 9, false).value().size();
    };
    EXPECT_EQ(size_for(std::span(words).first(1)), 16);
    EXPECT_EQ(size_for(words), 9);
    EXPECT_EQ(TextPen::make_fitting({}, box, 16, 9, false).value().size(), 16);
}

TEST(TextPen, DrawsTheSameInEveryThread) {
    const DrawnText here = draw("Euler a");
    std::vector<std::thread> threads;
    std::vector<DrawnText> there(4);
    for (DrawnText& drawn : there) {
        threads.emplace_back([&drawn] { drawn = draw("Euler a"); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const DrawnText& drawn : there) {
        EXPECT_EQ(drawn.coverage, here.coverage);
    }
}

/// Ends the process with 0 if the pen says that there is no font.
[[noreturn]] void draw_without_fonts(const std::string& configuration) {
    std::ofstream(configuration) << "<fontconfig></fontconfig>";
    setenv("FONTCONFIG_FILE", configuration.c_str(), 1);
    const auto pen = TextPen::make(14, false);
    const bool is_said = !pen && pen.error().kind == ErrorKind::kNotFound &&
                         pen.error().message.find("fonts-dejavu-core") != std::string::npos;
    unlink(configuration.c_str());
    _exit(is_said ? 0 : 1);
}

TEST(TextPenDeathTest, SaysThatNoFontIsInstalled) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // Fontconfig reads its file once a process
    EXPECT_EXIT(
        draw_without_fonts(testing::TempDir() + "no_fonts.conf"), testing::ExitedWithCode(0), ""
    );
}

}  // namespace
}  // namespace tessera
