#include "imaging/infotext.h"

#include "imaging/png_chunks.h"
#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Infotext, TakesApartWhatA1111Wrote) {
    const auto texts = read_png_texts(as_bytes(test_file("a1111.png")));
    ASSERT_TRUE(texts);
    ASSERT_EQ(texts->size(), 1U);
    const Infotext parsed = parse_infotext(texts->front().text);
    EXPECT_EQ(
        parsed.prompt, "masterpiece, a castle on a hill, (oil painting:1.2),\n<lora:detail:0.6>"
    );
    EXPECT_EQ(parsed.negative_prompt, "blurry, (worst quality, low quality:1.4)");
    EXPECT_EQ(
        parsed.parameters,
        (Pairs{
            {"Steps", "20"},
            {"Sampler", "DPM++ 2M"},
            {"Schedule type", "Karras"},
            {"CFG scale", "7"},
            {"Seed", "965400086"},
            {"Size", "512x768"},
            {"Model hash", "45dee52b"},
            {"Model", "v1-5-pruned"},
            {"Denoising strength", "0.7"},
            {"Clip skip", "2"},
            {"Lora hashes", "detail: 7c6bad76eb54, other: 0a1b2c3d4e5f"},
            {"Version", "v1.9.4"},
        })
    );
    EXPECT_EQ(write_infotext(parsed).value(), texts->front().text);
}

TEST(Infotext, OnlyThreePairsMakeALineOfParameters) {
    const Infotext two = parse_infotext("a cat\nSteps: 20, Seed: 1");
    EXPECT_EQ(two.prompt, "a cat\nSteps: 20, Seed: 1");
    EXPECT_TRUE(two.parameters.empty());
    const Infotext three = parse_infotext("a cat\nSteps: 20, Seed: 1, Size: 8x8");
    EXPECT_EQ(three.prompt, "a cat");
    EXPECT_EQ(three.parameters, (Pairs{{"Steps", "20"}, {"Seed", "1"}, {"Size", "8x8"}}));
}

TEST(Infotext, ReadsWhatOthersMakeOfTheForm) {
    // What Python's re.findall gives for these lines.
    EXPECT_EQ(
        parse_infotext("p\r\nSteps: 5,Sampler : x, (odd) key one:  v w ,b:1, c/d-e: \"un, quoted")
            .parameters,
        (Pairs{
            {"Steps", "5"},
            {"Sampler ", "x"},
            {"key one", "v w "},
            {"c/d-e", "\"un"},
        })
    );
    EXPECT_EQ(
        parse_infotext(R"(ab: "x" y, cd: "\"", ef: "bad \q", gh: "")").parameters,
        (Pairs{{"ab", "\"x\" y"}, {"cd", "\""}, {"ef", "\"bad \\q\""}, {"gh", ""}})
    );
    EXPECT_EQ(parse_infotext(" \n\t").prompt, "");
    EXPECT_EQ(parse_infotext("Steps: 1, Seed: 2, Size: 1x1").prompt, "");
    EXPECT_EQ(parse_infotext("a\n\n\nNegative prompt:\n\nb\n c ").negative_prompt, "b\nc");
}

TEST(Infotext, ALongHostileLineTakesLinearTime) {
    // Quadratic code would need hours for these.
    const std::size_t length = std::size_t{4} << 20U;
    EXPECT_TRUE(parse_infotext(std::string(length, 'a')).parameters.empty());
    std::string open_quotes;
    while (open_quotes.size() < length) {
        open_quotes += "ab:\"\\";
    }
    EXPECT_TRUE(parse_infotext(open_quotes).parameters.size() < length);
}

TEST(Infotext, WritesNoLineForWhatIsNotThere) {
    EXPECT_EQ(write_infotext({"a cat", "", {}}).value(), "a cat");
    EXPECT_EQ(write_infotext({"a cat", "dogs", {}}).value(), "a cat\nNegative prompt: dogs");
    EXPECT_EQ(
        write_infotext({"", "", {{"Steps", "1"}, {"Seed", "2"}, {"Size", "8x8"}}}).value(),
        "\nSteps: 1, Seed: 2, Size: 8x8"
    );
}

