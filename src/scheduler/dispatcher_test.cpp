#include "scheduler/dispatcher.h"

#include "queue/manual_clock_test.h"
#include "queue/plans_test.h"
#include "queue/sqlite_task_queue.h"
#include "queue/temporary_folder_test.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// The server's end of a link: keeps what the worker would hear.
struct RecordedLink final : WorkerLink {
    bool send(const ServerMessage& message) override {
        sent.push_back(message);
        return true;
    }
    void close(const std::string& reason) override { closed = reason; }

    std::vector<ServerMessage> sent;
    std::optional<std::string> closed;
};

/// A worker's end.
class Peer {
  public:
    explicit Peer(Dispatcher& dispatcher)
        : dispatcher_(&dispatcher),
          link_(std::make_shared<RecordedLink>()),
          id_(dispatcher.link_opened(link_)) {}

    void say(WorkerMessage message) { dispatcher_->link_message(id_, std::move(message)); }
    void beat(std::vector<TaskBeat> lines = {}) {
        Heartbeat beat;
        beat.number = ++beats_;
        beat.tasks = std::move(lines);
        beat.models = {{"demo:1234", true}};
        say(std::move(beat));
    }
    void hang_up() { dispatcher_->link_closed(id_); }

    /// All of one kind that came since this was last asked of that kind.
    template <class Message>
    std::vector<Message> heard() {
        std::vector<Message> messages;
        std::erase_if(link_->sent, [&](const ServerMessage& message) {
            const auto* wanted = std::get_if<Message>(&message);
            if (wanted != nullptr) {
                messages.push_back(*wanted);
            }
            return wanted != nullptr;
        });
        return messages;
    }
    [[nodiscard]] const std::optional<std::string>& closed() const { return link_->closed; }

  private:
    Dispatcher* dispatcher_;
    std::shared_ptr<RecordedLink> link_;
    LinkId id_;
    std::uint64_t beats_ = 0;
};

/// The real queue and scheduler; time and the disk move when a test says so.
class Dispatching : public testing::Test {
  protected:
    static constexpr Duration kLease = seconds(60);
    static constexpr Duration kHeartbeat = seconds(5);
    static constexpr Duration kLinkGrace = milliseconds(500);

    Dispatching() {
        SqliteQueueOptions options;
        options.path = folder_.path() / "queue.db";
        options.background = false;
        options.retry.first_pause = milliseconds(1);
        queue_ = SqliteTaskQueue::open(std::move(options), clock_, entropy_).value();
        DispatcherOptions dispatching;
        dispatching.lease = kLease;
        dispatching.heartbeat = kHeartbeat;
        dispatching.link_grace = kLinkGrace;
        dispatching.has_object = [this](const std::string& sha256) {
            return sha256 != missing_object_;
        };
        dispatching.say = [this](const std::string& line) { said_.push_back(line); };
        dispatching.metrics = metrics_;
        dispatcher_.emplace(std::move(dispatching), *queue_, clock_, entropy_);
    }

    /// Until all that was said has had its effect.
    void settle() {
        for (int i = 0; i < 3; ++i) {
            (void)dispatcher_->step();
            queue_->flush();
        }
        (void)dispatcher_->step();
    }
    void pass(Duration time) {
        clock_.advance(time);
        settle();
    }

