#include "worker/worker_session.h"

#include <gtest/gtest.h>

#include <utility>

namespace tessera {
namespace {

constexpr Instant kStart{std::chrono::hours(1)};
constexpr Duration kBeat = std::chrono::seconds(5);

TaskId task_id(int index) {
    return {{"01kb0000000000000000000000"}, index};
}

AssignTask assignment(int index, std::uint64_t epoch = 1) {
    AssignTask task;
    task.task = task_id(index);
    task.epoch = {epoch};
    return task;
}

ServerHello server_hello(std::vector<HeldTask> kept = {}) {
    ServerHello hello;
    hello.heartbeat_seconds = seconds_of(kBeat);
    hello.lease_seconds = 30.0;
    hello.kept = std::move(kept);
    return hello;
}

/// What the session wants sent, of one type.
template <class Message>
std::vector<Message> sent(const std::vector<WorkerAction>& actions) {
    std::vector<Message> messages;
    for (const WorkerAction& action : actions) {
        if (const auto* send = std::get_if<SendToServer>(&action)) {
            if (const auto* message = std::get_if<Message>(&send->message)) {
                messages.push_back(*message);
            }
        }
    }
    return messages;
}

template <class Action>
std::vector<Action> done(const std::vector<WorkerAction>& actions) {
    std::vector<Action> found;
    for (const WorkerAction& action : actions) {
        if (const auto* one = std::get_if<Action>(&action)) {
            found.push_back(*one);
        }
    }
    return found;
}

/// So many slots of the session's are offered.
int offered(const std::vector<WorkerAction>& actions) {
    int slots = 0;
    for (const WorkerReady& ready : sent<WorkerReady>(actions)) {
        slots += ready.slots;
    }
    return slots;
}

class WorkerSessionTest : public testing::Test {
  protected:
    static WorkerHello identity() {
        WorkerHello hello;
        hello.worker = {"w1"};
        hello.slots = 2;
        hello.predecessor = {"w0"};
        hello.predecessor_crash = "signal 11";
        return hello;
    }
    void link(std::vector<HeldTask> kept = {}) {
        session_.connected({});
        session_.received(server_hello(std::move(kept)), kStart);
    }
    std::vector<WorkerAction> take() { return session_.take_actions(); }
    std::vector<WorkerAction> tick(Duration after) {
        (void)session_.tick(kStart + after, 1000, {});
        return take();
    }

    WorkerSession session_{identity()};
};

TEST_F(WorkerSessionTest, SaysHelloAndOffersItsSlotsOnceWelcome) {
    session_.connected({{"model a", true}});
    const auto hello = sent<WorkerHello>(take());
    ASSERT_EQ(hello.size(), 1U);
    EXPECT_EQ(hello[0].models[0].affinity, "model a");
    EXPECT_EQ(hello[0].predecessor_crash, "signal 11");
    EXPECT_FALSE(session_.linked());
    session_.received(server_hello(), kStart);
    const auto ready = sent<WorkerReady>(take());
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].slots, 2);
}

TEST_F(WorkerSessionTest, TellsItsPredecessorsCrashOnce) {
    link();
    take();
    session_.disconnected();
    session_.connected({});
    EXPECT_EQ(sent<WorkerHello>(take())[0].predecessor_crash, "");
}

TEST_F(WorkerSessionTest, StartsWhatItIsGivenAndOffersTheSlotAgainWhenItEnds) {
    link();
    take();
    session_.received(assignment(0), kStart);
    EXPECT_EQ(done<StartTask>(take()).size(), 1U);
    EXPECT_EQ(session_.running(), 1);
    session_.completed(task_id(0), {1}, {});
    const auto actions = take();
    EXPECT_EQ(sent<TaskCompleted>(actions).size(), 1U);
    EXPECT_EQ(sent<WorkerReady>(actions).size(), 1U);
    EXPECT_FALSE(session_.idle()) << "until the server has settled it";
    session_.received(TaskSettled{task_id(0), {1}, true, {}}, kStart);
    EXPECT_TRUE(session_.idle());
}

TEST_F(WorkerSessionTest, GivesBackWhatItHasNoSlotFor) {
    link();
    for (int i = 0; i < 3; ++i) {
        session_.received(assignment(i), kStart);
    }
    const auto failed = sent<TaskFailed>(take());
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(failed[0].task, task_id(2));
    EXPECT_EQ(failed[0].failure.fault, FaultKind::kInfrastructure);
}

TEST_F(WorkerSessionTest, StopsWhatIsCancelledAndTellsNothingOfItsEnd) {
    link();
    session_.received(assignment(0), kStart);
    take();
    session_.received(CancelTask{task_id(0), {1}}, kStart);
    const auto actions = take();
    EXPECT_EQ(done<StopTask>(actions).size(), 1U);
    EXPECT_EQ(sent<WorkerReady>(actions).size(), 1U);
    session_.failed(task_id(0), {1}, {});
    EXPECT_TRUE(take().empty());
}

TEST_F(WorkerSessionTest, IgnoresOrdersAboutAnotherEpoch) {
    link();
    session_.received(assignment(0, 7), kStart);
    take();
    session_.received(CancelTask{task_id(0), {6}}, kStart);
    session_.received(TaskSettled{task_id(0), {6}, false, "stale"}, kStart);
    EXPECT_TRUE(take().empty());
    EXPECT_EQ(session_.running(), 1);
}

