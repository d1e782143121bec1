#include "imaging/exif.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

std::string block(std::string_view comment) {
    const auto exif = write_exif_comment(comment);
    EXPECT_TRUE(exif);
    return std::string(as_text(exif.value_or(Bytes())));
}

TEST(Exif, CommentsComeBack) {
    for (const char* comment :
         {"plain",
          "caf\xC3\xA9",
          "雪山\n🏔, \"quoted\"",
          "雪",
          "🏔",
          "\xEF\xBB\xBF mark",
          "\xEF\xBF\xBE mark"}) {
        EXPECT_EQ(read_exif_comment(as_bytes(block(comment))), comment);
        EXPECT_EQ(
            read_exif_comment(as_bytes(std::string("Exif\0\0", 6) + block(comment))), comment
        );
    }
    EXPECT_FALSE(write_exif_comment("\xFF"));
}

TEST(Exif, HoldsTheCommentAndNothingElse) {
    const std::string expected(
        "MM\0\x2A\0\0\0\x08"
        "\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0"
        "\0\x01\x92\x86\0\x07\0\0\0\x0C\0\0\0\x2C\0\0\0\0"
        "UNICODE\0\0a\x96\xEA",
        56
    );
    EXPECT_EQ(block("a雪"), expected);
}

TEST(Exif, ReadsTheOtherByteOrderAndPlainText) {
    const std::string head(
        "II\x2A\0\x08\0\0\0"
        "\x01\0\x69\x87\x04\0\x01\0\0\0\x1A\0\0\0\0\0\0\0",
        26
    );
    const auto with = [&](std::string_view content) {
        std::string directory("\x01\0\x86\x92\x07\0?\0\0\0\x2C\0\0\0\0\0\0\0", 18);
        directory[6] = static_cast<char>(content.size());
        return read_exif_comment(as_bytes(head + directory + std::string(content)));
    };
    using namespace std::string_view_literals;
    EXPECT_EQ(with("UNICODE\0a\0b\0"sv), "ab");
    EXPECT_EQ(with("UNICODE\0\0a\0b"sv), "ab");            // piexif's order in another's block
    EXPECT_EQ(with("UNICODE\0\xEA\x96"sv), "雪");          // no zeros: the block's order
    EXPECT_EQ(with("UNICODE\0\xFE\xFF\x96\xEA"sv), "雪");  // a byte order mark
    EXPECT_EQ(with("ASCII\0\0\0plain\0\0"sv), "plain");
    EXPECT_EQ(with("\0\0\0\0\0\0\0\0plain"sv), "plain");
    EXPECT_EQ(with("JIS\0\0\0\0\0text"sv), std::nullopt);
    EXPECT_EQ(with("UNICODE\0\x01\xD8zz"sv), std::nullopt);  // half a surrogate pair
}

TEST(Exif, MalformedBlocksHoldNoComment) {
    const std::string good = block("a comment");
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(read_exif_comment(as_bytes(good.substr(0, size))), std::nullopt) << size;
    }
    for (const std::size_t at : {4U, 18U, 36U}) {  // the offsets
        std::string lying = good;
        lying.replace(at, 4, "\xFF\xFF\xFF\xFF");
        EXPECT_EQ(read_exif_comment(as_bytes(lying)), std::nullopt) << at;
    }
}

}  // namespace
}  // namespace tessera
