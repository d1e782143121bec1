#include "imaging/contact_sheet.h"

#include "imaging/contact_sheet_layout.h"
#include "imaging/mask_region.h"
#include "imaging/resize.h"
#include "imaging/testing_test.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

ContactSheet bare(std::size_t columns, std::size_t rows, const Image& picture) {
    return {
        std::vector<std::string>(columns),
        std::vector<std::string>(rows),
        std::vector<SheetCell>(columns * rows, SheetCell{&picture, ""}),
        "",
        ""};
}

/// How often the picture stands in the sheet, pixel by pixel.
int count(const Image& sheet, const Image& picture) {
    int found = 0;
    for (int top = 0; top + picture.height <= sheet.height; ++top) {
        for (int left = 0; left + picture.width <= sheet.width; ++left) {
            const auto at = static_cast<std::size_t>(3 * (top * sheet.width + left));
            if (!std::equal(
                    picture.pixels.begin(), picture.pixels.begin() + 9, &sheet.pixels[at]
                )) {
                continue;
            }
            const Region region{left, top, left + picture.width, top + picture.height};
            found += crop(sheet, region) == picture ? 1 : 0;
        }
    }
    return found;
}

/// Pixels darker than any hairline.
int dark_pixels(const Image& sheet) {
    int dark = 0;
    for (std::size_t at = 0; at < sheet.pixels.size(); at += 3) {
        dark += sheet.pixels[at] < 100 && sheet.pixels[at + 1] < 100 ? 1 : 0;
    }
    return dark;
}

TEST(ContactSheet, HoldsEveryPictureUnchanged) {
    const Image one = test_image(70, 66, 3);
    Image two = one;
    std::reverse(two.pixels.begin(), two.pixels.end());
    ContactSheet sheet = bare(3, 2, one);
    sheet.columns = {"Euler", "Euler a", "DDIM"};
    sheet.rows = {"CFG 3", "CFG 7"};
    sheet.cells[4].picture = &two;
    const Image drawn = draw_contact_sheet(sheet).value();
    EXPECT_TRUE(is_well_formed(drawn));
    EXPECT_EQ(drawn.channels, 3);
    EXPECT_EQ(count(drawn, one), 5);
    EXPECT_EQ(count(drawn, two), 1);
}

TEST(ContactSheet, NeedsNoRoomForLabelsThatAreEmpty) {
    const Image picture = test_image(64, 64, 3);
    const Image plain = draw_contact_sheet(bare(2, 1, picture)).value();
    EXPECT_LT(plain.width, 64 * 2 + 50);
    EXPECT_LT(plain.height, 64 + 40);

    ContactSheet labelled = bare(2, 1, picture);
    labelled.columns[1] = "Euler";
    const Image with_header = draw_contact_sheet(labelled).value();
    EXPECT_EQ(with_header.width, plain.width);
    EXPECT_GT(with_header.height, plain.height + 8);

    labelled = bare(2, 1, picture);
    labelled.rows[0] = "7.5";
    const Image with_gutter = draw_contact_sheet(labelled).value();
    EXPECT_EQ(with_gutter.height, plain.height);
    EXPECT_GT(with_gutter.width, plain.width + 8);
    EXPECT_LT(with_gutter.width, plain.width + 60);
}

TEST(ContactSheet, WritesTitleLegendAndLabels) {
    const Image picture{64, 64, 3, std::vector<std::uint8_t>(64 * 64 * 3, 200)};
    const int without = dark_pixels(draw_contact_sheet(bare(1, 1, picture)).value());
    EXPECT_EQ(without, 0);
    for (const auto part : {&ContactSheet::title, &ContactSheet::legend}) {
        ContactSheet sheet = bare(1, 1, picture);
        sheet.*part = "MMMM";
        const Image drawn = draw_contact_sheet(sheet).value();
        EXPECT_EQ(count(drawn, picture), 1);
        EXPECT_GT(drawn.height, 64 + 30);
    }
    for (const auto part : {&ContactSheet::columns, &ContactSheet::rows}) {
        ContactSheet sheet = bare(1, 1, picture);
        sheet.*part = {"MMMM"};
        EXPECT_GT(dark_pixels(draw_contact_sheet(sheet).value()), 20);
    }
}

