#include "worker/worker.h"

#include "worker/manual_clock_test.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const TaskId kTask{{"01kb0000000000000000000000"}, 0};

/// A server as its worker sees it; the test speaks for it.
class Server final : public FarmTransport {
  public:
    Result<std::unique_ptr<FarmLink>> connect(Events events) override {
        const std::lock_guard lock(mutex_);
        events_ = std::move(events);
        return std::make_unique<Link>(*this);
    }

    void tell(ServerMessage message) const { events_.on_message(std::move(message)); }
    /// The next message of this type; others are passed over.
    template <class Message>
    Message hear() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return !heard_.empty(); });
            const WorkerMessage message = std::move(heard_.front());
            heard_.pop_front();
            if (const auto* wanted = std::get_if<Message>(&message)) {
                return *wanted;
            }
        }
    }
    /// Hears the hello, welcomes the worker and gives it the task.
    void assign() {
        (void)hear<WorkerHello>();
        welcome();
        AssignTask task;
        task.task = kTask;
        task.epoch = {1};
        tell(std::move(task));
    }
    void welcome() const {
        ServerHello hello;
        hello.heartbeat_seconds = 0.01;
        hello.lease_seconds = 30.0;
        tell(std::move(hello));
    }
    void settle() const { tell(TaskSettled{kTask, {1}, true, {}}); }

  private:
    class Link final : public FarmLink {
      public:
        explicit Link(Server& server) : server_(server) {}
        bool send(const WorkerMessage& message) override {
            const std::lock_guard lock(server_.mutex_);
            server_.heard_.push_back(message);
            server_.changed_.notify_all();
            return true;
        }

      private:
        Server& server_;
    };

    Events events_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<WorkerMessage> heard_;
};

class NoObjects final : public TaskObjects {
  public:
    Result<Bytes> fetch(
        const ObjectRef& /*object*/, const std::string& /*token*/, const std::stop_token& /*stop*/
    ) override {
        return fail(ErrorKind::kNotFound, "there are no objects");
    }
    Result<ObjectRef> store(
        ByteView /*bytes*/,
        const std::string& /*media_type*/,
        const std::string& /*token*/,
        const std::stop_token& /*stop*/
    ) override {
        return fail(ErrorKind::kUnavailable, "there is no store");
    }
};

/// A render that does nothing until the test lets it end, and a list of models that may come late.
class Renderer final : public TaskRunner {
  public:
    Result<TaskResult> run(
        const AssignTask& /*task*/, TaskContext& context, const std::stop_token& stop
    ) override {
        context.expect_step(1.0);
        const std::stop_callback on_stop(stop, [this] { end.release(); });
        begun.release();
        end.acquire();
        if (stop.stop_requested()) {
            return fail(ErrorKind::kCancelled, "stopped");
        }
        return TaskResult{};
    }
    std::vector<ModelOffer> models() const override { return list(); }
    std::string fingerprint() const override { return "engine"; }

    std::function<std::vector<ModelOffer>()> list = [] { return std::vector<ModelOffer>{}; };
    std::counting_semaphore<> begun{0};
    std::counting_semaphore<> end{0};
};

class WorkerTest : public testing::Test {
  protected:
    ~WorkerTest() override {
        abandon_.request_stop();
        drain_.request_stop();
    }

    void start(const Clock& clock = Clock::system()) {
        WorkerOptions options;
        options.identity.worker = {"w1"};
        options.say = [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            said_.push_back(line);
        };
        options.on_stuck = [this](const std::string& why) {
            const std::lock_guard lock(mutex_);
            if (std::exchange(stuck_, why).empty()) {
                got_stuck_.release();
            }
        };
        worker_.emplace(std::move(options), server_, objects_, renderer_, clock, Entropy::system());
        life_ = std::jthread([this] {
            ended_ = worker_->run(drain_.get_token(), abandon_.get_token());
        });
    }
    /// How the worker's life ended.
    Status end() {
        life_.join();
        return ended_;
    }

    ManualClock clock_;
    Server server_;
    NoObjects objects_;
    Renderer renderer_;
    std::stop_source drain_;
    std::stop_source abandon_;
    std::counting_semaphore<> got_stuck_{0};
    std::mutex mutex_;  // guards what follows
    std::vector<std::string> said_;
    std::string stuck_;

  private:
    Status ended_;
    std::optional<Worker> worker_;
    std::jthread life_;
};

TEST_F(WorkerTest, ADrainedWorkerFinishesWhatItHasBegun) {
    start();
    server_.assign();
    renderer_.begun.acquire();
    drain_.request_stop();
    (void)server_.hear<WorkerLeaving>();
    renderer_.end.release();
    EXPECT_EQ(server_.hear<TaskCompleted>().task, kTask);
    server_.settle();
    EXPECT_TRUE(end());
}

TEST_F(WorkerTest, AnAbandonedWorkerGivesItsTasksBack) {
    start();
    server_.assign();
    renderer_.begun.acquire();
    abandon_.request_stop();
    const auto failed = server_.hear<TaskFailed>();
    EXPECT_EQ(failed.failure.fault, FaultKind::kInfrastructure);
    server_.settle();
    EXPECT_TRUE(end());
}

TEST_F(WorkerTest, LeavesForGoodWhenItIsNotWanted) {
    start();
    (void)server_.hear<WorkerHello>();
    server_.tell(Goodbye{"another version", false});
    const Status ended = end();
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().message, HasSubstr("another version"));
}

TEST_F(WorkerTest, GivesUpATaskThatDoesNotMoveAndSaysSo) {
    start(clock_);
    server_.assign();
    renderer_.begun.acquire();
    clock_.advance(std::chrono::minutes(2));
    const auto failed = server_.hear<TaskFailed>();
    EXPECT_EQ(failed.failure.fault, FaultKind::kTask);
    EXPECT_TRUE(failed.failure.retryable);
    EXPECT_THAT(failed.failure.message, HasSubstr("has not moved"));
    got_stuck_.acquire();
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(stuck_, failed.failure.message);
    server_.settle();
}

TEST_F(WorkerTest, TheHeartBeatsWhileTheModelsAreLookedFor) {
    std::counting_semaphore<> looking{0};
    std::counting_semaphore<> found{0};
    renderer_.list = [&, is_first = true]() mutable {
        if (!std::exchange(is_first, false)) {
            looking.release();
            found.acquire();
        }
        return std::vector<ModelOffer>{{"a model", false}};
    };
    start();
    (void)server_.hear<WorkerHello>();
    server_.welcome();
    looking.acquire();
    const auto before = server_.hear<Heartbeat>().number;
    while (server_.hear<Heartbeat>().number < before + 3) {
    }
    drain_.request_stop();
    found.release(1000);
    EXPECT_TRUE(end());
}

TEST_F(WorkerTest, OffersTheFirstOfTooManyModels) {
    renderer_.list = [] {
        std::vector<ModelOffer> models;
        for (std::size_t i = 0; i <= kMaxModelOffers; ++i) {
            models.push_back({fmt::format("model {}", i), false});
        }
        return models;
    };
    start();
    const auto hello = server_.hear<WorkerHello>();
    ASSERT_EQ(hello.models.size(), kMaxModelOffers);
    EXPECT_EQ(hello.models.front().affinity, "model 0");
    const std::lock_guard lock(mutex_);
    EXPECT_THAT(said_, ElementsAre(HasSubstr("257 models")));
}

}  // namespace
}  // namespace tessera