    static WorkerHello hello(const std::string& worker) {
        WorkerHello hello;
        hello.worker = {worker};
        hello.node = "node";
        hello.program = "tessera 0";
        hello.models = {{"demo:1234", true}};
        return hello;
    }
    /// Of a process that replaces another one. `crash`: how that one ended; empty: in order.
    static WorkerHello successor(
        const std::string& worker, const std::string& predecessor, const std::string& crash
    ) {
        WorkerHello hello = Dispatching::hello(worker);
        hello.predecessor = {predecessor};
        hello.predecessor_crash = crash;
        return hello;
    }
    Peer connect(WorkerHello hello) {
        Peer peer(*dispatcher_);
        peer.say(std::move(hello));
        settle();
        return peer;
    }
    void hang_up(Peer& peer) {
        peer.hang_up();
        settle();
    }
    TaskId enqueued() {
        const JobId id{fmt::format("job{}", ++jobs_)};
        queue_->enqueue(id, test_plan(), [](const auto& done) { EXPECT_TRUE(done); });
        settle();
        return {id, 0};
    }
    /// It asks for one task and gets it.
    AssignTask give(Peer& peer) {
        peer.say(WorkerReady{1});
        settle();
        const auto tasks = peer.heard<AssignTask>();
        EXPECT_THAT(tasks, SizeIs(1));
        return tasks.empty() ? AssignTask() : tasks.front();
    }
    [[nodiscard]] TaskView view(const TaskId& task) const {
        return queue_->job(task.job).value().tasks.at(static_cast<std::size_t>(task.index));
    }

    TemporaryFolder folder_;
    ManualClock clock_;
    SeededEntropy entropy_{1};
    std::string missing_object_;
    const std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
    std::vector<std::string> said_;
    std::unique_ptr<SqliteTaskQueue> queue_;
    std::optional<Dispatcher> dispatcher_;
    int jobs_ = 0;
};

TEST_F(Dispatching, AWorkerIsGivenATaskAndItsResultIsSettled) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const auto answers = worker.heard<ServerHello>();
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_EQ(answers[0].incarnation, queue_->incarnation());
    EXPECT_EQ(answers[0].heartbeat_seconds, 5.0);
    EXPECT_EQ(answers[0].lease_seconds, 60.0);
    EXPECT_THAT(worker.heard<AssignTask>(), IsEmpty()) << "it asked for none";

    const AssignTask given = give(worker);
    EXPECT_EQ(given.task, task);
    EXPECT_EQ(given.attempt, 1);
    EXPECT_EQ(given.affinity, "demo:1234");
    worker.say(TaskCompleted{given.task, given.epoch, test_result()});
    settle();
    EXPECT_THAT(worker.heard<TaskSettled>(), ElementsAre(TaskSettled{task, given.epoch, true, ""}));
    EXPECT_EQ(view(task).state, TaskState::kDone);
    EXPECT_THAT(dispatcher_->workers()[0].tasks, IsEmpty());
    EXPECT_EQ(dispatcher_->workers()[0].done, 1U);
}

TEST_F(Dispatching, OfEqualResultsOfTwoHoldersTheFirstIsTaken) {
    const TaskId task = enqueued();
    Peer slow = connect(hello("slow"));
    const AssignTask first = give(slow);
    hang_up(slow);
    pass(kLinkGrace);
    Peer other = connect(hello("other"));
    const AssignTask second = give(other);
    EXPECT_GT(second.epoch, first.epoch);
    Peer back = connect(hello("slow"));
    back.say(TaskCompleted{task, first.epoch, test_result(1)});
    settle();
    const auto refused = back.heard<TaskSettled>();
    ASSERT_THAT(refused, SizeIs(1));
    EXPECT_FALSE(refused[0].accepted);
    other.say(TaskCompleted{task, second.epoch, test_result(2)});
    settle();
    EXPECT_THAT(other.heard<TaskSettled>(), ElementsAre(TaskSettled{task, second.epoch, true, ""}));
}

TEST_F(Dispatching, AStrangerHasToSayHelloInTheSameLanguage) {
    Peer rude(*dispatcher_);
    rude.say(WorkerReady{1});
    WorkerHello foreign = hello("w1");
    foreign.version = kLinkVersion + 1;
    Peer other = connect(foreign);
    for (Peer* peer : {&rude, &other}) {
        const auto goodbyes = peer->heard<Goodbye>();
        ASSERT_THAT(goodbyes, SizeIs(1));
        EXPECT_FALSE(goodbyes[0].retry);
        EXPECT_TRUE(peer->closed());
    }
    EXPECT_THAT(dispatcher_->workers(), IsEmpty());
}

