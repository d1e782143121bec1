#include "storage/folder_store.h"
#include "storage/store_folder_test.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <set>

namespace tessera {
namespace {

namespace fs = std::filesystem;

/// Stores object after object, saying each hash on the pipe once it is stored, until it is killed.
[[noreturn]] void store_until_killed(const TestFolder& folder, int pipe, int round) {
    const auto store = open_store(folder);
    for (int i = 0;; ++i) {
        std::string text = fmt::format("object {} of round {} ", i, round);
        text.resize(static_cast<std::size_t>(1000 + 7919 * (i % 11)), 'x');
        const auto writer = store->create("", text.size(), i % 2 == 0 ? "text/plain" : "");
        const ByteView bytes = as_bytes(text);
        for (std::size_t at = 0; at < bytes.size(); at += 4096) {
            if (!(*writer)->write(bytes.subspan(at, std::min<std::size_t>(4096, bytes.size() - at))
                )) {
                ::_exit(1);
            }
        }
        const auto stored = (*writer)->finish();
        if (!stored || ::write(pipe, stored->sha256.data(), stored->sha256.size()) != 64) {
            ::_exit(1);
        }
    }
}

/// All that is said on the pipe while it is open, but kills the child after `objects` hashes and
/// `pause` more microseconds.
std::set<std::string> kill_after(pid_t child, int pipe, std::size_t objects, useconds_t pause) {
    std::set<std::string> told;
    std::array<char, 64> hash{};
    while (::read(pipe, hash.data(), hash.size()) == static_cast<ssize_t>(hash.size())) {
        told.emplace(hash.data(), hash.size());
        if (told.size() == objects) {
            ::usleep(pause);  // into the middle of the next ones
            ::kill(child, SIGKILL);
        }
    }
    return told;
}

TEST(FolderStoreCrashTest, KilledWritersLoseNothingThatWasStoredAndShowNothingHalf) {
    const TestFolder folder;
    std::set<std::string> told;
    constexpr int kRounds = 25;
    for (int round = 0; round < kRounds; ++round) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(pipe[0]);
            store_until_killed(folder, pipe[1], round);
        }
        ::close(pipe[1]);
        const auto objects = static_cast<std::size_t>(1 + round % 4);
        told.merge(kill_after(child, pipe[0], objects, static_cast<useconds_t>(round * 137)));
        ::close(pipe[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
    }

    const auto store = open_store(folder);
    const auto report = store->verify([](const VerifyProgress&) { return true; });
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->damaged.empty());
    EXPECT_TRUE(report->foreign.empty());
    EXPECT_GE(told.size(), static_cast<std::size_t>(kRounds));
    EXPECT_GE(report->seen.objects, told.size());
    for (const std::string& sha256 : told) {
        EXPECT_TRUE(store->info(sha256)) << sha256;
    }
    std::size_t folders = 0;
    for (const auto& entry : fs::directory_iterator(folder.path() / "store" / "tmp")) {
        folders += 1;
        EXPECT_TRUE(fs::is_empty(entry));
    }
    EXPECT_EQ(folders, 1U) << "only the living store's own";
}

}  // namespace
}  // namespace tessera