TEST(ContactSheet, CentresSmallerPictures) {
    const Image large = test_image(100, 80, 3);
    const Image small = test_image(20, 40, 3);
    ContactSheet sheet = bare(2, 1, large);
    const Image before = draw_contact_sheet(sheet).value();
    sheet.cells[1].picture = &small;
    const Image drawn = draw_contact_sheet(sheet).value();
    EXPECT_EQ(drawn.width, before.width);
    EXPECT_EQ(drawn.height, before.height);
    const SheetMeasures measures = measure_sheet(sheet, {}).value();
    const int cell_left = measures.margin + measures.gap / 2 + 1 + 100 + measures.gap;
    const int cell_top = measures.margin + measures.gap / 2 + 1;
    const Region middle{cell_left + 40, cell_top + 20, cell_left + 60, cell_top + 60};
    EXPECT_EQ(crop(drawn, middle), small);
}

TEST(ContactSheet, ShowsTheNoteInPlaceOfAPicture) {
    const Image picture{100, 100, 3, std::vector<std::uint8_t>(30000, 200)};
    ContactSheet sheet = bare(2, 1, picture);
    sheet.cells[1].picture = nullptr;
    const Image silent = draw_contact_sheet(sheet).value();
    sheet.cells[1].note = "failed: out of memory";
    const Image drawn = draw_contact_sheet(sheet).value();
    EXPECT_EQ(count(drawn, picture), 1);
    EXPECT_NE(drawn, silent);
    EXPECT_EQ(drawn.width, silent.width);
}

TEST(ContactSheet, CanBeWithoutAnyPicture) {
    ContactSheet sheet{{"a", "b"}, {"1"}, std::vector<SheetCell>(2), "", ""};
    EXPECT_GT(draw_contact_sheet(sheet).value().width, 512);
    EXPECT_LT(draw_contact_sheet(sheet, {100, 1'000'000}).value().width, 512);
}

TEST(ContactSheet, ShrinksPicturesToTheLimitOfACell) {
    const Image picture = test_image(200, 160, 3);
    const Image drawn = draw_contact_sheet(bare(2, 2, picture), {100, 1'000'000}).value();
    EXPECT_EQ(count(drawn, resize(picture, 100, 80).value()), 4);
}

TEST(ContactSheet, CompositesTransparencyOverWhite) {
    const Image picture = test_image(70, 70, 4);
    EXPECT_EQ(count(draw_contact_sheet(bare(1, 1, picture)).value(), flatten(picture)), 1);
}

TEST(ContactSheet, SurvivesAnyLabels) {
    const Image picture = test_image(64, 64, 3);
    ContactSheet sheet = bare(2, 2, picture);
    sheet.title = std::string(50000, 'W');
    sheet.legend = "<span foreground='red'>&bogus;\xFF\x01 漢字 😀";
    sheet.columns = {"e\u0301\u0302\u0303", std::string(3000, '\n') + "x"};
    sheet.rows = {std::string(5000, 'x'), "مرحبا"};
    const Image drawn = draw_contact_sheet(sheet).value();
    EXPECT_EQ(count(drawn, picture), 4);
    EXPECT_LT(drawn.width, 400);
    EXPECT_LT(drawn.height, 500);
}

TEST(ContactSheet, SaysWhichNumbersDisagree) {
    const Image picture = test_image(64, 64, 3);
    ContactSheet sheet = bare(2, 2, picture);
    sheet.cells.pop_back();
    EXPECT_EQ(
        draw_contact_sheet(sheet).error().message,
        "a contact sheet of 2 columns and 2 rows cannot hold 3 cells"
    );
    EXPECT_EQ(draw_contact_sheet({}).error().kind, ErrorKind::kInvalidArgument);
    const Image malformed{4, 4, 3, {1}};
    EXPECT_EQ(draw_contact_sheet(bare(1, 1, malformed)).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(
        draw_contact_sheet(bare(1, 1, picture), {-1, 1'000'000}).error().kind,
        ErrorKind::kInvalidArgument
    );
}

TEST(ContactSheet, RefusesMorePixelsThanTheLimit) {
    const Image picture = test_image(64, 64, 3);
    const ContactSheet sheet = bare(2, 2, picture);
    const Image drawn = draw_contact_sheet(sheet).value();
    const std::int64_t area = std::int64_t{drawn.width} * drawn.height;
    EXPECT_TRUE(draw_contact_sheet(sheet, {0, area}));
    EXPECT_EQ(draw_contact_sheet(sheet, {0, area - 1}).error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(draw_contact_sheet(sheet, {0, 64 * 64}).error().kind, ErrorKind::kExhausted);
}

}  // namespace
}  // namespace tessera
