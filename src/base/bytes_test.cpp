#include "base/bytes.h"

#include "base/hash.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Bytes, ReadsBackWhatWasWritten) {
    ByteWriter writer;
    writer.put<std::uint32_t>(7);
    writer.put_text("latents");
    writer.put_floats(std::vector<float>{1.5F, -2.0F});
    const Bytes bytes = writer.take();

    ByteReader reader(bytes);
    EXPECT_EQ(reader.get<std::uint32_t>(), 7U);
    EXPECT_EQ(reader.get_text(), "latents");
    EXPECT_EQ(reader.get_floats(), (std::vector<float>{1.5F, -2.0F}));
    EXPECT_TRUE(reader.at_end());
}

TEST(Bytes, ReportsEveryTruncation) {
    ByteWriter writer;
    writer.put_text("latents");
    writer.put_floats(std::vector<float>{1.5F});
    const Bytes whole = writer.take();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        ByteReader reader(ByteView(whole).first(length));
        const bool both = reader.get_text().has_value() && reader.get_floats().has_value();
        EXPECT_FALSE(both) << length;
    }
}

TEST(Bytes, ALyingLengthIsCorruptNotAnAllocation) {
    ByteWriter writer;
    writer.put<std::uint64_t>(~0ULL);
    const Bytes bytes = writer.take();
    ByteReader reader(bytes);
    const auto block = reader.get_block();
    ASSERT_FALSE(block);
    EXPECT_EQ(block.error().kind, ErrorKind::kCorrupt);
}

TEST(Hash, Sha256IsThePublishedOne) {
    EXPECT_EQ(
        sha256_hex(as_bytes("abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

TEST(Hash, FieldsDoNotRunIntoEachOther) {
    EXPECT_NE(FastHash().add("ab").add("c").hex(), FastHash().add("a").add("bc").hex());
    EXPECT_EQ(FastHash().add("ab").hex(), FastHash().add("ab").hex());
}

}  // namespace
}  // namespace tessera
