#pragma once

#include "base/entropy.h"
#include "queue/manual_clock_test.h"
#include "queue/plans_test.h"
#include "queue/task_queue.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

/// A back end under test, in a world of its own.
class QueueUnderTest {
  public:
    virtual ~QueueUnderTest() = default;
    [[nodiscard]] virtual TaskQueue& queue() = 0;
    /// Ends it in order and begins a new incarnation.
    virtual void restart() = 0;
    /// The same, but as if the process had been killed: only what is durable is there again.
    virtual void crash() = 0;
};

struct BackEnd {
    std::string name;
    /// Leases of an earlier incarnation are to be honoured for kGrace; pauses as in RetryPolicy.
    std::function<std::unique_ptr<QueueUnderTest>(const Clock& clock, Entropy& entropy)> make;
};

/// Everything that task_queue.h and docs/queue.md promise, for any back end:
///     INSTANTIATE_TEST_SUITE_P(Mine, QueueConformance, testing::Values(BackEnd{...}),
///     back_end_name);
class QueueConformance : public ::testing::TestWithParam<BackEnd> {
  protected:
    static constexpr Duration kLease = std::chrono::seconds(30);
    static constexpr Duration kGrace = std::chrono::seconds(30);
    static constexpr Duration kLongestPause = std::chrono::minutes(5);

    void SetUp() override {
        world_ = GetParam().make(clock_, entropy_);
        ASSERT_NE(world_, nullptr);
    }
    void TearDown() override {
        handle_.reset();
        world_.reset();
    }

    [[nodiscard]] TaskQueue& queue() { return world_->queue(); }
    void restart() {
        handle_.reset();
        world_->restart();
    }
    void crash() {
        handle_.reset();
        world_->crash();
    }

    [[nodiscard]] JobId new_id() {
        clock_.advance(std::chrono::milliseconds(1));
        return {new_ulid(clock_.wall(), ids_)};
    }

    /// Calls something that answers later, and waits for its one answer.
    template <class T>
    Result<T> answer(const std::function<void(Done<T>)>& ask) {
        std::optional<Result<T>> answer;
        ask([&](Result<T> given) {
            EXPECT_FALSE(answer) << "answered twice";
            answer = std::move(given);
        });
        queue().flush();
        EXPECT_TRUE(answer) << "not answered";
        return answer ? *std::move(answer) : fail(ErrorKind::kInternal, "not answered");
    }
    Result<Enqueued> enqueue(const JobId& id, JobPlan plan) {
        return answer<Enqueued>([&](auto done) { queue().enqueue(id, std::move(plan), done); });
    }
    JobId enqueued(JobPlan plan = test_plan()) {
        const JobId id = new_id();
        const auto done = enqueue(id, std::move(plan));
        EXPECT_TRUE(done) << done.error().message;
        return id;
    }
    Status complete(const TaskId& task, Epoch epoch, const TaskResult& result = test_result()) {
        return answer<void>([&](auto done) { queue().complete(task, epoch, result, done); });
    }
    Status fail_task(const TaskId& task, Epoch epoch, const TaskFailure& failure) {
        return answer<void>([&](auto done) { queue().fail(task, epoch, failure, done); });
    }
    Status cancel(const JobId& job) {
        return answer<void>([&](auto done) { queue().cancel(job, done); });
    }
    Status retry(const JobId& job) {
        return answer<void>([&](auto done) { queue().retry(job, done); });
    }
    Status remove(const JobId& job) {
        return answer<void>([&](auto done) { queue().remove(job, done); });
    }
    Claim claimed(const TaskId& task, const std::string& worker = "w1") {
        auto claim = queue().claim(task, {worker}, kLease);
        EXPECT_TRUE(claim) << claim.error().message;
        return claim ? *std::move(claim) : Claim();
    }
    /// Lets all that is due happen.
    void tick() {
        queue().tick();
        queue().flush();
    }
    void pass(Duration time) {
        clock_.advance(time);
        tick();
    }
    /// Fails it once by its own fault, and waits until it can be claimed again.
    void fail_once(const TaskId& task, const std::string& worker = "w1") {
        const Claim claim = claimed(task, worker);
        EXPECT_TRUE(fail_task(task, claim.epoch, own_failure()));
        pass(kLongestPause);
    }
    void kill(const TaskId& task) {
        const Claim claim = claimed(task);
        TaskFailure failure = own_failure("its last words");
        failure.retryable = false;
        EXPECT_TRUE(fail_task(task, claim.epoch, failure));
    }

    [[nodiscard]] JobView view(const JobId& job) {
        const auto view = queue().job(job);
        EXPECT_TRUE(view) << view.error().message;
        return view.value_or(JobView());
    }
    [[nodiscard]] TaskView view(const TaskId& task) {
        return view(task.job).tasks.at(static_cast<std::size_t>(task.index));
    }
    [[nodiscard]] TaskState state(const TaskId& task) { return view(task).state; }
    [[nodiscard]] JobState state(const JobId& job) { return view(job).state; }

    void listen() {
        handle_ = queue().watch([this](const QueueEvent& event) {
            const std::lock_guard lock(mutex_);
            events_.push_back(event);
        });
        queue().flush();
    }
    /// What was heard since the last call.
    std::vector<QueueEvent> heard() {
        queue().flush();
        const std::lock_guard lock(mutex_);
        return std::exchange(events_, {});
    }
    std::vector<QueueEvent::Kind> kinds_heard() {
        std::vector<QueueEvent::Kind> kinds;
        for (const QueueEvent& event : heard()) {
            kinds.push_back(event.kind);
        }
        return kinds;
    }

    ManualClock clock_;
    SeededEntropy entropy_{1};
    SeededEntropy ids_{2};
    std::unique_ptr<QueueUnderTest> world_;
    std::shared_ptr<void> handle_;
    std::mutex mutex_;
    std::vector<QueueEvent> events_;
};

[[nodiscard]] inline std::string back_end_name(const testing::TestParamInfo<BackEnd>& info) {
    return info.param.name;
}

MATCHER_P(FailsWith, kind, std::string("fails with ") + to_string(kind)) {
    if (arg.has_value()) {
        *result_listener << "which succeeded";
        return false;
    }
    *result_listener << to_string(arg.error().kind) << ": " << arg.error().message;
    return arg.error().kind == kind;
}

}  // namespace tessera