TEST(Infotext, RefusesWhatNoReaderWouldRecognise) {
    const Pairs good = {{"Steps", "1"}, {"Seed", "2"}};
    EXPECT_EQ(write_infotext({"a", "", good}).error().kind, ErrorKind::kInvalidArgument);
    for (const char* key : {"", "x", "a:b", "a,b", " ab", "a\nb", "-ab", "a(b)"}) {
        Infotext infotext{"a", "", good};
        infotext.parameters.emplace_back(key, "1");
        EXPECT_FALSE(write_infotext(infotext)) << key;
    }
    EXPECT_FALSE(write_infotext({"\xFF", "", {}}));
    EXPECT_FALSE(write_infotext({"a cat, Steps: 1, Seed: 2, Size: 8x8", "", {}}));
    EXPECT_FALSE(write_infotext({"a cat", "dogs\nSteps: 1, Seed: 2, Size: 8x8", {}}));
    EXPECT_FALSE(write_infotext({"a", "", {{"Steps", "1"}, {"Seed", "2"}, {"Model", "\xC3"}}}));
}

TEST(Infotext, TheLastOfEqualKeysCounts) {
    const Infotext infotext{"", "", {{"Seed", "1"}, {"Size", "8x8"}, {"Seed", "2"}}};
    EXPECT_EQ(infotext.find("Seed"), "2");
    EXPECT_EQ(infotext.find("Steps"), std::nullopt);
}

TEST(Infotext, SplitsSizes) {
    EXPECT_EQ(parse_size("512x768"), std::pair(512, 768));
    for (const char* bad :
         {"",
          "x",
          "512",
          "512x",
          "x768",
          "512x768x3",
          "-5x5",
          "0x5",
          " 5x5",
          "99999999999x5",
          "5 x5"}) {
        EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
    }
}

/// Text out of the characters that the grammar cares about, and some beyond ASCII.
rc::Gen<std::string> tricky_text() {
    static const std::vector<std::string> kParts = {
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        "\r",
        " ",
        "\t",
        "x",
        "Steps: 1, ",
        "雪",
        "🏔",
        "é",
        "<lora:a:1>",
        "(b:1.2)",
        "\x01"};
    return rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kParts)),
        [](const std::vector<std::string>& parts) {
            std::string text;
            for (const std::string& part : parts) {
                text += part;
            }
            return text;
        }
    );
}

/// What a reader leaves of a prompt: lines without space around them, none empty at the ends.
std::string as_readers_see_it(const std::string& prompt) {
    return parse_infotext(prompt).prompt;
}

TEST(Infotext, EveryValueComesBackExactly) {
    EXPECT_TRUE(rc::check([] {
        Infotext infotext;
        infotext.prompt = "a cat";
        for (const char* key : {"Steps", "CFG scale", "Hires/up-scale 2", "雪山"}) {
            infotext.parameters.emplace_back(key, *tricky_text());
        }
        const auto text = write_infotext(infotext);
        RC_ASSERT(text.has_value());
        RC_ASSERT(parse_infotext(*text) == infotext);
    }));
}

TEST(Infotext, PromptsComeBackAsReadersSeeThem) {
    EXPECT_TRUE(rc::check([] {
        Infotext infotext;
        infotext.prompt = as_readers_see_it(*tricky_text());
        infotext.negative_prompt = as_readers_see_it(*tricky_text());
        infotext.parameters = {{"Steps", "1"}, {"Seed", "2"}, {"Size", "8x8"}};
        const auto text = write_infotext(infotext);
        RC_ASSERT(text.has_value());
        RC_ASSERT(parse_infotext(*text) == infotext);
    }));
}

}  // namespace
}  // namespace tessera
