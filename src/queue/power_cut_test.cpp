// The plug is pulled, the disk is full, the disk breaks: nothing that was answered is lost, and
// nothing is half-made.
#include "queue/conformance_test.h"
#include "queue/faulty_disk_test.h"
#include "queue/sqlite_task_queue.h"
#include "queue/temporary_folder_test.h"

#include <sqlite3.h>

#include <map>
#include <set>

namespace tessera {
namespace {

constexpr Duration kLease = std::chrono::seconds(30);

class PowerCut : public testing::Test {
  protected:
    [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "queue.db"; }

    [[nodiscard]] std::unique_ptr<SqliteTaskQueue> open(const FaultyDisk& disk) {
        SqliteQueueOptions options;
        options.path = path();
        options.background = false;
        options.checkpoint_pages = 40;  // so that power fails in checkpoints too
        options.vfs = disk.vfs();
        auto queue = SqliteTaskQueue::open(options, clock_, entropy_);
        EXPECT_TRUE(queue) << queue.error().message;
        return queue ? *std::move(queue) : nullptr;
    }
    [[nodiscard]] JobId new_id() { return {new_ulid(clock_.wall(), ids_)}; }

    TemporaryFolder folder_;
    ManualClock clock_;
    SeededEntropy entropy_{1};
    SeededEntropy ids_{2};
};

/// What was answered, and after how many steps of the disk.
struct Acknowledged {
    std::size_t step = 0;
    JobId job;
    bool is_done = false;
};

TEST_F(PowerCut, LosesNothingThatWasAnsweredAt500Moments) {
    FaultyDisk disk;
    std::vector<Acknowledged> acknowledged;
    {
        auto queue = open(disk);
        ASSERT_TRUE(queue);
        std::vector<JobId> waiting;
        for (int round = 0; round < 25; ++round) {
            clock_.advance(std::chrono::milliseconds(40));
            for (int i = 0; i < 3; ++i) {
                const JobId id = new_id();
                queue->enqueue(id, test_plan({{}, {0}}), [&, id](const Result<Enqueued>& done) {
                    ASSERT_TRUE(done);
                    acknowledged.push_back({disk.steps(), id, false});
                    waiting.push_back(id);
                });
            }
            std::vector<JobId> working;
            working.swap(waiting);
            for (const JobId& id : working) {
                for (const int index : {0, 1}) {
                    const TaskId task{id, index};
                    const auto claim = queue->claim(task, {"w1"}, kLease);
                    ASSERT_TRUE(claim);
                    if (round % 3 == 0) {
                        ASSERT_TRUE(queue->checkpoint(task, claim->epoch, test_checkpoint(1)));
                    }
                    queue->complete(
                        task,
                        claim->epoch,
                        test_result(),
                        [&, task](const Status& done) {
                            ASSERT_TRUE(done);
                            if (task.index == 1) {
                                acknowledged.push_back({disk.steps(), task.job, true});
                            }
                        }
                    );
                    queue->flush();
                }
            }
            queue->flush();
        }
    }
    const std::size_t steps = disk.steps();
    ASSERT_GT(steps, 500U);
    ASSERT_GT(acknowledged.size(), 140U);

    SeededEntropy luck(3);
    JobFilter all;
    all.limit = 1000;
    constexpr std::size_t kCuts = 500;
    for (std::size_t cut = 1; cut <= kCuts; ++cut) {
        const std::size_t moment = steps * cut / kCuts;
        // Every second cut loses all that was not synced, the others a part of it.
        const FaultyDisk after(disk.after_power_cut(moment, [&]() -> unsigned {
            return cut % 2 == 0 ? 1 : static_cast<unsigned>(luck.next() % 3);
        }));
        auto queue = open(after);
        ASSERT_TRUE(queue) << "cut after step " << moment;
        std::map<JobId, JobState> there;
        const auto jobs = queue->jobs(all);
        ASSERT_TRUE(jobs) << jobs.error().message;
        for (const JobView& job : *jobs) {
            there[job.id] = job.state;
        }
        const Acknowledged* last_done = nullptr;
        for (const Acknowledged& answer : acknowledged) {
            if (answer.step > moment) {
                break;
            }
            ASSERT_TRUE(there.contains(answer.job)) << "lost by a cut after step " << moment;
            if (answer.is_done) {
                ASSERT_EQ(there[answer.job], JobState::kDone) << "undone after step " << moment;
                last_done = &answer;
            }
        }
        if (last_done != nullptr) {
            ASSERT_EQ(queue->job(last_done->job)->tasks[1].result, test_result());
        }
    }
}

/// Every change of the disk fails once, each in a run of its own.
class BrokenDisk : public PowerCut, public testing::WithParamInterface<int> {};

TEST_P(BrokenDisk, AnswersWithTheReasonAndLosesNothing) {
    for (std::size_t broken = 0; broken < 25; ++broken) {
        FaultyDisk disk;
        auto queue = open(disk);
        ASSERT_TRUE(queue);
        std::size_t failures = 0;
        std::set<JobId> there;
        std::set<JobId> refused;
        const auto enqueue = [&](const JobPlan& plan) {
            const JobId id = new_id();
            queue->enqueue(id, plan, [&, id](const Result<Enqueued>& done) {
                if (done) {
                    there.insert(id);
                } else {
                    EXPECT_EQ(done.error().kind, ErrorKind::kUnavailable) << done.error().message;
                    refused.insert(id);
                }
            });
            return id;
        };
        const JobId first = enqueue(test_plan({{}, {0}}));
        queue->flush();
        ASSERT_TRUE(there.contains(first));
        const auto claim = queue->claim({first, 0}, {"w1"}, kLease);
        ASSERT_TRUE(claim);

        disk.on_change([&](std::size_t change) {
            failures += change == broken ? 1 : 0;
            return change == broken ? GetParam() : SQLITE_OK;
        });
        std::vector<QueueEvent::Kind> heard;
        const auto handle =
            queue->watch([&](const QueueEvent& event) { heard.push_back(event.kind); });
        Status completed;
        for (int i = 0; i < 3; ++i) {
            enqueue(test_pictures(20));
        }
        queue->complete({first, 0}, claim->epoch, test_result(), [&](const Status& done) {
            completed = done;
        });
        queue->flush();
        if (!completed) {
            EXPECT_EQ(completed.error().kind, ErrorKind::kUnavailable);
            EXPECT_EQ(refused.size(), 3U) << "they were one transaction";
            EXPECT_EQ(queue->job(first)->tasks[0].state, TaskState::kRunning);
            EXPECT_EQ(queue->counts("").ready, 0U);
            EXPECT_EQ(queue->counts("").blocked, 1U);
            EXPECT_EQ(std::ranges::count(heard, QueueEvent::Kind::kTaskDone), 0);
            queue->complete({first, 0}, claim->epoch, test_result(), [&](const Status& done) {
                completed = done;
            });
            queue->flush();
        }
        EXPECT_TRUE(completed) << "the disk is well again";
        EXPECT_EQ(std::ranges::count(heard, QueueEvent::Kind::kTaskDone), 1);
        EXPECT_EQ(queue->job(first)->tasks[1].state, TaskState::kReady);
        for (const JobId& id : refused) {
            EXPECT_FALSE(queue->job(id)) << "half-made";
        }
        queue.reset();
        queue = open(disk);
        ASSERT_TRUE(queue);
        for (const JobId& id : there) {
            EXPECT_TRUE(queue->job(id));
        }
        EXPECT_EQ(queue->job(first)->tasks[0].state, TaskState::kDone);
        if (failures == 0) {
            EXPECT_GT(broken, 5U);
            return;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Disk,
    BrokenDisk,
    testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE),
    [](const auto& error) { return error.param == SQLITE_FULL ? "IsFull" : "Breaks"; }
);

TEST_F(PowerCut, AFullDiskRefusesJobsAndStillShowsThem) {
    FaultyDisk disk;
    auto queue = open(disk);
    ASSERT_TRUE(queue);
    const JobId id = new_id();
    queue->enqueue(id, test_plan(), [](const Result<Enqueued>& done) { ASSERT_TRUE(done); });
    queue->flush();
    bool is_full = true;
    disk.on_change([&](std::size_t /*change*/) { return is_full ? SQLITE_FULL : SQLITE_OK; });
    std::string reason;
    for (int i = 0; i < 3; ++i) {
        queue->enqueue(new_id(), test_plan(), [&](const Result<Enqueued>& done) {
            ASSERT_FALSE(done);
            EXPECT_EQ(done.error().kind, ErrorKind::kUnavailable);
            reason = done.error().message;
        });
        queue->flush();
    }
    EXPECT_THAT(reason, testing::HasSubstr("full"));
    EXPECT_TRUE(queue->job(id));
    EXPECT_EQ(queue->jobs({})->size(), 1U);
    const auto claim = queue->claim({id, 0}, {"w1"}, kLease);
    ASSERT_TRUE(claim);
    queue->flush();
    // A lease that runs out cannot be written either; it is tried again.
    clock_.advance(kLease);
    queue->tick();
    queue->flush();
    EXPECT_EQ(queue->job(id)->tasks[0].state, TaskState::kRunning);
    is_full = false;
    queue->tick();
    queue->flush();
    EXPECT_EQ(queue->job(id)->tasks[0].state, TaskState::kReady);
    queue->enqueue(new_id(), test_plan(), [](const Result<Enqueued>& done) { EXPECT_TRUE(done); });
    queue->flush();
    EXPECT_EQ(queue->jobs({})->size(), 2U);
}

TEST_F(PowerCut, ATaskIsOfferedAgainWhenItsCancellationCouldNotBeWritten) {
    FaultyDisk disk;
    auto queue = open(disk);
    ASSERT_TRUE(queue);
    const JobId id = new_id();
    queue->enqueue(id, test_plan(), [](const Result<Enqueued>& done) { ASSERT_TRUE(done); });
    queue->flush();
    disk.on_change([&](std::size_t change) { return change == 0 ? SQLITE_IOERR_WRITE : SQLITE_OK; }
    );
    std::vector<QueueEvent::Kind> heard;
    const auto handle = queue->watch([&](const QueueEvent& event) { heard.push_back(event.kind); });
    queue->cancel(id, [](const Status& done) { EXPECT_FALSE(done); });
    queue->flush();
    EXPECT_THAT(
        heard, testing::ElementsAre(QueueEvent::Kind::kTaskReady, QueueEvent::Kind::kTaskReady)
    );
    EXPECT_TRUE(queue->claim({id, 0}, {"w1"}, kLease));
}

}  // namespace
}  // namespace tessera
