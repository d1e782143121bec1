#include "storage/folder_store.h"

#include "storage/store_folder_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <thread>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string text_of(const Result<Bytes>& bytes) {
    return bytes ? std::string(as_text(*bytes)) : "error: " + bytes.error().message;
}

TEST(FolderStoreTest, GivesBackWhatWasPut) {
    const TestFolder folder;
    const HandClock clock;
    const auto store = open_store(folder, {}, clock);
    const auto put = store->put(as_bytes("a picture"), "text/plain");
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ(put->sha256, hash_of("a picture"));
    EXPECT_EQ(put->bytes, 9U);
    EXPECT_EQ(put->media_type, "text/plain");
    EXPECT_EQ(put->stored, HandClock::kStart);
    EXPECT_EQ(text_of(store->get(put->sha256)), "a picture");
}

TEST(FolderStoreTest, KeepsObjectsAndTypesWhenItIsOpenedAgain) {
    const TestFolder folder;
    ASSERT_TRUE(open_store(folder)->put(as_bytes("x"), "application/json; charset=utf-8"));
    const auto store = open_store(folder);
    const auto info = store->info(hash_of("x"));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->media_type, "application/json; charset=utf-8");
    EXPECT_EQ(store->account().used, 1U);
}

TEST(FolderStoreTest, TakesOneFileForAPictureWhoseBytesShowWhatItIs) {
    const TestFolder folder;
    const auto store = open_store(folder);
    const auto put = store->put(as_bytes("\x89PNG\r\n\x1a\n and so on"), "image/png");
    ASSERT_TRUE(put);
    EXPECT_EQ(put->media_type, "image/png");
    EXPECT_EQ(files_below(folder.path()), 1U);
}

TEST(FolderStoreTest, StoresExactlyTheBytesForTheOwnerAlone) {
    const TestFolder folder;
    ASSERT_TRUE(open_store(folder)->put(as_bytes("secret"), ""));
    struct stat file {};
    struct stat shard {};
    const fs::path path = file_of(folder, hash_of("secret"));
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    ASSERT_EQ(::stat(path.parent_path().c_str(), &shard), 0);
    EXPECT_EQ(file.st_size, 6);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
    EXPECT_EQ(shard.st_mode & 0777U, 0700U);
}

TEST(FolderStoreTest, TakesBytesInPartsAndFindsTheirHash) {
    const TestFolder folder;
    const auto store = open_store(folder);
    const auto writer = store->create("", 100, "");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(as_bytes("one ")));
    ASSERT_TRUE((*writer)->write(as_bytes("two")));
    EXPECT_FALSE(store->info(hash_of("one two"))) << "visible before it is whole";
    const auto info = (*writer)->finish();
    ASSERT_TRUE(info);
    EXPECT_EQ(info->sha256, hash_of("one two"));
    EXPECT_EQ(info->media_type, "application/octet-stream");
}

TEST(FolderStoreTest, RefusesBytesWithAnotherHash) {
    const TestFolder folder;
    const auto store = open_store(folder);
    const auto writer = store->create(hash_of("right"), 5, "");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(as_bytes("wrong")));
    const auto info = (*writer)->finish();
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(files_below(folder.path()), 0U);
    EXPECT_EQ(store->account().used + store->account().reserved, 0U);
}

