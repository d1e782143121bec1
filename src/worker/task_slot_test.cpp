#include "worker/task_slot.h"

#include "worker/manual_clock_test.h"

#include <gmock/gmock.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <utility>

namespace tessera {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Duration kPatience = seconds(60);
constexpr Duration kMoment = milliseconds(1);

/// Runs what a test says.
class Runner final : public TaskRunner {
  public:
    using Work = std::function<Result<TaskResult>(TaskContext&, const std::stop_token&)>;
    explicit Runner(Work work) : work_(std::move(work)) {}

    Result<TaskResult> run(
        const AssignTask& /*task*/, TaskContext& context, const std::stop_token& stop
    ) override {
        return work_(context, stop);
    }
    std::vector<ModelOffer> models() const override { return {}; }
    std::string fingerprint() const override { return {}; }

  private:
    const Work work_;
};

/// A store that does what a test says.
class Objects final : public TaskObjects {
  public:
    Result<Bytes> fetch(
        const ObjectRef& /*object*/, const std::string& /*token*/, const std::stop_token& /*stop*/
    ) override {
        meanwhile();
        return Bytes{};
    }
    Result<ObjectRef> store(
        ByteView bytes,
        const std::string& media_type,
        const std::string& /*token*/,
        const std::stop_token& /*stop*/
    ) override {
        meanwhile();
        if (is_full) {
            return fail(ErrorKind::kUnavailable, "the disk is full");
        }
        return ObjectRef{"hash", bytes.size(), media_type};
    }

    std::function<void()> meanwhile = [] {};
    bool is_full = false;
};

class TaskSlotTest : public testing::Test {
  protected:
    TaskSlot slot(CheckpointPolicy policy = {}) {
        SlotEvents events;
        events.on_progress = [](const TaskProgress&) {};
        events.on_preview = [this](const std::string&) { ++previews_; };
        events.on_checkpoint = [this](const TaskCheckpoint&) { ++checkpoints_; };
        events.on_log = [](const AssignTask&, const std::string&) {};
        return TaskSlot({}, objects_, clock_, policy, std::move(events));
    }
    [[nodiscard]] Duration stuck_for(const TaskSlot& slot) const {
        return slot.stuck_for(clock_.now(), kPatience);
    }
    TaskFailure failure_of(const Runner::Work& work) {
        TaskSlot failing = slot();
        Runner runner(work);
        const auto result = failing.run(runner);
        EXPECT_FALSE(result);
        return result ? TaskFailure{} : result.error();
    }
    TaskFailure failure_of(ErrorKind kind) {
        return failure_of([kind](TaskContext&, const std::stop_token&) {
            return Result<TaskResult>(fail(kind, "why it failed"));
        });
    }