TEST_F(Dispatching, WhatACrashedProcessHeldFailedByItsOwnFault) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_EQ(view(task).own_failures, 1);
    EXPECT_EQ(view(task).infrastructure_losses, 0);
    const auto failures = queue_->failures(task).value();
    ASSERT_THAT(failures, SizeIs(1));
    EXPECT_EQ(failures[0].worker.value, "w1");
    EXPECT_THAT(failures[0].failure.message, HasSubstr("signal 11"));
}

TEST_F(Dispatching, ACrashThatIsToldBeforeTheLinkBreaksCountsToo) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_TRUE(worker.closed());
    EXPECT_EQ(view(task).own_failures, 1);
    EXPECT_EQ(view(task).infrastructure_losses, 0);
    EXPECT_THAT(dispatcher_->workers(), SizeIs(1));
}

TEST_F(Dispatching, ACrashThatIsToldLateCountsToo) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    pass(kLinkGrace);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
    EXPECT_EQ(view(task).own_failures, 0);
    pass(minutes(2));
    const WorkerHello late = successor("w2", "w1", "signal 11");
    Peer next = connect(late);
    hang_up(next);
    connect(late);  // it had not heard the answer
    EXPECT_EQ(view(task).own_failures, 1);
    EXPECT_EQ(view(task).state, TaskState::kDelayed);
    EXPECT_FALSE(dispatcher_->outlook(task.job)) << "it is not ready any more";
    EXPECT_EQ(view(task).infrastructure_losses, 1);
}

TEST_F(Dispatching, ACrashAfterTheLeaseRanOutCountsToo) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    // It hangs: a checkpoint is all that is heard, and that renews nothing.
    pass(kLease / 2);
    worker.say(TaskCheckpointed{task, given.epoch, test_checkpoint(3)});
    pass(kLease / 2);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
    EXPECT_THAT(worker.heard<CancelTask>(), ElementsAre(CancelTask{task, given.epoch}));
    hang_up(worker);
    connect(successor("w2", "w1", "signal 6"));
    EXPECT_EQ(view(task).own_failures, 1);
}

TEST_F(Dispatching, WhatWasTakenFromAWorkerThatIsHeardOfAgainIsNoCrash) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    pass(kLease / 2);
    worker.say(TaskCheckpointed{task, given.epoch, test_checkpoint(3)});
    pass(kLease / 2);
    worker.beat({{task, given.epoch, {4, 8, "steps"}, ""}});
    settle();
    const auto answers = worker.heard<HeartbeatAnswer>();
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_THAT(
        answers[0].tasks, ElementsAre(HeartbeatAnswer::Line{task, given.epoch, TaskOrder::kDrop})
    );
    hang_up(worker);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_EQ(view(task).own_failures, 0);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
}

TEST_F(Dispatching, WhatAWorkerHadDroppedBeforeItCrashedIsNotToBlame) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    pass(kLinkGrace);
    Peer back = connect(hello("w1"));  // and holds nothing
    hang_up(back);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_EQ(view(task).own_failures, 0);
}

TEST_F(Dispatching, ACrashThatIsToldMuchLaterIsNotRemembered) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    pass(kLinkGrace);
    pass(minutes(6));
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_EQ(view(task).own_failures, 0);
}

TEST_F(Dispatching, ALateCrashIsNothingToWhoeverHasTheTaskByNow) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    pass(kLinkGrace);
    Peer other = connect(hello("other"));
    const AssignTask again = give(other);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_EQ(view(task).own_failures, 0);
    EXPECT_THAT(other.heard<CancelTask>(), IsEmpty());
    other.say(TaskCompleted{task, again.epoch, test_result()});
    settle();
    EXPECT_EQ(view(task).state, TaskState::kDone);
}

TEST_F(Dispatching, AProcessThatEndedWithoutACrashLosesWhatItHeldAtOnce) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    connect(successor("w2", "w1", ""));
    EXPECT_EQ(view(task).own_failures, 0);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
    EXPECT_EQ(view(task).state, TaskState::kReady);
}

TEST_F(Dispatching, WhatHadBeenReportedIsNotPartOfTheCrash) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    worker.say(TaskCompleted{task, given.epoch, test_result()});
    hang_up(worker);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_EQ(view(task).state, TaskState::kDone);
    EXPECT_EQ(view(task).own_failures, 0);
}

