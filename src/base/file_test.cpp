#include "base/file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace tessera {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "tessera-file-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
    }

    fs::path folder_;
};

TEST_F(FileTest, WritesAndReadsBack) {
    const auto path = folder_ / "a.txt";
    ASSERT_TRUE(write_file_atomically(path, as_bytes("first")));
    ASSERT_TRUE(write_file_atomically(path, as_bytes("second")));
    EXPECT_EQ(read_file(path, 100), "second");
    EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, NamesTheFileThatIsMissing) {
    const auto missing = MappedFile::open(folder_ / "nothing.bin");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(missing.error().message, testing::HasSubstr("nothing.bin"));
}

TEST_F(FileTest, RefusesAFolderAsAFile) {
    const auto folder = MappedFile::open(folder_);
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(FileTest, RefusesAFileBeyondTheLimit) {
    ASSERT_TRUE(write_file_atomically(folder_ / "big", as_bytes("12345")));
    const auto big = read_file(folder_ / "big", 4);
    ASSERT_FALSE(big);
    EXPECT_EQ(big.error().kind, ErrorKind::kExhausted);
}

TEST_F(FileTest, MapsAnEmptyFileToAnEmptyView) {
    std::ofstream(folder_ / "empty").close();
    const auto empty = MappedFile::open(folder_ / "empty");
    ASSERT_TRUE(empty);
    EXPECT_TRUE(empty->bytes().empty());
}

TEST_F(FileTest, IdentityChangesWhenTheFileIsReplaced) {
    const auto path = folder_ / "a";
    ASSERT_TRUE(write_file_atomically(path, as_bytes("one")));
    const auto before = MappedFile::open(path)->identity();
    EXPECT_EQ(MappedFile::open(path)->identity(), before);
    ASSERT_TRUE(write_file_atomically(path, as_bytes("two")));
    EXPECT_NE(MappedFile::open(path)->identity(), before);
}

TEST_F(FileTest, LeavesNothingBehindWhenItCannotWrite) {
    const auto path = folder_ / "taken";
    fs::create_directory(path);
    EXPECT_FALSE(write_file_atomically(path, as_bytes("x")));
    EXPECT_EQ(files(), 1U);
    EXPECT_FALSE(write_file_atomically(folder_ / "no" / "such" / "file", as_bytes("x")));
}

}  // namespace
}  // namespace tessera