    ManualClock clock_;
    Objects objects_;
    int previews_ = 0;
    int checkpoints_ = 0;
};

TEST_F(TaskSlotTest, WhatWouldFailAnywhereIsFinal) {
    for (const ErrorKind kind :
         {ErrorKind::kInvalidArgument, ErrorKind::kCorrupt, ErrorKind::kUnsupported}) {
        const TaskFailure failure = failure_of(kind);
        EXPECT_EQ(failure.fault, FaultKind::kTask) << to_string(kind);
        EXPECT_FALSE(failure.retryable) << to_string(kind);
    }
}

TEST_F(TaskSlotTest, WhatAnotherWorkerMayHaveIsTriedAgain) {
    for (const ErrorKind kind :
         {ErrorKind::kNotFound, ErrorKind::kConflict, ErrorKind::kInternal}) {
        const TaskFailure failure = failure_of(kind);
        EXPECT_EQ(failure.fault, FaultKind::kTask) << to_string(kind);
        EXPECT_TRUE(failure.retryable) << to_string(kind);
    }
}

TEST_F(TaskSlotTest, WhatTheMachineLacksIsNoFaultOfTheTask) {
    for (const ErrorKind kind :
         {ErrorKind::kUnavailable, ErrorKind::kExhausted, ErrorKind::kCancelled}) {
        const TaskFailure failure = failure_of(kind);
        EXPECT_EQ(failure.fault, FaultKind::kInfrastructure) << to_string(kind);
        EXPECT_TRUE(failure.retryable) << to_string(kind);
    }
    const auto starving = [](TaskContext&, const std::stop_token&) -> Result<TaskResult> {
        throw std::bad_alloc();
    };
    EXPECT_EQ(failure_of(starving).fault, FaultKind::kInfrastructure);
}

TEST_F(TaskSlotTest, AnExceptionIsAFailureWithItsWordsAndTheLog) {
    const TaskFailure failure =
        failure_of([](TaskContext& context, const std::stop_token&) -> Result<TaskResult> {
            context.log("at step 3");
            throw std::runtime_error("no such kernel");
        });
    EXPECT_THAT(failure.message, HasSubstr("no such kernel"));
    EXPECT_THAT(failure.log, HasSubstr("at step 3\n"));
    EXPECT_THAT(failure.log, HasSubstr("no such kernel\n"));
}

TEST_F(TaskSlotTest, IsStuckWhenNothingMovesForTooLong) {
    TaskSlot rendering = slot();
    rendering.expect_step(1.0);
    clock_.advance(kPatience);
    EXPECT_EQ(stuck_for(rendering), Duration::zero());
    clock_.advance(kMoment);
    EXPECT_EQ(stuck_for(rendering), kPatience + kMoment);
    rendering.progress({1, 20, "step"});
    EXPECT_EQ(stuck_for(rendering), Duration::zero());
}

TEST_F(TaskSlotTest, LongStepsMayTakeTenTimesAsLong) {
    TaskSlot rendering = slot();
    rendering.expect_step(100.0);
    clock_.advance(seconds(1000));
    EXPECT_EQ(stuck_for(rendering), Duration::zero());
    clock_.advance(kMoment);
    EXPECT_GT(stuck_for(rendering), Duration::zero());
}

TEST_F(TaskSlotTest, AModelMayBeReadFromASlowDiskBeforeTheFirstStep) {
    const TaskSlot rendering = slot();
    clock_.advance(kPatience * 10);
    EXPECT_EQ(stuck_for(rendering), Duration::zero());
    clock_.advance(kMoment);
    EXPECT_GT(stuck_for(rendering), Duration::zero());
}

TEST_F(TaskSlotTest, IsNotStuckWhileBytesAreOnTheirWay) {
    TaskSlot rendering = slot();
    rendering.expect_step(1.0);
    int looks = 0;
    objects_.meanwhile = [&] {
        clock_.advance(kPatience * 100);
        EXPECT_EQ(stuck_for(rendering), Duration::zero());
        ++looks;
    };
    ASSERT_TRUE(rendering.fetch({}));
    ASSERT_TRUE(rendering.store({}, "image/png"));
    EXPECT_EQ(looks, 2);
    EXPECT_EQ(stuck_for(rendering), Duration::zero()) << "it has just moved";
    clock_.advance(kPatience + kMoment);
    EXPECT_GT(stuck_for(rendering), Duration::zero());
}

TEST_F(TaskSlotTest, WantsACheckpointAfterAShareOfTheRender) {
    TaskSlot rendering = slot({seconds(2), 0.1});
    rendering.progress({1, 40, "step"});
    EXPECT_FALSE(rendering.wants_checkpoint());
    clock_.advance(seconds(10));
    rendering.progress({2, 40, "step"});
    EXPECT_FALSE(rendering.wants_checkpoint()) << "a tenth of 400 s";
    clock_.advance(seconds(30));
    rendering.progress({5, 40, "step"});
    EXPECT_TRUE(rendering.wants_checkpoint());
    rendering.checkpoint({}, 5, "engine");
    EXPECT_EQ(checkpoints_, 1);
    EXPECT_FALSE(rendering.wants_checkpoint());
}

TEST_F(TaskSlotTest, WantsNoCheckpointMoreOftenThanTheShortestPause) {
    TaskSlot rendering = slot({seconds(2), 0.1});
    clock_.advance(seconds(2) - kMoment);
    rendering.progress({1, 10, "step"});
    EXPECT_FALSE(rendering.wants_checkpoint());
    clock_.advance(kMoment);
    rendering.progress({2, 10, "step"});
    EXPECT_TRUE(rendering.wants_checkpoint());
}

TEST_F(TaskSlotTest, WantsACheckpointAtEveryStepWhenToldSo) {
    TaskSlot rendering = slot({Duration::zero(), 0.0});
    rendering.checkpoint({}, 1, "engine");
    EXPECT_TRUE(rendering.wants_checkpoint());
}

TEST_F(TaskSlotTest, ACheckpointThatCannotBeKeptIsLoggedAndNotTold) {
    TaskSlot rendering = slot();
    objects_.is_full = true;
    rendering.checkpoint({}, 5, "engine");
    EXPECT_EQ(checkpoints_, 0);
    EXPECT_THAT(rendering.log_text(), HasSubstr("the disk is full"));
}

TEST_F(TaskSlotTest, PreviewsPauseAndStaySmall) {
    TaskSlot rendering = slot();
    EXPECT_TRUE(rendering.wants_preview());
    rendering.preview("jpeg");
    EXPECT_FALSE(rendering.wants_preview());
    clock_.advance(milliseconds(400));
    EXPECT_TRUE(rendering.wants_preview());
    rendering.preview(std::string(kMaxPreviewBytes + 1, 'x'));
    EXPECT_EQ(previews_, 1);
}

TEST_F(TaskSlotTest, TheLogKeepsItsLastLinesWhole) {
    TaskSlot rendering = slot();
    for (int i = 0; i < 2000; ++i) {
        rendering.log(fmt::format("line {}", i));
    }
    const std::string log = rendering.log_text();
    EXPECT_LE(log.size(), 16U << 10U);
    EXPECT_GT(log.size(), 15U << 10U);
    EXPECT_TRUE(log.ends_with("line 1999\n"));
    EXPECT_THAT(log, Not(HasSubstr("line 0\n")));
    EXPECT_TRUE(log.starts_with("1970-")) << "each begins with its time";
}

TEST_F(TaskSlotTest, ALineLongerThanTheLogIsCut) {
    TaskSlot rendering = slot();
    rendering.log(std::string(100'000, 'x'));
    EXPECT_LE(rendering.log_text().size(), 16U << 10U);
    EXPECT_THAT(rendering.log_text(), Not(IsEmpty()));
}

}  // namespace
}  // namespace tessera
