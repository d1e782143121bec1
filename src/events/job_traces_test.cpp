#include "events/job_traces.h"

#include "base/entropy.h"
#include "events/queue_metrics.h"
#include "events/whole_trace_test.h"
#include "queue/manual_clock_test.h"
#include "queue/plans_test.h"
#include "queue/sqlite_task_queue.h"
#include "queue/temporary_folder_test.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Duration kLease = seconds(30);
constexpr const char* kCaller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const Span* find_span(const JobTrace& trace, const std::string& name) {
    const auto found = std::ranges::find(trace.trace.spans, name, &Span::name);
    return found == trace.trace.spans.end() ? nullptr : &*found;
}

std::string text_of(const Span& span, const std::string& key) {
    for (const auto& [name, value] : span.attributes) {
        if (name == key) {
            if (const auto* text = std::get_if<std::string>(&value)) {
                return *text;
            }
            return std::to_string(std::get<std::int64_t>(value));
        }
    }
    return {};
}

double seconds_in(const Span& span) {
    return std::chrono::duration<double>(*span.end - span.begin).count();
}

/// A queue that lives through restarts, whose events take some microseconds to be heard.
class JobTracesTest : public testing::Test {
  protected:
    JobTracesTest() { start(); }

    void start() {
        SqliteQueueOptions options;
        options.path = folder_.path() / "queue.db";
        options.background = false;
        queue_ = SqliteTaskQueue::open(options, clock_, entropy_).value();
        traces_ = std::make_unique<JobTraces>(
            clock_,
            unfinished_jobs(*queue_).value(),
            limits_,
            [this](std::shared_ptr<const JobHistory> life) { ended_.push_back(std::move(life)); }
        );
        watch_ = queue_->watch([this](const QueueEvent& event) {
            clock_.advance(Duration(entropy_.next() % 300));
            traces_->hear(event);
        });
        queue_->flush();
    }
    void restart(milliseconds away) {
        queue_->flush();
        watch_.reset();
        queue_.reset();
        clock_.advance(away);
        start();
    }
    void pass(Duration time) {
        clock_.advance(time);
        queue_->tick();
        queue_->flush();
    }

    JobId submit(JobPlan plan, milliseconds takes = milliseconds(7)) {
        const JobId id{new_ulid(clock_.wall(), entropy_)};
        clock_.advance(takes);
        queue_->enqueue(id, std::move(plan), [](const Result<Enqueued>& done) {
            EXPECT_TRUE(done.has_value());
        });
        queue_->flush();
        return id;
    }
    Claim claim(const TaskId& task, const std::string& worker = "w1") {
        auto claim = queue_->claim(task, {worker}, kLease);
        EXPECT_TRUE(claim.has_value());
        queue_->flush();
        return claim ? *std::move(claim) : Claim();
    }
    void complete(const Claim& claim, TaskResult result = test_result()) {
        queue_->complete(claim.task, claim.epoch, std::move(result), [](const Status&) {});
        queue_->flush();
    }
    void fail_task(const Claim& claim, TaskFailure failure) {
        queue_->fail(claim.task, claim.epoch, std::move(failure), [](const Status&) {});
        queue_->flush();
    }
    void cancel(const JobId& job) {
        queue_->cancel(job, [](const Status&) {});
        queue_->flush();
    }
    void retry(const JobId& job) {
        queue_->retry(job, [](const Status&) {});
        queue_->flush();
    }
    JobTrace trace(const JobId& job) {
        const auto trace = traces_->trace(job);
        EXPECT_TRUE(trace.has_value());
        return trace.value_or(JobTrace());
    }

    const TemporaryFolder folder_;
    ManualClock clock_;
    SeededEntropy entropy_{1};
    JobTraceLimits limits_;
    std::unique_ptr<SqliteTaskQueue> queue_;
    std::vector<std::shared_ptr<const JobHistory>> ended_;
    std::unique_ptr<JobTraces> traces_;
    std::shared_ptr<void> watch_;
};

