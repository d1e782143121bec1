#include "api/a1111_extras.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

UploadEntry picture(int width, int height) {
    UploadEntry entry;
    entry.width = width;
    entry.height = height;
    return entry;
}

TEST(A1111Extras, EnlargeByAFactor) {
    const auto extras = parse_a1111_extras(
        ExtrasCall::kSingle, R"({"image":"Zm9v","upscaler_1":"Lanczos","upscaling_resize":1.5})"
    );
    ASSERT_TRUE(extras) << extras.error().error.message;
    EXPECT_EQ(extras->upscale.upscaler, "Lanczos");
    EXPECT_EQ(extras_scale(*extras, picture(10, 10)).value(), "1.5");
    EXPECT_EQ(as_text(extras->pictures.at(0)), "foo");
    EXPECT_FALSE(extras->changes_nothing);
}

TEST(A1111Extras, EnlargeToASizeThatCovers) {
    const auto extras = parse_a1111_extras(
        ExtrasCall::kSingle,
        R"({"image":"Zm9v","upscaler_1":"Lanczos","resize_mode":1,"upscaling_resize_w":400,
            "upscaling_resize_h":200,"upscaling_crop":false})"
    );
    ASSERT_TRUE(extras) << extras.error().error.message;
    EXPECT_EQ(extras_scale(*extras, picture(100, 50)).value(), "400x200");
    EXPECT_EQ(extras_scale(*extras, picture(100, 100)).value(), "400x400");
    auto cropped = *extras;
    cropped.crops = true;
    EXPECT_EQ(extras_scale(cropped, picture(100, 50)).value(), "400x200");
    EXPECT_EQ(extras_scale(cropped, picture(100, 100)).error().field, "upscaling_crop");
}

TEST(A1111Extras, WithoutUpscalerChangeNothing) {
    const auto none =
        parse_a1111_extras(ExtrasCall::kSingle, R"({"image":"Zm9v","upscaler_1":"None"})");
    EXPECT_TRUE(none->changes_nothing);
    const auto restored =
        parse_a1111_extras(ExtrasCall::kSingle, R"({"image":"Zm9v","restore":true})");
    EXPECT_FALSE(restored->changes_nothing);
    EXPECT_TRUE(restored->upscale.restore);
}

TEST(A1111Extras, TakeALotOfPictures) {
    const auto extras = parse_a1111_extras(
        ExtrasCall::kBatch,
        R"({"imageList":[{"data":"Zm9v","name":"a"},{"data":"YmFy"}],"upscaler_1":"Lanczos"})"
    );
    ASSERT_TRUE(extras) << extras.error().error.message;
    EXPECT_EQ(as_text(extras->pictures.at(1)), "bar");
    std::string many = R"({"imageList":[)";
    for (int i = 0; i < 65; ++i) {
        many += i == 0 ? "{}" : ",{}";
    }
    EXPECT_EQ(parse_a1111_extras(ExtrasCall::kBatch, many + "]}").error().field, "imageList");
}

TEST(A1111Extras, FaultsNameTheField) {
    const std::pair<const char*, const char*> cases[] = {
        {"{}", "image"},
        {R"({"image":"http://a/b"})", "image"},
        {R"({"image":"Zm9v","gfpgan_visibility":1})", "gfpgan_visibility"},
        {R"({"image":"Zm9v","codeformer_visibility":0.5})", "codeformer_visibility"},
        {R"({"image":"Zm9v","upscaler_2":"B","extras_upscaler_2_visibility":0.5})", "upscaler_2"},
        {R"({"image":"Zm9v","upscaler_1":"B","upscaling_resize":99})", "upscaling_resize"},
        {R"({"image":"Zm9v","upscaler_1":"B","resize_mode":1,"upscaling_resize_w":0})",
         "upscaling_resize_w"},
    };
    for (const auto& [body, field] : cases) {
        const auto extras = parse_a1111_extras(ExtrasCall::kSingle, body);
        ASSERT_FALSE(extras) << body;
        EXPECT_EQ(extras.error().field, field) << extras.error().error.message;
    }
    EXPECT_EQ(
        parse_a1111_extras(ExtrasCall::kBatch, R"({"imageList":[{"name":"a"}]})").error().field,
        "imageList[0]"
    );
}

}  // namespace
}  // namespace tessera::api