TEST(FolderStoreTest, RefusesWrongBytesForAnObjectThatIsThere) {
    const TestFolder folder;
    const auto store = open_store(folder);
    ASSERT_TRUE(store->put(as_bytes("right"), ""));
    const auto writer = store->create(hash_of("right"), 5, "");
    ASSERT_TRUE((*writer)->write(as_bytes("wrong")));
    EXPECT_EQ((*writer)->finish().error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(text_of(store->get(hash_of("right"))), "right");
}

TEST(FolderStoreTest, AWriterThatIsDroppedLeavesNothing) {
    const TestFolder folder;
    const auto store = open_store(folder);
    {
        const auto writer = store->create("", 10, "text/plain");
        ASSERT_TRUE((*writer)->write(as_bytes("half")));
        EXPECT_EQ(store->account().reserved, 10U);
    }
    EXPECT_EQ(store->account().reserved, 0U);
    EXPECT_EQ(files_below(folder.path()), 0U);
}

TEST(FolderStoreTest, RefusesMoreBytesThanAnnounced) {
    const TestFolder folder;
    const auto store = open_store(folder);
    const auto writer = store->create("", 3, "");
    EXPECT_EQ((*writer)->write(as_bytes("four")).error().kind, ErrorKind::kExhausted);
    EXPECT_FALSE((*writer)->finish());
    EXPECT_EQ(files_below(folder.path()), 0U);
}

TEST(FolderStoreTest, StoringTheSameAgainSucceedsAndTakesNoRoom) {
    const TestFolder folder;
    const auto store = open_store(folder, {.max_bytes = 4});
    ASSERT_TRUE(store->put(as_bytes("full"), ""));
    const auto again = store->put(as_bytes("full"), "text/plain");
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->media_type, "application/octet-stream") << "the first one's words stay";
    EXPECT_EQ(store->account().used, 4U);
}

TEST(FolderStoreTest, WritersOfTheSameBytesAtOnceAllSucceed) {
    const TestFolder folder;
    const auto store = open_store(folder);
    constexpr int kWriters = 6;
    std::vector<std::unique_ptr<ObjectWriter>> writers;
    for (int i = 0; i < kWriters; ++i) {
        auto writer = store->create("", 4, i % 2 == 0 ? "text/plain" : "");
        ASSERT_TRUE((*writer)->write(as_bytes("same")));
        writers.push_back(std::move(*writer));
    }
    std::atomic<int> succeeded = 0;
    std::vector<std::jthread> threads;
    for (auto& writer : writers) {
        threads.emplace_back([&succeeded, &writer] {
            succeeded += writer->finish().has_value() ? 1 : 0;
        });
    }
    threads.clear();
    writers.clear();
    EXPECT_EQ(succeeded, kWriters);
    EXPECT_EQ(store->account().used, 4U);
    EXPECT_EQ(store->account().reserved, 0U);
    EXPECT_EQ(text_of(store->get(hash_of("same"))), "same");
    EXPECT_TRUE(fs::is_empty(*fs::directory_iterator(folder.path() / "store" / "tmp")));
}

TEST(FolderStoreTest, ReadsParts) {
    const TestFolder folder;
    const auto store = open_store(folder);
    ASSERT_TRUE(store->put(as_bytes("0123456789"), ""));
    const std::string sha256 = hash_of("0123456789");
    EXPECT_EQ(text_of(store->read(sha256, 3, 4)), "3456");
    EXPECT_EQ(text_of(store->read(sha256, 8, 100)), "89");
    EXPECT_EQ(text_of(store->read(sha256, 10, 1)), "");
    EXPECT_EQ(text_of(store->read(sha256, UINT64_MAX, UINT64_MAX)), "");
}

TEST(FolderStoreTest, NoNameLeadsOutOfIt) {
    const TestFolder folder;
    const auto store = open_store(folder);
    std::ofstream(folder.path() / "outside") << "outside";
    for (const std::string name :
         {"",
          "..",
          "../outside",
          "../../../../etc/passwd",
          "ab/../../outside",
          "ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789"}) {
        EXPECT_EQ(store->info(name).error().kind, ErrorKind::kInvalidArgument) << name;
        EXPECT_EQ(store->read(name, 0, 9).error().kind, ErrorKind::kInvalidArgument) << name;
        EXPECT_EQ(store->touch(name).error().kind, ErrorKind::kInvalidArgument) << name;
        EXPECT_EQ(store->remove(name).error().kind, ErrorKind::kInvalidArgument) << name;
        if (!name.empty()) {
            EXPECT_EQ(store->create(name, 1, "").error().kind, ErrorKind::kInvalidArgument);
        }
    }
    EXPECT_FALSE(store->create("", 1, "text/html\r\nX: y"));
}