TEST_F(Dispatching, ATaskThatCrashedAProcessGoesToAnotherPlaceThanItsSuccessor) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    hang_up(worker);
    pass(kLinkGrace);
    Peer next = connect(successor("w2", "w1", "signal 11"));
    Peer other = connect(hello("other"));
    pass(milliseconds(1));
    next.say(WorkerReady{1});
    settle();
    EXPECT_THAT(next.heard<AssignTask>(), IsEmpty());
    EXPECT_EQ(give(other).task, task);
}

TEST_F(Dispatching, APlaceThatCrashesThreeTimesIsKeptOffThatKind) {
    Peer other = connect(hello("other"));
    Peer worker = connect(hello("w0"));
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(dispatcher_->workers().back().view.kept_off, IsEmpty());
        enqueued();
        give(worker);
        hang_up(worker);
        pass(i == 1 ? kLinkGrace : Duration::zero());  // in time or late
        worker = connect(successor(fmt::format("w{}", i + 1), fmt::format("w{}", i), "signal 11"));
    }
    EXPECT_THAT(dispatcher_->workers().back().view.kept_off, ElementsAre(TaskKind::kRender));
    EXPECT_THAT(dispatcher_->workers().front().view.kept_off, IsEmpty());
}

TEST_F(Dispatching, EachProcessThatWentWithoutAWordIsCountedOnce) {
    const auto lost = [this] {
        const std::string text = metrics_->text();
        const std::string name = "\ntessera_workers_lost_total ";
        return std::stoi(text.substr(text.find(name) + name.size()));
    };
    Peer idle = connect(hello("w1"));
    hang_up(idle);
    (void)connect(successor("w2", "w1", "signal 9"));
    EXPECT_EQ(lost(), 1) << "replaced before anybody missed it";
    Peer busy = connect(hello("w3"));
    busy.say(WorkerReady{1});
    (void)enqueued();
    hang_up(busy);
    pass(kLinkGrace);
    EXPECT_EQ(lost(), 2);
    (void)connect(successor("w4", "w3", "signal 11"));
    EXPECT_EQ(lost(), 2);
}

TEST_F(Dispatching, OneCrashIsOneFailureOfThePlaceHoweverMuchItHeld) {
    for (int i = 0; i < 4; ++i) {
        enqueued();
    }
    WorkerHello wide = hello("w1");
    wide.slots = 4;
    Peer worker = connect(wide);
    worker.say(WorkerReady{4});
    settle();
    ASSERT_THAT(worker.heard<AssignTask>(), SizeIs(4));
    hang_up(worker);
    connect(successor("w2", "w1", "signal 11"));
    EXPECT_THAT(dispatcher_->workers()[0].view.kept_off, IsEmpty());
}

TEST_F(Dispatching, AWorkerWhoseLinkBreaksForAMomentGoesOn) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    hang_up(worker);
    pass(kLinkGrace - milliseconds(1));
    WorkerHello again = hello("w1");
    again.holds = {{task, given.epoch}};
    Peer back = connect(again);
    EXPECT_THAT(back.heard<ServerHello>()[0].kept, ElementsAre(HeldTask{task, given.epoch}));
    back.say(TaskCompleted{task, given.epoch, test_result()});
    settle();
    EXPECT_EQ(view(task).state, TaskState::kDone);
    EXPECT_EQ(view(task).infrastructure_losses, 0);
}

TEST_F(Dispatching, AWorkerThatComesBackLateGoesOnWithWhatNobodyHas) {
    const TaskId taken = enqueued();
    const TaskId free = enqueued();
    WorkerHello wide = hello("w1");
    wide.slots = 2;
    Peer worker = connect(wide);
    worker.say(WorkerReady{2});
    settle();
    const auto given = worker.heard<AssignTask>();
    ASSERT_THAT(given, SizeIs(2));
    hang_up(worker);
    pass(kLinkGrace);
    Peer other = connect(hello("other"));
    EXPECT_EQ(give(other).task, taken);
    wide.holds = {{given[0].task, given[0].epoch}, {given[1].task, given[1].epoch}};
    Peer back = connect(wide);
    EXPECT_EQ(given[1].task, free);
    EXPECT_THAT(back.heard<ServerHello>()[0].kept, ElementsAre(HeldTask{free, given[1].epoch}));
    EXPECT_EQ(view(free).worker.value, "w1");
    EXPECT_EQ(view(taken).worker.value, "other");
}

