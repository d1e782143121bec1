#include "prompt/extra_networks.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ExtraNetworks, AreTakenOutInTheirOrder) {
    const auto tagged =
        take_extra_networks("1girl, <hypernet:agm:1.1> <extra:master:12:13><lora:ray>!");
    EXPECT_EQ(tagged.text, "1girl,  !");
    ASSERT_EQ(tagged.tags.size(), 3U);
    EXPECT_EQ(tagged.tags[0].kind, "hypernet");
    EXPECT_EQ(tagged.tags[0].name, "agm");
    EXPECT_EQ(tagged.tags[0].text_encoder_multiplier, 1.1);
    EXPECT_EQ(tagged.tags[1].kind, "extra");
    EXPECT_THAT(tagged.tags[1].arguments, ElementsAre("12", "13"));
    EXPECT_EQ(tagged.tags[2].name, "ray");
    EXPECT_EQ(tagged.tags[2].unet_multiplier, 1);
    EXPECT_THAT(tagged.remarks, IsEmpty());
}

TEST(ExtraNetworks, TakeNumbersByPlaceAndByName) {
    const auto tag = [](std::string_view text) { return take_extra_networks(text).tags.at(0); };
    const auto placed = tag("<lora:a b:0.5:0.25:4>");
    EXPECT_EQ(placed.name, "a b");
    EXPECT_EQ(placed.text_encoder_multiplier, 0.5);
    EXPECT_EQ(placed.unet_multiplier, 0.25);
    EXPECT_EQ(placed.dyn_dim, 4);
    const auto named = tag("<lora:x:unet=0.5:te=-1:dyn=8:te=0.75>");
    EXPECT_EQ(named.text_encoder_multiplier, 0.75);
    EXPECT_EQ(named.unet_multiplier, 0.5);
    EXPECT_EQ(named.dyn_dim, 8);
    EXPECT_EQ(tag("<lyco:x: +0.5 >").unet_multiplier, 0.5);
    EXPECT_EQ(tag("<lora:x:te=0.3>").unet_multiplier, 0.3);
    EXPECT_EQ(tag("<lora:x:0.3>").dyn_dim, std::nullopt);
}

TEST(ExtraNetworks, StayTextWhereTheyCannotBeRead) {
    for (const char* text :
         {"<lora:x:strong>",
          "<lora:x:nan>",
          "<lora:x:1e9>",
          "<lora:x:1:2:3.5>",
          "<lora::1>",
          "<lora:x:>"}) {
        SCOPED_TRACE(text);
        const auto tagged = take_extra_networks(text);
        EXPECT_EQ(tagged.text, text);
        EXPECT_THAT(tagged.tags, IsEmpty());
        EXPECT_THAT(
            tagged.remarks, ElementsAre(AllOf(HasSubstr(text), HasSubstr("<lora:name:0.8>")))
        );
    }
    const auto open = take_extra_networks("<a> <b:c> <lora:x:1");
    EXPECT_EQ(open.text, "<a>  <lora:x:1");
    EXPECT_THAT(open.remarks, ElementsAre(HasSubstr("begins with \"<lora:x:1\" has no \">\"")));
}

TEST(ExtraNetworks, AreNotSeenInOrdinarySigns) {
    const std::string text = "a < b, c > d <3 <:> <lora> <lora:>";
    const auto tagged = take_extra_networks(text);
    EXPECT_EQ(tagged.text, text);
    EXPECT_EQ(tagged.aligned, text);
    EXPECT_THAT(tagged.remarks, IsEmpty());
}

TEST(ExtraNetworks, LeavePositionsAsTheyWereInTheAlignedText) {
    EXPECT_EQ(take_extra_networks("\u00E9<lora:\u00E9>(b").aligned, "\u00E9        (b");
}

TEST(ExtraNetworks, BoundTheirRemarks) {
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        text += "<lora:x:y>";
    }
    EXPECT_EQ(take_extra_networks(text).remarks.size(), 8U);
}

}  // namespace
}  // namespace tessera
