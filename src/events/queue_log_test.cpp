#include "events/queue_log.h"

#include <gmock/gmock.h>

#include <memory>

namespace tessera {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class QueueLogTest : public testing::Test {
  protected:
    QueueLogTest() {
        log_.add([this](const LogRecord& record) { records_.push_back(record); });
    }

    void hear(QueueEvent::Kind kind, const std::string& why = {}, bool prompts = false) {
        QueueEvent event;
        event.kind = kind;
        event.job = {"j1"};
        event.tenant = "ada";
        if (kind != QueueEvent::Kind::kJobQueued && kind != QueueEvent::Kind::kJobEnded) {
            event.task = {event.job, 2};
            event.worker = {"w1"};
        }
        event.job_state = JobState::kDone;
        if (!why.empty()) {
            event.failure.emplace();
            event.failure->message = why;
        }
        const QueueLog queue_log(
            log_, [](const JobId&) { return job(); }, prompts
        );
        queue_log.hear(event);
    }

    static std::optional<JobView> job() {
        auto plan = std::make_shared<JobPlan>();
        plan->spec.render.prompt = "a red fox";
        plan->spec.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        JobView view;
        view.plan = std::move(plan);
        return view;
    }

    Log log_{Clock::system()};
    std::vector<LogRecord> records_;
};

TEST_F(QueueLogTest, TellsHowAJobBeganAndEnded) {
    hear(QueueEvent::Kind::kJobQueued);
    hear(QueueEvent::Kind::kJobEnded);
    ASSERT_THAT(records_, SizeIs(2));
    EXPECT_EQ(records_[0].message, "accepted from tenant ada");
    EXPECT_EQ(records_[0].job, "j1");
    EXPECT_THAT(records_[0].task, IsEmpty());
    EXPECT_EQ(records_[1].message, "ended: done");
}

TEST_F(QueueLogTest, TellsOfFailuresWithAllThatNamesThem) {
    hear(QueueEvent::Kind::kTaskReturned, "the worker process crashed");
    ASSERT_THAT(records_, SizeIs(1));
    EXPECT_EQ(records_[0].level, LogLevel::kWarning);
    EXPECT_EQ(records_[0].message, "will be tried again: the worker process crashed");
    EXPECT_EQ(records_[0].task, "j1.2");
    EXPECT_EQ(records_[0].worker, "w1");
    EXPECT_EQ(records_[0].trace, "0af7651916cd43dd8448eb211c80319c");
}

TEST_F(QueueLogTest, HidesPromptsUnlessTold) {
    hear(QueueEvent::Kind::kTaskDead, "no token fits 'a red fox'");
    EXPECT_THAT(records_.at(0).message, Not(HasSubstr("fox")));
    hear(QueueEvent::Kind::kTaskDead, "no token fits 'a red fox'", true);
    EXPECT_THAT(records_.at(1).message, HasSubstr("'a red fox'"));
}

TEST_F(QueueLogTest, SaysLittleOfWhatGoesWell) {
    hear(QueueEvent::Kind::kTaskClaimed);
    hear(QueueEvent::Kind::kTaskProgress);
    hear(QueueEvent::Kind::kTaskDone);
    EXPECT_THAT(records_, IsEmpty());
}

}  // namespace
}  // namespace tessera