TEST_F(JobTracesTest, TellsWhereTheTimeOfAPictureWent) {
    const JobId job = submit(test_plan(), milliseconds(20));
    pass(seconds(3));
    const Claim claimed = claim({job, 0});
    pass(seconds(2));
    TaskResult result = test_result();
    result.times = {{"loading", 0.25}, {"text", 0.125}, {"steps", 1.0}, {"storing", 0.5}};
    complete(claimed, result);

    const JobTrace whole = trace(job);
    EXPECT_EQ(fault_of(whole), "");
    EXPECT_TRUE(whole.has_ended);
    EXPECT_THAT(
        outline(whole),
        ElementsAre(
            "job",
            " submit",
            " render",
            "  wait",
            "  attempt",
            "   load",
            "   encode",
            "   denoise",
            "   store",
            "   hand over"
        )
    );
    EXPECT_NEAR(seconds_in(*find_span(whole, "submit")), 0.02, 0.001);
    EXPECT_NEAR(seconds_in(*find_span(whole, "wait")), 3.0, 0.01);
    EXPECT_NEAR(seconds_in(*find_span(whole, "attempt")), 2.0, 0.01);
    EXPECT_NEAR(seconds_in(*find_span(whole, "denoise")), 1.0, 1e-6);
    EXPECT_NEAR(seconds_in(*find_span(whole, "hand over")), 0.125, 0.01);
    EXPECT_EQ(text_of(*find_span(whole, "attempt"), "tessera.worker"), "w1");
    EXPECT_EQ(text_of(*find_span(whole, "attempt"), "tessera.outcome"), "done");
    EXPECT_EQ(text_of(*find_span(whole, "job"), "tessera.state"), "done");
    EXPECT_EQ(text_of(*find_span(whole, "job"), "tessera.tenant"), "alice");
}

TEST_F(JobTracesTest, TellsNoPrompt) {
    const JobId job = submit(test_plan());
    complete(claim({job, 0}));
    for (const Span& span : trace(job).trace.spans) {
        for (const auto& [key, value] : span.attributes) {
            const auto* text = std::get_if<std::string>(&value);
            EXPECT_TRUE(text == nullptr || text->find("lighthouse") == std::string::npos) << key;
        }
    }
}

