#include "queue/sqlite_task_queue.h"

#include "queue/conformance_test.h"
#include "queue/temporary_folder_test.h"

#include <filesystem>

namespace tessera {
namespace {

namespace fs = std::filesystem;

class SqliteUnderTest final : public QueueUnderTest {
  public:
    SqliteUnderTest(bool background, const Clock& clock, Entropy& entropy)
        : background_(background), clock_(clock), entropy_(entropy) {
        open();
    }

    TaskQueue& queue() override { return *queue_; }
    void restart() override {
        queue_->flush();
        queue_.reset();
        open();
    }
    void crash() override {
        // What a killed process leaves: both files as they are, without an orderly end.
        const fs::path copy = folder_.path() / "copy";
        for (const char* const suffix : {"", "-wal"}) {
            fs::copy_file(
                path().string() + suffix,
                copy.string() + suffix,
                fs::copy_options::overwrite_existing
            );
        }
        queue_.reset();
        for (const char* const suffix : {"", "-wal"}) {
            fs::rename(copy.string() + suffix, path().string() + suffix);
        }
        open();
    }

  private:
    [[nodiscard]] fs::path path() const { return folder_.path() / "queue.db"; }
    void open() {
        SqliteQueueOptions options;
        options.path = path();
        options.background = background_;
        options.longest_unwritten = std::chrono::hours(1);  // tests say when, by `flush`
        queue_ = SqliteTaskQueue::open(options, clock_, entropy_).value();
    }

    TemporaryFolder folder_;
    bool background_;
    const Clock& clock_;
    Entropy& entropy_;
    std::unique_ptr<SqliteTaskQueue> queue_;
};

BackEnd sqlite(std::string name, bool background) {
    return {std::move(name), [background](const Clock& clock, Entropy& entropy) {
                return std::make_unique<SqliteUnderTest>(background, clock, entropy);
            }};
}

/// What others do and see while a commit is under way: an admission is asked in the middle of one.
class DuringCommit : public testing::Test {
  protected:
    DuringCommit() {
        SqliteQueueOptions options;
        options.path = folder_.path() / "queue.db";
        options.background = false;
        options.retry.first_pause = std::chrono::milliseconds(2);
        queue_ = SqliteTaskQueue::open(options, clock_, entropy_).value();
        queue_->enqueue(kJob, test_plan(), [](const auto& done) { EXPECT_TRUE(done); });
        queue_->flush();
    }
    Claim claimed() { return queue_->claim({kJob, 0}, {"w1"}, std::chrono::seconds(30)).value(); }
    /// Commits what was asked for; `meanwhile` is called before it is durable.
    void commit(const std::function<void()>& meanwhile) {
        bool was_asked = false;
        queue_->enqueue(
            {"01jd8k7v3zq4m5n6p7r8s9t0w2"},
            test_plan(),
            [](const auto& done) { EXPECT_TRUE(done); },
            [&](const QueueCounts&) {
                was_asked = true;
                meanwhile();
                return Status();
            }
        );
        queue_->flush();
        EXPECT_TRUE(was_asked);
    }

    const JobId kJob{"01jd8k7v3zq4m5n6p7r8s9t0w1"};
    TemporaryFolder folder_;
    ManualClock clock_;
    SeededEntropy entropy_{1};
    std::unique_ptr<SqliteTaskQueue> queue_;
};

TEST_F(DuringCommit, NobodySeesAnEndThatIsNotDurable) {
    const Claim claim = claimed();
    queue_->complete(claim.task, claim.epoch, test_result(), [](const auto& done) {
        EXPECT_TRUE(done);
    });
    commit([&] {
        const JobView seen = queue_->job(kJob).value();
        EXPECT_EQ(seen.state, JobState::kRunning);
        EXPECT_EQ(seen.tasks.front().state, TaskState::kRunning);
        JobFilter done;
        done.state = JobState::kDone;
        EXPECT_TRUE(queue_->jobs(done)->empty());
    });
    const JobView seen = queue_->job(kJob).value();
    EXPECT_EQ(seen.state, JobState::kDone);
    EXPECT_TRUE(seen.tasks.front().result);
}

TEST_F(DuringCommit, APauseThatEndsMeanwhileIsNotForgotten) {
    const Claim claim = claimed();
    queue_->fail(claim.task, claim.epoch, own_failure(), [](const auto& done) {
        EXPECT_TRUE(done);
    });
    commit([&] {
        clock_.advance(std::chrono::seconds(1));
        (void)queue_->tick();
    });
    (void)queue_->tick();
    EXPECT_EQ(queue_->job(kJob)->tasks.front().state, TaskState::kReady);
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite,
    QueueConformance,
    testing::Values(sqlite("Threads", true), sqlite("Flushed", false)),
    back_end_name
);

}  // namespace
}  // namespace tessera
