#include "api/keys.h"

#include "base/file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace tessera::api {
namespace {

class HandClock final : public Clock {
  public:
    [[nodiscard]] Instant now() const override { return Instant(at); }
    [[nodiscard]] WallTime wall() const override {
        return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(at));
    }
    Duration at = std::chrono::hours(1);
};

class Keys : public ::testing::Test {
  protected:
    void SetUp() override {
        auto name = (std::filesystem::temp_directory_path() / "tessera-keys-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        file_ = folder_ / "keys";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<KeyRing> open() {
        return KeyRing::open(file_, clock_, Entropy::system()).value();
    }

    std::filesystem::path folder_;
    std::filesystem::path file_;
    HandClock clock_;
};

TEST_F(Keys, OpenWhatTheyWereMadeFor) {
    const auto ring = open();
    EXPECT_TRUE(ring->empty());
    const auto made = ring->add("anna", "studio", Role::kUser).value();
    EXPECT_TRUE(made.key.starts_with("tsr_" + made.record.id + "_"));
    EXPECT_EQ(made.key.size(), 4 + made.record.id.size() + 1 + 32);
    const auto caller = ring->check(made.key);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->tenant, "studio");
    EXPECT_EQ(caller->key_id, made.record.id);
    EXPECT_EQ(caller->role, Role::kUser);
}

TEST_F(Keys, WrongOnesOpenNothing) {
    const auto ring = open();
    const std::string key = ring->add("a", "a", Role::kAdmin)->key;
    std::string changed = key;
    changed.back() = changed.back() == 'x' ? 'y' : 'x';
    for (const std::string& wrong : {std::string(), changed, key + "x", key.substr(0, 20)}) {
        EXPECT_FALSE(ring->check(wrong)) << wrong;
    }
}

TEST_F(Keys, AreKeptAsHashesInAPrivateFile) {
    const std::string key = open()->add("a", "a", Role::kAdmin)->key;
    EXPECT_TRUE(open()->check(key));
    const std::string text = read_file(file_, 1U << 20U).value();
    EXPECT_EQ(text.find(key.substr(key.size() - 32)), std::string::npos);
    struct stat status {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Keys, ExpireWhenTheirTimeIsOver) {
    const auto ring = open();
    const std::string key = ring->add("a", "a", Role::kUser, std::chrono::minutes(5))->key;
    clock_.at += std::chrono::minutes(4);
    EXPECT_TRUE(ring->check(key));
    clock_.at += std::chrono::minutes(2);
    EXPECT_FALSE(ring->check(key));
    EXPECT_FALSE(open()->check(key));
}

TEST_F(Keys, OneThatIsRemovedOpensNothingAnyMore) {
    const auto ring = open();
    const auto first = ring->add("first", "a", Role::kUser).value();
    const auto second = ring->add("second", "a", Role::kUser).value();
    EXPECT_TRUE(ring->remove(first.record.id));
    EXPECT_TRUE(ring->remove("second"));
    EXPECT_FALSE(ring->check(first.key));
    EXPECT_FALSE(ring->check(second.key));
    EXPECT_EQ(ring->remove("second").error().kind, ErrorKind::kNotFound);
}

TEST_F(Keys, NamesAreUniqueAndPlain) {
    const auto ring = open();
    ASSERT_TRUE(ring->add("a", "a", Role::kUser));
    EXPECT_EQ(ring->add("a", "b", Role::kUser).error().kind, ErrorKind::kConflict);
    for (const char* name : {"", "two words", "a/b", "line\nbreak", "\xc3\xa4"}) {
        EXPECT_EQ(ring->add(name, "a", Role::kUser).error().kind, ErrorKind::kInvalidArgument);
        EXPECT_EQ(ring->add("b", name, Role::kUser).error().kind, ErrorKind::kInvalidArgument);
    }
}

TEST_F(Keys, WhatAnotherProcessChangesIsSeen) {
    const auto server = open();
    const auto program = open();
    const std::string key = program->add("late", "a", Role::kUser)->key;
    clock_.at += std::chrono::seconds(2);
    EXPECT_TRUE(server->check(key));
    ASSERT_TRUE(program->remove("late"));
    clock_.at += std::chrono::seconds(2);
    EXPECT_FALSE(server->check(key));
    // Nor does the server write over it.
    ASSERT_TRUE(program->add("theirs", "a", Role::kUser));
    ASSERT_TRUE(server->add("ours", "a", Role::kUser));
    EXPECT_EQ(open()->list().size(), 2U);
}

TEST_F(Keys, ADamagedFileIsNamedWithItsLine) {
    ASSERT_TRUE(open()->add("a", "a", Role::kUser));
    std::string text = read_file(file_, 1U << 20U).value();
    ASSERT_TRUE(write_file_atomically(file_, as_bytes(text + "nonsense\n")));
    const auto opened = KeyRing::open(file_, clock_, Entropy::system());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(opened.error().message.find("line 3"), std::string::npos);
    ASSERT_TRUE(write_file_atomically(file_, as_bytes("{}")));
    EXPECT_EQ(KeyRing::open(file_, clock_, Entropy::system()).error().kind, ErrorKind::kCorrupt);
}

TEST(Roles, HaveNames) {
    for (const Role role : {Role::kUser, Role::kAdmin, Role::kWorker}) {
        EXPECT_EQ(find_role(to_string(role)), role);
    }
    EXPECT_EQ(find_role("root").error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::api