TEST_F(WorkerSessionTest, ALaterEpochOfATaskReplacesTheEarlier) {
    link();
    session_.received(assignment(0, 7), kStart);
    take();
    session_.received(assignment(0, 8), kStart);
    const auto actions = take();
    ASSERT_EQ(done<StopTask>(actions).size(), 1U);
    EXPECT_EQ(done<StopTask>(actions)[0].epoch, Epoch{7});
    EXPECT_EQ(done<StartTask>(actions).size(), 1U);
    session_.received(assignment(0, 7), kStart);
    EXPECT_TRUE(take().empty()) << "a late copy of the old one";
}

TEST_F(WorkerSessionTest, BeatsWhenItIsTimeAndSoonerWhenThereIsNews) {
    link();
    session_.received(assignment(0), kStart);
    take();
    EXPECT_TRUE(sent<Heartbeat>(tick(kBeat / 2)).empty());
    session_.progressed(task_id(0), {1}, {3, 20, "step"});
    const auto news = sent<Heartbeat>(tick(kBeat / 2));
    ASSERT_EQ(news.size(), 1U);
    EXPECT_EQ(news[0].tasks[0].progress.step, 3);
    EXPECT_TRUE(sent<Heartbeat>(tick(kBeat)).empty()) << "counted from the last one";
    EXPECT_EQ(sent<Heartbeat>(tick(kBeat + kBeat / 2)).size(), 1U);
}

TEST_F(WorkerSessionTest, SendsAPreviewOnce) {
    link();
    session_.received(assignment(0), kStart);
    session_.previewed(task_id(0), {1}, "jpeg");
    take();
    EXPECT_EQ(sent<Heartbeat>(tick(kBeat))[0].tasks[0].preview, "jpeg");
    EXPECT_EQ(sent<Heartbeat>(tick(kBeat * 2))[0].tasks[0].preview, "");
}

TEST_F(WorkerSessionTest, WhatEndedWithoutALinkIsToldWhenItIsBack) {
    link();
    session_.received(assignment(0), kStart);
    take();
    session_.disconnected();
    session_.completed(task_id(0), {1}, {});
    EXPECT_TRUE(take().empty());
    session_.connected({});
    const auto hello = sent<WorkerHello>(take());
    ASSERT_EQ(hello[0].holds.size(), 1U);
    session_.received(server_hello({{task_id(0), {1}}}), kStart);
    EXPECT_EQ(sent<TaskCompleted>(take()).size(), 1U);
}

TEST_F(WorkerSessionTest, DropsWhatTheServerDoesNotWantAnyMore) {
    link();
    session_.received(assignment(0), kStart);
    session_.received(assignment(1), kStart);
    take();
    session_.disconnected();
    link({{task_id(1), {1}}});
    const auto actions = take();
    ASSERT_EQ(done<StopTask>(actions).size(), 1U);
    EXPECT_EQ(done<StopTask>(actions)[0].task, task_id(0));
    EXPECT_EQ(sent<WorkerReady>(actions)[0].slots, 1);
    EXPECT_EQ(session_.running(), 1);
}

TEST_F(WorkerSessionTest, TellsAnEndAgainUntilItIsSettled) {
    link();
    session_.received(assignment(0), kStart);
    session_.completed(task_id(0), {1}, {});
    take();
    EXPECT_TRUE(sent<TaskCompleted>(tick(kBeat)).empty());
    EXPECT_EQ(sent<TaskCompleted>(tick(kBeat * 2)).size(), 1U);
    session_.received(TaskSettled{task_id(0), {1}, true, {}}, kStart);
    EXPECT_TRUE(sent<TaskCompleted>(tick(kBeat * 4)).empty());
}

TEST_F(WorkerSessionTest, TakesNoMoreWhileTheServerCannotKeepWhatEnded) {
    link();
    int credit = offered(take());
    int given = 0;
    for (; credit > 0 && given < 100; ++given) {
        session_.received(assignment(given), kStart);
        session_.completed(task_id(given), {1}, {});
        credit += offered(take()) - 1;
    }
    EXPECT_EQ(given, 4) << "two for each slot";
    session_.received(TaskSettled{task_id(0), {1}, true, {}}, kStart);
    EXPECT_EQ(offered(take()), 1);
}

TEST_F(WorkerSessionTest, CountsUnsettledResultsWhenTheLinkIsBack) {
    link();
    for (int i = 0; i < 3; ++i) {
        session_.received(assignment(i), kStart);
        session_.completed(task_id(i), {1}, {});
    }
    session_.disconnected();
    take();
    link({{task_id(0), {1}}, {task_id(1), {1}}, {task_id(2), {1}}});
    EXPECT_EQ(offered(take()), 1);
}

TEST_F(WorkerSessionTest, ADrainingWorkerFinishesAndTakesNothingNew) {
    link();
    session_.received(assignment(0), kStart);
    take();
    session_.received(DrainOrder{"maintenance"}, kStart);
    EXPECT_EQ(sent<WorkerLeaving>(take()).size(), 1U);
    session_.received(assignment(1), kStart);
    EXPECT_EQ(sent<TaskFailed>(take()).size(), 1U);
    session_.completed(task_id(0), {1}, {});
    const auto actions = take();
    EXPECT_EQ(sent<TaskCompleted>(actions).size(), 1U);
    EXPECT_TRUE(sent<WorkerReady>(actions).empty());
    session_.received(TaskSettled{task_id(0), {1}, true, {}}, kStart);
    EXPECT_TRUE(session_.idle() && session_.draining());
}

TEST_F(WorkerSessionTest, LeavesWhenItIsToldTo) {
    session_.connected({});
    take();
    session_.received(Goodbye{"another version", false}, kStart);
    const auto leave = done<LeaveFarm>(take());
    ASSERT_EQ(leave.size(), 1U);
    EXPECT_FALSE(leave[0].retry);
}

}  // namespace
}  // namespace tessera
