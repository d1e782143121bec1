#include "imaging/foreign_metadata.h"

#include "imaging/byte_order.h"
#include "imaging/codec.h"
#include "imaging/jpeg_segments.h"
#include "imaging/metadata_file_test.h"
#include "imaging/png_chunks.h"
#include "imaging/testing_test.h"
#include "imaging/webp_chunks.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using ::testing::HasSubstr;

Bytes picture(PictureFormat format) {
    return encode(test_image(8, 8, 3), format, {}, {}).value();
}

Bytes png_with(const std::vector<PngText>& texts) {
    return insert_png_texts(picture(PictureFormat::kPng), texts).value();
}

/// A TIFF structure with texts, as PIL's getexif() gives for ComfyUI.
Bytes exif_with(const std::vector<std::pair<std::uint16_t, std::string>>& entries) {
    Bytes out;
    put_bytes(out, as_bytes(std::string_view("MM\0\x2A\0\0\0\x08", 8)));
    put_big_endian_16(out, static_cast<std::uint16_t>(entries.size()));
    std::size_t at = out.size() + entries.size() * 12 + 4;
    for (const auto& [tag, text] : entries) {
        put_big_endian_16(out, tag);
        put_big_endian_16(out, 2);
        put_big_endian_32(out, static_cast<std::uint32_t>(text.size() + 1));
        put_big_endian_32(out, static_cast<std::uint32_t>(at));
        at += text.size() + 1;
    }
    put_big_endian_32(out, 0);
    for (const auto& [tag, text] : entries) {
        put_bytes(out, as_bytes(text));
        out.push_back(std::byte{0});
    }
    return out;
}

std::string program_of(ByteView file) {
    const auto read = read_foreign_parameters(file);
    return read ? read->program : read.error().message;
}

TEST(ForeignMetadata, KnowsTheProgramByItsTexts) {
    const std::string graph = metadata_file("comfyui_default.json");
    const std::string drawn = metadata_file("comfyui_default_workflow.json");
    EXPECT_EQ(program_of(png_with({{"prompt", graph}, {"workflow", drawn}})), "ComfyUI");
    EXPECT_EQ(
        program_of(png_with({{"parameters", metadata_file("sdcpp.txt")}})), "stable-diffusion.cpp"
    );
    EXPECT_EQ(program_of(png_with({{"parameters", metadata_file("swarmui.json")}})), "SwarmUI");
    EXPECT_EQ(
        program_of(png_with({{"invokeai_metadata", metadata_file("invokeai.json")}})), "InvokeAI"
    );
    EXPECT_EQ(
        program_of(png_with({{"Software", "NovelAI"}, {"Comment", metadata_file("novelai.json")}})),
        "NovelAI"
    );
    EXPECT_EQ(program_of(as_bytes(test_file("a1111.png"))), "A1111");
    EXPECT_EQ(program_of(as_bytes(test_file("a1111_chinese.jpg"))), "A1111");
}

TEST(ForeignMetadata, ReadsComfyuiInExif) {
    const Bytes exif = exif_with({
        {0x010F, "workflow:" + metadata_file("comfyui_default_workflow.json")},
        {0x0110, "prompt:" + metadata_file("comfyui_default.json")},
    });
    const auto webp = insert_webp_metadata(picture(PictureFormat::kWebp), {exif, {}});
    ASSERT_TRUE(webp);
    EXPECT_EQ(program_of(*webp), "ComfyUI");
    const auto jpeg = insert_jpeg_metadata(picture(PictureFormat::kJpeg), {exif, {}});
    ASSERT_TRUE(jpeg);
    EXPECT_EQ(program_of(*jpeg), "ComfyUI");
}

TEST(ForeignMetadata, ACameraIsNoProgram) {
    const Bytes exif = exif_with({{0x010F, "Canon"}, {0x0110, "Canon EOS: {5D}"}, {0x0131, "ab"}});
    const auto jpeg = insert_jpeg_metadata(picture(PictureFormat::kJpeg), {exif, {}});
    EXPECT_THAT(program_of(*jpeg), HasSubstr("says nothing of how it was made"));
}

TEST(ForeignMetadata, GoesOnToTheGraphWhenTheTextSaysNothing) {
    const std::string graph = metadata_file("comfyui_default.json");
    EXPECT_EQ(program_of(png_with({{"parameters", "a cat"}, {"prompt", graph}})), "ComfyUI");
    EXPECT_THAT(program_of(png_with({{"parameters", "a cat"}})), HasSubstr("say nothing"));
}

TEST(ForeignMetadata, SaysWhatIsOnlyRecognised) {
    EXPECT_THAT(
        program_of(png_with({{"workflow", metadata_file("comfyui_default_workflow.json")}})),
        HasSubstr("not as it was run")
    );
    EXPECT_THAT(program_of(png_with({{"sd-metadata", "{}"}})), HasSubstr("before version 3"));
    EXPECT_THAT(program_of(png_with({{"parameters", "{\"prompt\":1}"}})), HasSubstr("not known"));
    EXPECT_EQ(
        read_foreign_parameters(as_bytes(test_file("refused.gif"))).error().kind,
        ErrorKind::kUnsupported
    );
}

}  // namespace
}  // namespace tessera
