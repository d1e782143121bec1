#include "tessera/batch_journal.h"

#include "base/file.h"
#include "base/hash.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

namespace tessera::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class BatchJournalTest : public ::testing::Test {
  protected:
    BatchJournalTest() {
        std::string name = (fs::temp_directory_path() / "tessera-batch-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~BatchJournalTest() override {
        std::error_code error;
        fs::remove_all(folder_, error);
    }
    BatchJournalTest(const BatchJournalTest&) = delete;
    BatchJournalTest& operator=(const BatchJournalTest&) = delete;

    BatchJournal open() {
        auto journal = BatchJournal::open(folder_);
        EXPECT_TRUE(journal) << journal.error().message;
        return *std::move(journal);
    }
    /// Makes a picture as a batch does.
    void paint(BatchJournal& journal, const std::string& key, const std::string& content = "P") {
        const fs::path path = folder_ / (key + ".png");
        ASSERT_TRUE(journal.promise(key, path, as_bytes(content)));
        ASSERT_TRUE(write_file_atomically(path, as_bytes(content)));
    }
    [[nodiscard]] fs::path file() const { return folder_ / ".tessera-batch.jsonl"; }
    [[nodiscard]] std::string content() const { return read_file(file(), 1U << 20U).value(); }
    void set_content(const std::string& content) const {
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << content;
    }

    fs::path folder_;
};

TEST_F(BatchJournalTest, KnowsWhatIsFinishedInTheNextProcess) {
    {
        auto journal = open();
        EXPECT_FALSE(journal.find("a"));
        paint(journal, "a");
        paint(journal, "b");
        EXPECT_EQ(journal.find("a"), folder_ / "a.png");
    }
    const auto journal = open();
    EXPECT_THAT(journal.warnings(), IsEmpty());
    EXPECT_EQ(journal.find("a"), folder_ / "a.png");
    EXPECT_EQ(journal.find("b"), folder_ / "b.png");
    EXPECT_FALSE(journal.find("c"));
}

TEST_F(BatchJournalTest, APictureThatIsGoneIsMadeAgainAndOneThatWasEditedIsNot) {
    {
        auto journal = open();
        paint(journal, "a");
        paint(journal, "b");
        paint(journal, "c");
    }
    fs::remove(folder_ / "a.png");
    ASSERT_TRUE(write_file_atomically(folder_ / "b.png", as_bytes("cropped")));
    const auto journal = open();
    EXPECT_FALSE(journal.find("a"));
    EXPECT_TRUE(journal.find("b"));
    EXPECT_TRUE(journal.find("c"));
}

TEST_F(BatchJournalTest, AnOlderFileIsNotTakenForThePromisedOne) {
    ASSERT_TRUE(write_file_atomically(folder_ / "a.png", as_bytes("older")));
    {
        auto journal = open();
        ASSERT_TRUE(journal.promise("a", folder_ / "a.png", as_bytes("new")));
    }
    EXPECT_FALSE(open().find("a"));
    // And is not taken for it when it is no longer the last.
    {
        auto journal = open();
        paint(journal, "b");
    }
    EXPECT_FALSE(open().find("a"));
}

TEST_F(BatchJournalTest, AFileThatAnotherPictureReplacedIsNoLongerThatPicture) {
    auto journal = open();
    ASSERT_TRUE(journal.promise("a", folder_ / "x.png", as_bytes("A")));
    ASSERT_TRUE(journal.promise("b", folder_ / "x.png", as_bytes("B")));
    ASSERT_TRUE(write_file_atomically(folder_ / "x.png", as_bytes("B")));
    EXPECT_FALSE(journal.find("a"));
    EXPECT_TRUE(journal.find("b"));
}

TEST_F(BatchJournalTest, AWithdrawnPromiseIsNone) {
    {
        auto journal = open();
        paint(journal, "a");
        ASSERT_TRUE(journal.withdraw("a"));
        EXPECT_FALSE(journal.find("a"));
    }
    EXPECT_FALSE(open().find("a"));
}

TEST_F(BatchJournalTest, ACompleteBatchBeginsAnew) {
    {
        auto journal = open();
        paint(journal, "a");
        ASSERT_TRUE(journal.complete());
    }
    EXPECT_FALSE(fs::exists(file()));
    EXPECT_FALSE(open().find("a"));
    EXPECT_TRUE(fs::exists(folder_ / "a.png"));
}

TEST_F(BatchJournalTest, OneProcessAtATime) {
    auto first = std::make_unique<BatchJournal>(open());
    const auto second = BatchJournal::open(folder_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(second.error().message, HasSubstr("another tessera works on a batch in"));
    first.reset();
    EXPECT_TRUE(BatchJournal::open(folder_));
}

TEST_F(BatchJournalTest, AHalfLineAtTheEndIsDroppedWithoutAWord) {
    {
        auto journal = open();
        paint(journal, "a");
        paint(journal, "b");
    }
    const std::string whole = content();
    const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        set_content(whole.substr(0, size));
        auto journal = open();
        EXPECT_THAT(journal.warnings(), IsEmpty()) << size;
        EXPECT_EQ(journal.find("a").has_value(), size >= last) << size;
        EXPECT_FALSE(journal.find("b")) << size;
        paint(journal, "b");
        EXPECT_TRUE(journal.find("b"));
    }
}

TEST_F(BatchJournalTest, DamageIsReportedAndCostsOnlyWhatItHit) {
    {
        auto journal = open();
        paint(journal, "a");
        paint(journal, "b");
        paint(journal, "c");
    }
    std::string damaged = content();
    damaged[damaged.find("\"b\"") + 1] = 'x';
    set_content(damaged);
    {
        const auto journal = open();
        EXPECT_THAT(journal.warnings(), ElementsAre(HasSubstr("1 entries of")));
        EXPECT_TRUE(journal.find("a"));
        EXPECT_FALSE(journal.find("b"));
        EXPECT_TRUE(journal.find("c"));
    }
    set_content("something\nelse\n");
    const auto journal = open();
    EXPECT_THAT(journal.warnings(), ElementsAre(HasSubstr("is damaged; all pictures are made")));
    EXPECT_FALSE(journal.find("a"));
    EXPECT_TRUE(fs::exists(folder_ / "a.png"));
}

TEST_F(BatchJournalTest, ANewerProgramsJournalIsLeftAlone) {
    { auto journal = open(); }
    const std::string text = "{\"tessera_batch\":2}";
    const std::string newer = FastHash().add(std::string_view(text)).hex() + " " + text + "\n";
    set_content(newer);
    const auto refused = BatchJournal::open(folder_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
    EXPECT_EQ(content(), newer);
}

TEST_F(BatchJournalTest, NamesOutsideTheFolderAreNotFollowed) {
    { auto journal = open(); }
    const std::string text = R"({"key":"a","file":"../../etc/passwd","hash":""})";
    set_content(content() + FastHash().add(std::string_view(text)).hex() + " " + text + "\n");
    const auto journal = open();
    EXPECT_FALSE(journal.find("a"));
    EXPECT_THAT(journal.warnings(), ElementsAre(HasSubstr("damaged")));
}

TEST_F(BatchJournalTest, WhatIsNoFileIsRefused) {
    fs::create_directory(file());
    EXPECT_FALSE(BatchJournal::open(folder_));
    fs::remove(file());
    fs::create_symlink(folder_ / "elsewhere", file());
    EXPECT_FALSE(BatchJournal::open(folder_));
    EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
    EXPECT_FALSE(BatchJournal::open(folder_ / "nowhere"));
}

/// Makes five pictures, and kills itself at moment `death`, counted over all of them: before a
/// promise, between promise and file, and after the file.
void paint_until_killed(const fs::path& folder, int death) {
    int moment = 0;
    const auto pass = [&] {
        if (moment++ == death) {
            ::raise(SIGKILL);
        }
    };
    auto journal = BatchJournal::open(folder);
    for (int number = 0; journal && number < 5; ++number) {
        const std::string key = std::to_string(number);
        if (journal->find(key)) {
            continue;
        }
        std::string picture = "picture " + key;
        fs::path path = folder / ("sea-" + key + ".png");
        for (int further = 2; fs::exists(path); ++further) {
            path = folder / fmt::format("sea-{}-{}.png", key, further);
        }
        pass();
        const bool promised = journal->promise(key, path, as_bytes(picture)).has_value();
        pass();
        const bool written = promised && write_file_atomically(path, as_bytes(picture));
        pass();
        if (!written) {
            std::_Exit(2);
        }
    }
    std::_Exit(journal ? 0 : 1);
}

TEST_F(BatchJournalTest, KilledAtAnyMomentItGoesOnAndMakesNothingTwice) {
    for (int death = 0; death <= 15; ++death) {
        for (const int moment : {death, -1}) {
            const pid_t child = ::fork();
            ASSERT_GE(child, 0);
            if (child == 0) {
                paint_until_killed(folder_, moment);
            }
            int status = 0;
            ASSERT_EQ(::waitpid(child, &status, 0), child);
            if (moment >= 0 && moment < 15) {
                ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << death;
            } else {
                ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << death;
            }
        }
        std::size_t pictures = 0;
        for (const auto& entry : fs::directory_iterator(folder_)) {
            pictures += entry.path().extension() == ".png" ? 1U : 0U;
        }
        EXPECT_EQ(pictures, 5U) << death;
        for (int number = 0; number < 5; ++number) {
            const auto picture = open().find(std::to_string(number));
            ASSERT_TRUE(picture) << death;
            EXPECT_EQ(read_file(*picture, 100), fmt::format("picture {}", number));
        }
        for (const auto& entry : fs::directory_iterator(folder_)) {
            fs::remove(entry.path());
        }
    }
}

TEST(BatchKeys, TellApartWhatDiffersAndNothingElse) {
    BatchKeys keys("model=a steps=20");
    const std::string cat = keys.line("cat");
    const std::string dog = keys.line("dog");
    const std::string second_cat = keys.line("cat");
    EXPECT_NE(cat, dog);
    EXPECT_NE(cat, second_cat);
    EXPECT_NE(BatchKeys::picture(cat, 1), BatchKeys::picture(cat, 2));
    BatchKeys same("model=a steps=20");
    EXPECT_EQ(same.line("dog"), dog);
    EXPECT_EQ(same.line("cat"), cat);
    EXPECT_EQ(same.line("cat"), second_cat);
    EXPECT_NE(BatchKeys("model=a steps=21").line("cat"), cat);
}

}  // namespace
}  // namespace tessera::cli