TEST(FolderStoreTest, FollowsNoLinksThatSomebodyPutInside) {
    const TestFolder folder;
    const auto store = open_store(folder);
    std::ofstream(folder.path() / "outside") << "outside";
    const std::string sha256 = hash_of("outside");
    fs::create_directories(file_of(folder, sha256).parent_path());
    fs::create_symlink(folder.path() / "outside", file_of(folder, sha256));
    EXPECT_FALSE(store->read(sha256, 0, 9));
    EXPECT_FALSE(store->info(sha256));
}

TEST(FolderStoreTest, RemovingIsIdempotentAndGivesTheRoomBack) {
    const TestFolder folder;
    const auto store = open_store(folder);
    ASSERT_TRUE(store->put(as_bytes("gone"), "text/plain"));
    EXPECT_TRUE(store->remove(hash_of("gone")));
    EXPECT_TRUE(store->remove(hash_of("gone")));
    EXPECT_EQ(store->info(hash_of("gone")).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(store->account().used, 0U);
    EXPECT_EQ(files_below(folder.path()), 0U);
}

TEST(FolderStoreTest, ListsUntilItIsToldToStop) {
    const TestFolder folder;
    const auto store = open_store(folder);
    std::set<std::string> put;
    for (int i = 0; i < 5; ++i) {
        put.insert(store->put(as_bytes(std::to_string(i)), "text/plain")->sha256);
    }
    std::set<std::string> listed;
    ASSERT_TRUE(store->list([&listed](const ObjectInfo& info) {
        EXPECT_EQ(info.media_type, "text/plain");
        return listed.insert(info.sha256).second;
    }));
    EXPECT_EQ(listed, put);
    int seen = 0;
    ASSERT_TRUE(store->list([&seen](const ObjectInfo&) { return ++seen < 2; }));
    EXPECT_EQ(seen, 2);
}

TEST(FolderStoreTest, FindsADamagedObjectWhenItIsRead) {
    const TestFolder folder;
    const auto store = open_store(folder);
    ASSERT_TRUE(store->put(as_bytes("whole"), ""));
    std::ofstream(file_of(folder, hash_of("whole"))) << "wHole";
    EXPECT_EQ(store->get(hash_of("whole")).error().kind, ErrorKind::kCorrupt);
}

TEST(FolderStoreTest, VerifySetsDamagedObjectsAsideSoThatTheyCanBeStoredAnew) {
    const TestFolder folder;
    const auto store = open_store(folder);
    for (const char* text : {"good", "bad", "cut"}) {
        ASSERT_TRUE(store->put(as_bytes(text), "text/plain"));
    }
    std::ofstream(file_of(folder, hash_of("bad"))) << "bed";
    std::ofstream(file_of(folder, hash_of("cut"))) << "";
    fs::create_directories(folder.path() / "store" / "sha256" / "ab");
    std::ofstream(folder.path() / "store" / "sha256" / "ab" / "stranger") << "?";

    std::uint64_t told = 0;
    const auto report = store->verify([&told](const VerifyProgress& progress) {
        told = progress.objects;
        return true;
    });
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(told, 3U);
    EXPECT_EQ(report->seen.damaged, 2U);
    ASSERT_EQ(report->damaged.size(), 2U);
    EXPECT_THAT(report->damaged[0].reason, HasSubstr("its bytes have the SHA-256"));
    EXPECT_EQ(report->foreign, std::vector<std::string>{"sha256/ab/stranger"});
    EXPECT_TRUE(fs::exists(folder.path() / "store" / "damaged" / hash_of("bad")));
    EXPECT_EQ(store->info(hash_of("bad")).error().kind, ErrorKind::kNotFound);
    ASSERT_TRUE(store->put(as_bytes("bad"), ""));
    EXPECT_EQ(text_of(store->get(hash_of("bad"))), "bad");
    EXPECT_EQ(store->verify([](const VerifyProgress&) { return true; })->seen.damaged, 0U);
}

TEST(FolderStoreTest, AnObjectOfTheWrongLengthIsReplacedWhenItIsStoredAgain) {
    const TestFolder folder;
    const auto store = open_store(folder);
    ASSERT_TRUE(store->put(as_bytes("whole"), ""));
    fs::resize_file(file_of(folder, hash_of("whole")), 2);
    const auto writer = store->create("", 5, "");
    ASSERT_TRUE((*writer)->write(as_bytes("whole")));
    ASSERT_TRUE((*writer)->finish());
    EXPECT_EQ(text_of(store->get(hash_of("whole"))), "whole");

    fs::resize_file(file_of(folder, hash_of("whole")), 2);
    EXPECT_EQ(store->put(as_bytes("whole"), "").error().kind, ErrorKind::kUnavailable);
    ASSERT_TRUE(store->put(as_bytes("whole"), ""));
    EXPECT_EQ(text_of(store->get(hash_of("whole"))), "whole");
}

TEST(FolderStoreTest, SweepTakesOldOrphansOnly) {
    const TestFolder folder;
    HandClock clock;
    const auto store = open_store(folder, {}, clock);
    const std::string referenced = store->put(as_bytes("referenced"), "")->sha256;
    const std::string orphan = store->put(as_bytes("orphan"), "text/plain")->sha256;
    const std::string touched = store->put(as_bytes("touched"), "")->sha256;
    const std::string stored_again = store->put(as_bytes("stored again"), "")->sha256;
    clock.pass(std::chrono::hours(2));
    const std::string young = store->put(as_bytes("young"), "")->sha256;
    ASSERT_TRUE(store->touch(touched));
    ASSERT_TRUE(store->put(as_bytes("stored again"), ""));

    const auto report = store->sweep({referenced}, std::chrono::hours(1));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->objects, 1U);
    EXPECT_EQ(report->bytes, 6U);
    EXPECT_FALSE(store->info(orphan));
    for (const std::string& kept : {referenced, touched, stored_again, young}) {
        EXPECT_TRUE(store->info(kept));
    }
    EXPECT_EQ(files_below(folder.path()), 4U);
}

