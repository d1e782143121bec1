#include "prompt/styles.h"

#include "prompt/clip_tokenizer.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Styles, ReadQuotedFieldsMarksAndLineEnds) {
    EXPECT_THAT(
        parse_styles("\xEF\xBB\xBFname,prompt,negative_prompt\r\n"
                     "oil,\"oil painting, \"\"thick\"\"\nstrokes\",photo\n"
                     "\n"
                     "# a comment,x,y\n"
                     ",nameless,\n"
                     "ink, \"ink {prompt}\",\r"
                     "short,only a prompt")
            .value(),
        ElementsAre(
            FieldsAre("oil", "oil painting, \"thick\"\nstrokes", "photo"),
            FieldsAre("ink", "ink {prompt}", ""),
            FieldsAre("short", "only a prompt", "")
        )
    );
}

TEST(Styles, KnowTheOldHeadingAndAnyOrderOfColumns) {
    EXPECT_THAT(parse_styles("name,text\na,b\n").value(), ElementsAre(FieldsAre("a", "b", "")));
    EXPECT_THAT(
        parse_styles("x,negative_prompt,name,prompt\n1,2,3,4,5\n").value(),
        ElementsAre(FieldsAre("3", "4", "2"))
    );
    EXPECT_THAT(parse_styles("").value(), IsEmpty());
}

TEST(Styles, OfOneNameTheLastCounts) {
    EXPECT_THAT(
        parse_styles("name,prompt\na,1\nb,2\na,3\n").value(),
        ElementsAre(FieldsAre("a", "3", ""), FieldsAre("b", "2", ""))
    );
}

TEST(Styles, RefuseDamagedAndOversizedFiles) {
    const auto error_of = [](const std::string& csv) { return parse_styles(csv).error().message; };
    EXPECT_THAT(error_of("a,b\nc,d\n"), HasSubstr("line 1 is not the heading of a styles file"));
    EXPECT_THAT(error_of("name,prompt\na,\"b\nc\n"), HasSubstr("line 2: the quote"));
    EXPECT_THAT(error_of("name,prompt\na,\xFF\n"), HasSubstr("not valid UTF-8"));
    EXPECT_THAT(
        error_of("name,prompt\na" + std::string(64, ',')), HasSubstr("line 2 has more than 64")
    );
    EXPECT_THAT(error_of(std::string((4U << 20) + 1, 'a')), HasSubstr("4 MiB at most"));
    std::string many = "name,prompt\n";
    for (int i = 0; i <= 10'000; ++i) {
        many += fmt::format("s{},x\n", i);
    }
    EXPECT_EQ(parse_styles(many).error().kind, ErrorKind::kExhausted);
}

TEST(Styles, AreFoundByNameOrNearNamesOffered) {
    const std::vector<PromptStyle> styles{{"watercolour", "", ""}, {"ink", "", ""}};
    EXPECT_EQ(find_style(styles, "ink").value().name, "ink");
    const auto missing = find_style(styles, "watercolor");
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(
        missing.error().message,
        "there is no style \"watercolor\"; the nearest name is \"watercolour\""
    );
    EXPECT_THAT(
        find_style(styles, "zzz").error().message, HasSubstr("; there are \"watercolour\", \"ink\"")
    );
    EXPECT_THAT(find_style({}, "zzz").error().message, HasSubstr("; there are none"));
}

TEST(Styles, JoinWithPrompts) {
    EXPECT_EQ(apply_style("oil", " a cat ").value(), "a cat, oil");
    EXPECT_EQ(apply_style("", "a cat").value(), "a cat");
    EXPECT_EQ(apply_style("oil", "  ").value(), "oil");
    EXPECT_EQ(apply_style("oil {prompt}, {prompt}!", "a cat").value(), "oil a cat, a cat!");
    EXPECT_EQ(apply_style("{prompt}", " a {prompt} ").value(), " a {prompt} ");
}

TEST(Styles, CannotMakeAPromptOfAnySize) {
    std::string style;
    for (int i = 0; i < 5000; ++i) {
        style += "{prompt}";
    }
    const auto joined = apply_style(style, std::string(60'000, 'a'));
    EXPECT_EQ(joined.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(apply_style("{prompt}", std::string(60'000, 'a')).value().size(), 60'000U);
}

TEST(Styles, ReadAnyBytesOrSayWhyNot) {
    rc::check([] {
        const auto text = "name,prompt\n" + *rc::gen::container<std::string>(rc::gen::oneOf(
                                                rc::gen::elementOf(std::string(",\"\r\nab# ")),
                                                rc::gen::arbitrary<char>()
                                            ));
        const auto styles = parse_styles(text);
        RC_ASSERT(styles.has_value() || styles.error().kind == ErrorKind::kCorrupt);
    });
}

TEST(Styles, OfAMissingFileAreNotFound) {
    EXPECT_EQ(read_styles("no/such/styles.csv").error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tessera
