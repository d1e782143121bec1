// The file that a SQLite queue owns.
#include "queue/backup.h"
#include "queue/conformance_test.h"
#include "queue/schema.h"
#include "queue/sqlite_task_queue.h"
#include "queue/temporary_folder_test.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SqliteFile : public testing::Test {
  protected:
    [[nodiscard]] fs::path path() const { return folder_.path() / "queue.db"; }
    [[nodiscard]] SqliteQueueOptions options() const {
        SqliteQueueOptions options;
        options.path = path();
        return options;
    }
    [[nodiscard]] Result<std::unique_ptr<SqliteTaskQueue>> open() {
        return SqliteTaskQueue::open(options(), clock_, entropy_);
    }
    JobId enqueue(TaskQueue& queue, const JobPlan& plan = test_plan()) {
        clock_.advance(std::chrono::milliseconds(1));
        const JobId id{new_ulid(clock_.wall(), ids_)};
        queue.enqueue(id, plan, [](const Result<Enqueued>& done) { EXPECT_TRUE(done); });
        queue.flush();
        return id;
    }
    /// As another program might write to it.
    void run_sql(const fs::path& file, const std::string& sql) {
        sqlite3* connection = nullptr;
        ASSERT_EQ(sqlite3_open(file.c_str(), &connection), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(connection);
        sqlite3_close(connection);
    }

    TemporaryFolder folder_;
    ManualClock clock_;
    SeededEntropy entropy_{1};
    SeededEntropy ids_{2};
};

TEST_F(SqliteFile, BelongsToOneServer) {
    auto first = open();
    ASSERT_TRUE(first);
    const auto second = open();
    ASSERT_THAT(second, FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(second.error().message, HasSubstr("another server owns"));
    EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
    first->reset();
    EXPECT_TRUE(open());
}

TEST_F(SqliteFile, IsForItsOwnerAlone) {
    auto queue = open();
    ASSERT_TRUE(queue);
    enqueue(**queue);
    for (const char* const suffix : {"", "-wal", "-shm", ".owner"}) {
        struct stat info {};
        ASSERT_EQ(::stat((path().string() + suffix).c_str(), &info), 0) << suffix;
        EXPECT_EQ(info.st_mode & 0777U, 0600U) << suffix;
    }
}

TEST_F(SqliteFile, OfANewerTesseraIsRefused) {
    ASSERT_TRUE(open());
    run_sql(path(), fmt::format("PRAGMA user_version={}", schema_version() + 1));
    const auto refused = open();
    ASSERT_THAT(refused, FailsWith(ErrorKind::kUnsupported));
    EXPECT_THAT(refused.error().message, HasSubstr("newer Tessera"));
    EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(schema_version() + 1)));
}