TEST(FolderStoreTest, RefusesBeforeTheBudgetIsPassedAndCountsRunningWriters) {
    const TestFolder folder;
    const auto store = open_store(folder, {.max_bytes = 10});
    ASSERT_TRUE(store->put(as_bytes("1234"), ""));
    const auto running = store->create("", 4, "");
    ASSERT_TRUE(running);
    const auto refused = store->create("", 3, "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kExhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("store.max_size"));
    EXPECT_TRUE(store->create("", 2, ""));
    EXPECT_FALSE(store->create("", UINT64_MAX, ""));
    ASSERT_TRUE(store->remove(hash_of("1234")));
    EXPECT_TRUE(store->create("", 6, ""));
}

TEST(FolderStoreTest, LeavesTheFreeRoomThatWasAskedFor) {
    const TestFolder folder;
    const auto store = open_store(folder, {.min_free_bytes = UINT64_MAX / 2});
    const auto refused = store->create("", 1, "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kExhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("store.min_free"));
}

/// The system refuses to let files grow, as it does on a full disk.
class SmallFiles {
  public:
    explicit SmallFiles(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit small = before_;
        small.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallFiles() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, handler_);
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;

  private:
    rlimit before_{};
    sighandler_t handler_;
};

TEST(FolderStoreTest, ADiskThatTakesNoMoreLeavesNothingBehind) {
    const TestFolder folder;
    const auto store = open_store(folder);
    const std::string big(100'000, 'b');
    {
        const SmallFiles limit(4096);
        const auto put = store->put(as_bytes(big), "");
        ASSERT_FALSE(put);
        EXPECT_EQ(put.error().kind, ErrorKind::kExhausted);
    }
    EXPECT_EQ(files_below(folder.path()), 0U);
    EXPECT_EQ(store->account().reserved, 0U);
    EXPECT_TRUE(store->put(as_bytes(big), ""));
}

TEST(FolderStoreTest, ClearsWhatDeadWritersLeftAndNotWhatLivingOnesWrite) {
    const TestFolder folder;
    const auto living = open_store(folder);
    const auto writer = living->create("", 10, "");
    ASSERT_TRUE((*writer)->write(as_bytes("alive")));
    fs::create_directory(folder.path() / "store" / "tmp" / "dead");
    std::ofstream(folder.path() / "store" / "tmp" / "dead" / "7") << "half";

    const auto second = open_store(folder);
    EXPECT_FALSE(fs::exists(folder.path() / "store" / "tmp" / "dead"));
    ASSERT_TRUE((*writer)->finish());
    EXPECT_EQ(text_of(second->get(hash_of("alive"))), "alive");
}

TEST(FolderStoreTest, SaysWhatItCannotOpen) {
    const TestFolder folder;
    std::ofstream(folder.path() / "file") << "";
    const auto store = FolderStore::open(folder.path() / "file", {});
    ASSERT_FALSE(store);
    EXPECT_THAT(store.error().message, HasSubstr((folder.path() / "file").string()));
}

TEST(FolderStoreTest, BehavesAsAMapFromHashToBytes) {
    enum class Operation { kPut, kRemove, kSweep, kReopen, kWait };
    const TestFolder folder;
    EXPECT_TRUE(rc::check([&folder] {
        HandClock clock;
        constexpr std::uint64_t kBudget = 30;
        auto store = open_store(folder, {.max_bytes = kBudget}, clock);
        RC_ASSERT(store->sweep({}, std::chrono::hours(-9)));
        struct Kept {
            std::string text;
            WallTime stored;
        };
        std::map<std::string, Kept> model;
        const auto used = [&model] {
            std::uint64_t bytes = 0;
            for (const auto& [sha256, kept] : model) {
                bytes += kept.text.size();
            }
            return bytes;
        };
        const auto operations =
            *rc::gen::container<std::vector<std::pair<Operation, unsigned>>>(rc::gen::pair(
                rc::gen::weightedElement<Operation>(
                    {{8, Operation::kPut},
                     {3, Operation::kRemove},
                     {1, Operation::kSweep},
                     {1, Operation::kReopen},
                     {2, Operation::kWait}}
                ),
                rc::gen::inRange(0U, 9U)
            ));
        for (const auto& [operation, number] : operations) {
            const std::string text(number, static_cast<char>('a' + number));
            switch (operation) {
                case Operation::kPut: {
                    const bool fits = model.contains(hash_of(text)) || used() + number <= kBudget;
                    RC_ASSERT(store->put(as_bytes(text), "text/plain").has_value() == fits);
                    if (fits) {
                        model[hash_of(text)] = {text, clock.wall()};
                    }
                    break;
                }
                case Operation::kRemove:
                    RC_ASSERT(store->remove(hash_of(text)));
                    model.erase(hash_of(text));
                    break;
                case Operation::kSweep:
                    RC_ASSERT(store->sweep({hash_of(text)}, std::chrono::seconds(5)));
                    std::erase_if(model, [&](const auto& entry) {
                        return entry.first != hash_of(text) &&
                               clock.wall() - entry.second.stored > std::chrono::seconds(5);
                    });
                    break;
                case Operation::kReopen:
                    store.reset();
                    store = open_store(folder, {.max_bytes = kBudget}, clock);
                    break;
                case Operation::kWait:
                    clock.pass(std::chrono::seconds(number));
                    break;
            }
            RC_ASSERT(store->account().used == used());
            RC_ASSERT(store->account().reserved == 0U);
        }
        std::map<std::string, std::string> listed;
        RC_ASSERT(store->list([&](const ObjectInfo& info) {
            listed[info.sha256] = text_of(store->get(info.sha256));
            return true;
        }));
        std::map<std::string, std::string> expected;
        for (const auto& [sha256, kept] : model) {
            expected[sha256] = kept.text;
        }
        RC_ASSERT(listed == expected);
    }));
}

}  // namespace
}  // namespace tessera