TEST_F(Dispatching, WhatNeverReachedAWorkerIsGivenAgain) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask lost = give(worker);
    hang_up(worker);
    Peer back = connect(hello("w1"));
    const AssignTask again = give(back);
    EXPECT_EQ(again.task, task);
    EXPECT_GT(again.epoch, lost.epoch);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
}

TEST_F(Dispatching, ASecondLinkOfAWorkerTakesTheFirstOnesPlace) {
    const TaskId task = enqueued();
    Peer first = connect(hello("w1"));
    const AssignTask given = give(first);
    WorkerHello again = hello("w1");
    again.holds = {{task, given.epoch}};
    Peer second = connect(again);
    EXPECT_TRUE(first.closed());
    EXPECT_THAT(second.heard<ServerHello>()[0].kept, SizeIs(1));
    // What still comes from the first is not the worker's word, nor is its end the worker's.
    first.say(TaskFailed{task, given.epoch, own_failure()});
    first.hang_up();
    pass(kLinkGrace);
    EXPECT_THAT(dispatcher_->workers(), SizeIs(1));
    EXPECT_EQ(view(task).own_failures, 0);
    second.say(TaskCompleted{task, given.epoch, test_result()});
    settle();
    EXPECT_EQ(view(task).state, TaskState::kDone);
}

TEST_F(Dispatching, AStaleEpochIsToBeDropped) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    const Epoch stale{given.epoch.value - 1};
    worker.beat({{task, given.epoch, {1, 8, "steps"}, ""}, {task, stale, {}, ""}});
    settle();
    const auto answers = worker.heard<HeartbeatAnswer>();
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_EQ(answers[0].number, 1U);
    EXPECT_THAT(
        answers[0].tasks, ElementsAre(HeartbeatAnswer::Line{task, stale, TaskOrder::kDrop})
    );
    EXPECT_EQ(view(task).progress.step, 1);
}

TEST_F(Dispatching, HeartbeatsKeepATask) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    for (Duration time{}; time < 3 * kLease; time += kHeartbeat) {
        pass(kHeartbeat);
        worker.beat({{task, given.epoch, {1, 8, "steps"}, ""}});
    }
    EXPECT_EQ(view(task).state, TaskState::kRunning);
    EXPECT_EQ(view(task).infrastructure_losses, 0);
}

TEST_F(Dispatching, ACancelledTaskIsStoppedAtOnce) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    queue_->cancel(task.job, [](const auto& done) { EXPECT_TRUE(done); });
    settle();
    EXPECT_THAT(worker.heard<CancelTask>(), ElementsAre(CancelTask{task, given.epoch}));
    EXPECT_THAT(dispatcher_->workers()[0].tasks, IsEmpty());
}

TEST_F(Dispatching, AResultThatIsNotInTheStoreIsNone) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    const AssignTask given = give(worker);
    missing_object_ = test_result().object.sha256;
    worker.say(TaskCompleted{task, given.epoch, test_result()});
    settle();
    EXPECT_THAT(worker.heard<TaskSettled>(), SizeIs(1));
    EXPECT_EQ(view(task).state, TaskState::kReady);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
    EXPECT_THAT(view(task).failure->message, HasSubstr(missing_object_));
    EXPECT_EQ(give(worker).task, task);
}