TEST_F(SqliteFile, OfAnotherProgramIsRefused) {
    run_sql(path(), "CREATE TABLE notes (text)");
    EXPECT_THAT(open(), FailsWith(ErrorKind::kUnsupported));
    fs::remove(path());
    std::ofstream(path()) << std::string(5000, 'x');
    EXPECT_THAT(open(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(SqliteFile, ThatIsDamagedIsRefusedWithTheMend) {
    {
        auto queue = open();
        ASSERT_TRUE(queue);
        for (int i = 0; i < 50; ++i) {
            enqueue(**queue, test_pictures(30));
        }
    }
    {
        std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(5 * 4096);
        file << std::string(20 * 4096, '\x55');
    }
    const auto refused = open();
    ASSERT_THAT(refused, FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(refused.error().message, HasSubstr("restore a backup"));
}

TEST_F(SqliteFile, InAFolderThatIsNotThereIsSaidSo) {
    SqliteQueueOptions nowhere = options();
    nowhere.path = folder_.path() / "nothing" / "queue.db";
    const auto refused = SqliteTaskQueue::open(nowhere, clock_, entropy_);
    ASSERT_THAT(refused, FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(refused.error().message, HasSubstr("No such file or directory"));
}

TEST_F(SqliteFile, RecordsAClaimSoonThoughNobodyWaits) {
    SqliteQueueOptions quick = options();
    quick.longest_unwritten = std::chrono::milliseconds(1);
    auto queue = SqliteTaskQueue::open(quick, clock_, entropy_).value();
    const JobId id = enqueue(*queue);
    ASSERT_TRUE(queue->claim({id, 0}, {"w1"}, std::chrono::seconds(30)));
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &connection), SQLITE_OK);
    bool is_recorded = false;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_recorded && std::chrono::steady_clock::now() < end) {
        const auto note = [](void* found, int /*columns*/, char** /*values*/, char** /*names*/) {
            *static_cast<bool*>(found) = true;
            return 0;
        };
        sqlite3_exec(
            connection, "SELECT 1 FROM task WHERE worker='w1'", note, &is_recorded, nullptr
        );
    }
    sqlite3_close(connection);
    EXPECT_TRUE(is_recorded);
}

TEST_F(SqliteFile, ManyThreadsMayAskAtOnce) {
    auto queue = open().value();
    std::atomic<int> done = 0;
    std::atomic<int> ended = 0;
    std::mutex mutex;
    std::vector<TaskId> ready;
    const auto handle = queue->watch([&](const QueueEvent& event) {
        if (event.kind == QueueEvent::Kind::kTaskReady) {
            const std::lock_guard lock(mutex);
            ready.push_back(event.task);
        }
        ended += event.kind == QueueEvent::Kind::kJobEnded ? 1 : 0;
    });
    constexpr int kJobs = 40;
    const auto submit = [&](const std::string& name) {
        for (int i = 0; i < kJobs; ++i) {
            queue->enqueue(
                {name + std::to_string(i)},
                test_plan({{}, {0}}),
                [&](const Result<Enqueued>& answer) { done += answer ? 1 : 0; }
            );
        }
    };
    std::atomic<bool> is_over = false;
    const auto work = [&](const std::string& worker) {
        while (!is_over) {
            std::vector<TaskId> tasks;
            {
                const std::lock_guard lock(mutex);
                tasks.swap(ready);
            }
            for (const TaskId& task : tasks) {
                const auto claim = queue->claim(task, {worker}, std::chrono::seconds(30));
                ASSERT_TRUE(claim);
                ASSERT_EQ(
                    queue->renew({task, claim->epoch, {}}, std::chrono::seconds(30)),
                    RenewAnswer::kGoOn
                );
                queue->complete(task, claim->epoch, test_result(), [](const Status& answer) {
                    EXPECT_TRUE(answer);
                });
            }
            queue->tick();
            EXPECT_TRUE(queue->jobs({}));
            is_over = ended == 2 * kJobs;
        }
    };
    std::vector<std::thread> threads;
    threads.emplace_back(submit, "a");
    threads.emplace_back(submit, "b");
    threads.emplace_back(work, "w1");
    threads.emplace_back(work, "w2");
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(done, 2 * kJobs);
    EXPECT_EQ(queue->counts("").running + queue->counts("").ready, 0U);
}

TEST_F(SqliteFile, IsBackedUpWhileTheQueueWorks) {
    auto queue = open().value();
    const JobId kept = enqueue(*queue);
    const fs::path backup = folder_.path() / "backup.db";
    ASSERT_TRUE(queue->backup_to(backup));
    const JobId later = enqueue(*queue);
    const std::uint32_t incarnation = queue->incarnation();
    EXPECT_THAT(queue->backup_to(backup), FailsWith(ErrorKind::kConflict));
    queue.reset();

    const auto summary = inspect_backup(backup);
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(summary->jobs, 1);
    EXPECT_EQ(summary->live_jobs, 1);
    EXPECT_EQ(summary->schema, schema_version());
    EXPECT_EQ(summary->incarnation, incarnation);
    struct stat info {};
    ASSERT_EQ(::stat(backup.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);

    EXPECT_THAT(restore_backup(backup, path()), FailsWith(ErrorKind::kConflict));
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
        if (entry.path() != backup) {
            fs::remove(entry.path());
        }
    }
    const auto restored = restore_backup(backup, path());
    ASSERT_TRUE(restored) << restored.error().message;
    queue = open().value();
    EXPECT_TRUE(queue->job(kept));
    EXPECT_FALSE(queue->job(later));
    EXPECT_GT(queue->incarnation(), incarnation + 1000) << "epochs from after the backup are void";
}

TEST_F(SqliteFile, IsNotRestoredUnderAServerOrFromRubbish) {
    auto queue = open().value();
    const fs::path backup = folder_.path() / "backup.db";
    ASSERT_TRUE(queue->backup_to(backup));
    EXPECT_THAT(restore_backup(backup, path()), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(inspect_backup(folder_.path() / "none"), FailsWith(ErrorKind::kNotFound));
    std::ofstream(folder_.path() / "empty").close();
    EXPECT_THAT(inspect_backup(folder_.path() / "empty"), FailsWith(ErrorKind::kUnsupported));
    std::ofstream(folder_.path() / "rubbish") << std::string(9000, 'r');
    EXPECT_THAT(inspect_backup(folder_.path() / "rubbish"), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(SqliteFile, ClosingAnswersAllThatWasAsked) {
    int answered = 0;
    {
        auto queue = open().value();
        for (int i = 0; i < 600; ++i) {
            queue->enqueue(
                {"j" + std::to_string(i)},
                test_plan(),
                [&](const Result<Enqueued>& done) { answered += done ? 1 : 0; }
            );
        }
    }
    EXPECT_EQ(answered, 600);
    EXPECT_EQ(open().value()->counts("").ready, 600U);
}

TEST_F(SqliteFile, WithoutThreadsDestroyingItIsLikeACrash) {
    SqliteQueueOptions flushed = options();
    flushed.background = false;
    JobId id;
    {
        auto queue = SqliteTaskQueue::open(flushed, clock_, entropy_).value();
        id = enqueue(*queue);
        ASSERT_TRUE(queue->claim({id, 0}, {"w1"}, std::chrono::seconds(30)));
        queue->enqueue({"unflushed"}, test_plan(), [](const Result<Enqueued>& /*done*/) {
            ADD_FAILURE() << "answered";
        });
    }
    auto queue = SqliteTaskQueue::open(flushed, clock_, entropy_).value();
    EXPECT_EQ(queue->job(id)->tasks[0].state, TaskState::kReady);
    EXPECT_FALSE(queue->job({"unflushed"}));
}

}  // namespace
}  // namespace tessera