TEST_F(JobTracesTest, StandsInTheCallersTrace) {
    JobPlan plan = test_plan();
    plan.spec.traceparent = kCaller;
    const JobTrace mine = trace(submit(plan));
    EXPECT_EQ(to_string(mine.trace.id), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(to_string(mine.trace.spans.front().parent), "b7ad6b7169203331");
    const JobTrace other = trace(submit(test_plan()));
    EXPECT_NE(other.trace.id, mine.trace.id);
    EXPECT_EQ(other.trace.spans.front().parent, SpanId());
}

TEST_F(JobTracesTest, AnAttemptHasTheNameThatItsWorkerWasTold) {
    JobPlan plan = test_plan();
    plan.spec.traceparent = kCaller;
    const JobId job = submit(plan);
    const Claim claimed = claim({job, 0});
    const TraceContext told = attempt_context(job, kCaller, 0, claimed.epoch.value);
    EXPECT_EQ(find_span(trace(job), "attempt")->id, told.span);
    EXPECT_EQ(trace(job).trace.id, told.trace);
}

TEST_F(JobTracesTest, GoesThroughAWorkersDeath) {
    const JobId job = submit(test_plan());
    const Claim first = claim({job, 0}, "w1");
    EXPECT_EQ(
        queue_->renew({first.task, first.epoch, TaskProgress{12, 20, "steps"}}, kLease),
        RenewAnswer::kGoOn
    );
    queue_->flush();
    pass(seconds(1));
    queue_->lose_worker({"w1"}, "its link broke");
    queue_->flush();
    pass(seconds(5));
    const Claim second = claim({job, 0}, "w2");
    pass(seconds(2));
    complete(second);

    const JobTrace whole = trace(job);
    EXPECT_EQ(fault_of(whole), "");
    EXPECT_THAT(
        outline(whole),
        ElementsAre(
            "job",
            " submit",
            " render",
            "  wait",
            "  attempt",
            "  wait",
            "  attempt",
            "   denoise",
            "   hand over"
        )
    );
    const Span* lost = find_span(whole, "attempt");
    EXPECT_EQ(text_of(*lost, "tessera.worker"), "w1");
    EXPECT_EQ(text_of(*lost, "tessera.outcome"), "lost");
    EXPECT_EQ(text_of(*lost, "tessera.step"), "12");
    EXPECT_EQ(lost->error, "worker w1: its link broke");
    EXPECT_EQ(whole.trace.spans.front().error, "");
}

TEST_F(JobTracesTest, ATaskThatFailedPauses) {
    const JobId job = submit(test_plan());
    fail_task(claim({job, 0}), own_failure());
    pass(seconds(10));
    complete(claim({job, 0}));
    const JobTrace whole = trace(job);
    EXPECT_EQ(fault_of(whole), "");
    EXPECT_GE(seconds_in(*find_span(whole, "pause")), 10.0);
    EXPECT_EQ(text_of(*find_span(whole, "attempt"), "tessera.outcome"), "failed");
    EXPECT_EQ(find_span(whole, "attempt")->error, "the render crashed");
}

TEST_F(JobTracesTest, SaysWhyAJobFailed) {
    const JobId job = submit(test_plan({{}, {0}}));
    TaskFailure failure = own_failure();
    failure.retryable = false;
    fail_task(claim({job, 0}), failure);
    const JobTrace whole = trace(job);
    EXPECT_EQ(fault_of(whole), "");
    EXPECT_EQ(whole.trace.spans.front().error, "the render crashed");
    EXPECT_EQ(text_of(whole.trace.spans.front(), "tessera.state"), "failed");
}

TEST_F(JobTracesTest, ARunningJobHasOpenSpans) {
    const JobId job = submit(test_plan());
    (void)claim({job, 0});
    clock_.advance(seconds(4));
    const JobTrace half = trace(job);
    EXPECT_FALSE(half.has_ended);
    EXPECT_EQ(fault_of(half), "");
    EXPECT_FALSE(find_span(half, "attempt")->end.has_value());
    EXPECT_GE(half.until - find_span(half, "attempt")->begin, seconds(4));
    EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(JobTracesTest, AnotherLifeIsAnotherSpanOfTheTrace) {
    const JobId job = submit(test_plan());
    TaskFailure failure = own_failure();
    failure.retryable = false;
    fail_task(claim({job, 0}), failure);
    pass(seconds(100));
    retry(job);
    complete(claim({job, 0}));
    const JobTrace whole = trace(job);
    EXPECT_EQ(fault_of(whole), "");
    const auto lives = std::ranges::count(whole.trace.spans, "job", &Span::name);
    EXPECT_EQ(lives, 2);
    ASSERT_THAT(ended_, SizeIs(2));
    EXPECT_EQ(ended_[0]->context.trace, ended_[1]->context.trace);
    EXPECT_NE(ended_[0]->context.span, ended_[1]->context.span);
}

TEST_F(JobTracesTest, ARestartLeavesNoGap) {
    const JobId running = submit(test_plan());
    const JobId waiting = submit(test_plan());
    const Claim held = claim({running, 0});
    restart(seconds(3));
    pass(seconds(1));
    complete(held);
    complete(claim({waiting, 0}));
    for (const JobId& job : {running, waiting}) {
        const JobTrace whole = trace(job);
        EXPECT_EQ(fault_of(whole), "");
        EXPECT_TRUE(whole.has_ended);
        EXPECT_GE(seconds_in(*find_span(whole, "before the restart")), 3.0);
    }
    EXPECT_EQ(text_of(*find_span(trace(running), "attempt"), "tessera.worker"), "w1");
}

TEST_F(JobTracesTest, ForgetsADeletedJob) {
    const JobId job = submit(test_plan());
    cancel(job);
    EXPECT_TRUE(traces_->trace(job).has_value());
    queue_->remove(job, [](const Status&) {});
    queue_->flush();
    EXPECT_FALSE(traces_->trace(job).has_value());
}

class SmallJobTracesTest : public JobTracesTest {
  protected:
    SmallJobTracesTest() {
        limits_ = {3, 20, 50};
        restart(milliseconds(0));
    }
};

TEST_F(SmallJobTracesTest, KeepsTheJobsThatEndedLast) {
    std::vector<JobId> jobs;
    for (int i = 0; i < 5; ++i) {
        jobs.push_back(submit(test_plan()));
        complete(claim({jobs.back(), 0}));
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        EXPECT_EQ(traces_->trace(jobs[i]).has_value(), i >= 2) << i;
    }
}

TEST_F(SmallJobTracesTest, AJobTooLargeIsRecordedInPart) {
    const JobId job = submit(test_pictures(30));
    for (int task = 0; task < 30; ++task) {
        complete(claim({job, task}));
    }
    const JobTrace whole = trace(job);
    EXPECT_EQ(fault_of(whole), "");
    EXPECT_EQ(whole.left_out, 3 * 30 - 20U);
    EXPECT_NE(find_span(whole, "not recorded"), nullptr);
}

TEST_F(SmallJobTracesTest, ManyJobsAtOnceAreRecordedInPart) {
    std::vector<JobId> jobs;
    for (int i = 0; i < 10; ++i) {
        jobs.push_back(submit(test_pictures(10)));
    }
    std::size_t recorded = 0;
    for (const JobId& job : jobs) {
        EXPECT_EQ(fault_of(trace(job)), "");
        recorded += 10 - trace(job).left_out;
    }
    EXPECT_EQ(recorded, 50U);
    for (const JobId& job : jobs) {
        cancel(job);
        EXPECT_EQ(fault_of(trace(job)), "");
    }
    const JobId next = submit(test_pictures(10));
    EXPECT_EQ(trace(next).left_out, 0U) << "what ended makes room";
}

/// Anything that may happen to jobs, in any order.
class AnyOrder : public JobTracesTest, public testing::WithParamInterface<std::uint64_t> {
  protected:
    std::size_t below(std::size_t most) { return static_cast<std::size_t>(chance_.next() % most); }
    template <class T>
    const T& any(const std::vector<T>& of) {
        return of[below(of.size())];
    }

    JobPlan any_plan() {
        switch (below(4)) {
            case 0:
                return test_pictures(1 + below(4));
            case 1:
                return test_plan({{}, {0}, {0}, {1, 2}});  // a picture in tiles
            case 2: {
                JobPlan plan = test_plan();
                plan.spec.deadline = clock_.wall() + seconds(1 + below(40));
                return plan;
            }
            default:
                return test_plan();
        }
    }
    TaskResult any_result() {
        TaskResult result = test_result();
        result.times.clear();
        for (const char* stage : {"loading", "text", "steps", "of a later version"}) {
            if (below(3) > 0) {
                result.times.push_back({stage, static_cast<double>(below(3000)) / 1000.0});
            }
        }
        return result;
    }
    void claim_something() {
        for (const JobId& job : jobs_) {
            const auto view = queue_->job(job);
            for (const TaskView& task : view ? view->tasks : std::vector<TaskView>()) {
                if (task.state == TaskState::kReady && below(2) == 0) {
                    auto claim = queue_->claim(task.id, {fmt::format("w{}", below(3))}, kLease);
                    if (claim) {
                        claims_.push_back(*std::move(claim));
                    }
                }
            }
        }
    }
    void something() {
        switch (below(16)) {
            case 0:
            case 1:
                jobs_.push_back(submit(any_plan(), milliseconds(below(50))));
                return;
            case 2:
            case 3:
            case 4:
            case 5:
                claim_something();
                return;
            case 6:
            case 7:
            case 8:
                if (!claims_.empty()) {
                    complete(any(claims_), any_result());
                }
                return;
            case 9:
                if (!claims_.empty()) {
                    TaskFailure failure = below(2) == 0 ? own_failure() : infrastructure_failure();
                    failure.retryable = below(4) > 0;
                    fail_task(any(claims_), failure);
                }
                return;
            case 10:
                if (!claims_.empty()) {
                    const Claim& claim = any(claims_);
                    const TaskProgress progress{static_cast<int>(below(20)), 20, "steps"};
                    (void)queue_->renew({claim.task, claim.epoch, progress}, kLease);
                }
                return;
            case 11:
                queue_->lose_worker({fmt::format("w{}", below(3))}, "gone");
                return;
            case 12:
                if (!jobs_.empty()) {
                    below(2) == 0 ? cancel(any(jobs_)) : retry(any(jobs_));
                }
                return;
            case 13:
                if (!claims_.empty()) {
                    const Claim& claim = any(claims_);
                    (void)queue_->readopt(claim.task, claim.epoch, {"w9"}, kLease);
                }
                return;
            case 14:
                if (below(4) == 0) {
                    restart(milliseconds(below(40'000)));
                }
                return;
            default:
                pass(Duration(below(40'000'000)));
                return;
        }
    }
    void check() {
        for (const JobId& job : jobs_) {
            const auto trace = traces_->trace(job);
            const auto view = queue_->job(job);
            if (view && !is_final(view->state)) {
                ASSERT_TRUE(trace.has_value());
                ASSERT_FALSE(trace->has_ended);
            }
            if (trace) {
                ASSERT_EQ(fault_of(*trace), "")
                    << fmt::format("{}", fmt::join(outline(*trace), "\n"));
            }
        }
    }

    SeededEntropy chance_{GetParam()};
    std::vector<JobId> jobs_;
    std::vector<Claim> claims_;
};

TEST_P(AnyOrder, LeavesNoGap) {
    for (int i = 0; i < 150; ++i) {
        something();
        clock_.advance(milliseconds(below(2000)));
        queue_->flush();
        ASSERT_NO_FATAL_FAILURE(check()) << "after " << i;
    }
    for (const JobId& job : jobs_) {
        cancel(job);
    }
    ASSERT_NO_FATAL_FAILURE(check());
    for (const auto& life : ended_) {
        EXPECT_TRUE(spans_of(*life).front().end.has_value());
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyOrder, testing::Range<std::uint64_t>(0, 40));

}  // namespace
}  // namespace tessera