TEST_F(Dispatching, ADrainingWorkerGetsNothingNew) {
    Peer worker = connect(hello("w1"));
    worker.say(WorkerReady{1});
    settle();
    EXPECT_TRUE(dispatcher_->drain({"w1"}));
    settle();
    EXPECT_THAT(worker.heard<DrainOrder>(), SizeIs(1));
    const TaskId task = enqueued();
    EXPECT_THAT(worker.heard<AssignTask>(), IsEmpty());
    EXPECT_EQ(view(task).state, TaskState::kReady);
    EXPECT_TRUE(dispatcher_->workers()[0].view.draining);
    const Status nobody = dispatcher_->drain({"nobody"});
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().kind, ErrorKind::kNotFound);
}

TEST_F(Dispatching, ASilentWorkerGetsNothingNewUntilItIsHeardOf) {
    Peer worker = connect(hello("w1"));
    worker.say(WorkerReady{1});
    pass(kHeartbeat);
    pass(2 * kHeartbeat + milliseconds(1));
    EXPECT_TRUE(dispatcher_->workers()[0].silent);
    const TaskId task = enqueued();
    EXPECT_THAT(worker.heard<AssignTask>(), IsEmpty());
    worker.beat();
    settle();
    EXPECT_FALSE(dispatcher_->workers()[0].silent);
    ASSERT_THAT(worker.heard<AssignTask>(), SizeIs(1));
    EXPECT_EQ(view(task).worker.value, "w1");
}

TEST_F(Dispatching, AWorkerThatStaysSilentIsLost) {
    const TaskId task = enqueued();
    Peer worker = connect(hello("w1"));
    give(worker);
    pass(kLease + milliseconds(1));
    EXPECT_TRUE(worker.closed());
    EXPECT_THAT(dispatcher_->workers(), IsEmpty());
    EXPECT_EQ(view(task).state, TaskState::kReady);
    EXPECT_EQ(view(task).infrastructure_losses, 1);
    Peer other = connect(hello("other"));
    EXPECT_EQ(give(other).task, task);
}

TEST_F(Dispatching, ALinkThatIsFloodedIsClosedAndTheOthersAreServed) {
    const TaskId task = enqueued();
    Peer good = connect(hello("good"));
    Peer bad = connect(hello("bad"));
    Peer stranger(*dispatcher_);
    // As much as a worker of the most slots may have to say at once.
    constexpr int kMuch = 4 * kMaxSlots;
    for (int i = 0; i < kMuch; ++i) {
        bad.beat();
    }
    settle();
    EXPECT_FALSE(bad.closed());
    for (int i = 0; i < kMuch + 100; ++i) {
        bad.beat();
        stranger.say(hello("stranger"));
    }
    settle();
    EXPECT_TRUE(bad.closed());
    EXPECT_TRUE(stranger.closed());
    EXPECT_THAT(bad.heard<Goodbye>(), SizeIs(1));
    EXPECT_THAT(said_, testing::Contains(HasSubstr("worker bad")));
    ASSERT_THAT(dispatcher_->workers(), SizeIs(1));
    EXPECT_EQ(dispatcher_->workers()[0].view.id.value, "good");
    EXPECT_EQ(give(good).task, task);
}

TEST_F(Dispatching, AWorkerWhoseLinkWasFloodedMayComeBackToItsTask) {
    const TaskId task = enqueued();
    Peer bad = connect(hello("bad"));
    const AssignTask given = give(bad);
    for (int i = 0; i <= 4 * kMaxSlots; ++i) {
        bad.beat({{task, given.epoch, {1, 8, "steps"}, ""}});
    }
    settle();
    ASSERT_TRUE(bad.closed());
    WorkerHello again = hello("bad");
    again.holds = {{task, given.epoch}};
    EXPECT_THAT(connect(again).heard<ServerHello>()[0].kept, SizeIs(1));
    EXPECT_EQ(view(task).infrastructure_losses, 0);
}

TEST_F(Dispatching, StoppingSaysGoodbye) {
    Peer worker = connect(hello("w1"));
    dispatcher_->stop();
    const auto goodbyes = worker.heard<Goodbye>();
    ASSERT_THAT(goodbyes, SizeIs(1));
    EXPECT_TRUE(goodbyes[0].retry);
    EXPECT_TRUE(worker.closed());
}

}  // namespace
}  // namespace tessera
