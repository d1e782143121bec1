#include "api/native_client_test.h"
#include "api/object_grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

namespace tessera::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A worker on a real link.
class LinkedWorker {
  public:
    explicit LinkedWorker(const TestFarm& farm, const std::string& key) {
        http::Fields fields;
        fields.set("Authorization", "Bearer " + key);
        http::WebSocketClientEvents events;
        events.on_message = [this](const std::string& frame, bool is_binary) {
            const auto message = decode_server_message(frame);
            EXPECT_TRUE(is_binary && message.has_value());
            const std::lock_guard lock(mutex_);
            messages_.push_back(*message);
            changed_.notify_all();
        };
        events.on_closed = [this](const Error&) {
            const std::lock_guard lock(mutex_);
            is_closed_ = true;
            changed_.notify_all();
        };
        auto opened = http::WebSocketClient::open(
            farm.url() + "/internal/worker",
            fields,
            std::move(events),
            std::chrono::seconds(15),
            kMaxFrameBytes
        );
        if (opened) {
            socket = *std::move(opened);
        } else {
            error = opened.error();
        }
    }
    ~LinkedWorker() { socket.reset(); }
    LinkedWorker(const LinkedWorker&) = delete;
    LinkedWorker& operator=(const LinkedWorker&) = delete;

    void say(const WorkerMessage& message) {
        EXPECT_TRUE(socket->send(encode(message).value(), true));
    }
    void say_hello() {
        WorkerHello hello;
        hello.worker = WorkerId{"linked"};
        hello.node = "here";
        hello.program = "tessera 0";
        hello.fingerprint = "fingerprint";
        hello.slots = 1;
        hello.models = {{"demo " + sha256_hex(as_bytes("demo")), true}};
        say(hello);
        say(WorkerReady{1});
    }
    /// The next message of that type.
    template <class Message>
    Message await() {
        std::unique_lock lock(mutex_);
        Message found;
        const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
            while (!messages_.empty()) {
                const ServerMessage message = std::move(messages_.front());
                messages_.pop_front();
                if (const auto* wanted = std::get_if<Message>(&message)) {
                    found = *wanted;
                    return true;
                }
            }
            return false;
        });
        EXPECT_TRUE(came);
        return found;
    }
    bool await_close() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return is_closed_; });
    }

    std::unique_ptr<http::WebSocketClient> socket;
    std::optional<Error> error;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<ServerMessage> messages_;
    bool is_closed_ = false;
};

class WorkerRoutes : public ::testing::Test {
  protected:
    /// Stores bytes as the task's; their hash.
    std::string store(const AssignTask& task, const std::string& bytes) {
        const std::string hash = sha256_hex(as_bytes(bytes));
        EXPECT_EQ(put(hash, bytes, task.object_token).status, 201);
        return hash;
    }
    std::string keep_checkpoint(
        LinkedWorker& worker, const AssignTask& task, const std::string& latents
    ) {
        const std::string hash = store(task, latents);
        const ObjectRef object{hash, latents.size(), "application/octet-stream"};
        worker.say(TaskCheckpointed{task.task, task.epoch, {object, 3, "fingerprint"}});
        return hash;
    }
    std::string finish(LinkedWorker& worker, const AssignTask& task, const std::string& picture) {
        const std::string hash = store(task, picture);
        TaskResult result;
        result.object = {hash, picture.size(), "image/png"};
        result.width = 64;
        result.height = 64;
        worker.say(TaskCompleted{task.task, task.epoch, result});
        EXPECT_TRUE(worker.await<TaskSettled>().accepted);
        farm.ended(task.task.job.value);
        return hash;
    }
    [[nodiscard]] std::vector<std::string> stored() const {
        std::vector<std::string> hashes;
        const auto collect = [&hashes](const ObjectInfo& object) {
            hashes.push_back(object.sha256);
            return true;
        };
        EXPECT_TRUE(farm.store->list(collect));
        return hashes;
    }

    /// What is left once so many are, if that comes to be: that a task has ended is heard of a
    /// moment after it is settled.
    [[nodiscard]] std::vector<std::string> tidied_to(std::size_t count) const {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        do {
            EXPECT_TRUE(farm.objects->tidy());
        } while (stored().size() > count && std::chrono::steady_clock::now() < until);
        return stored();
    }

    http::Response put(
        const std::string& hash, const std::string& bytes, const std::string& token
    ) {
        return farm.send("PUT", "/internal/objects/" + hash, token, bytes, "image/png");
    }
    std::string token_for(const std::vector<std::string>& reads, bool may_write) {
        ObjectGrant grant;
        grant.task = "01kb.0";
        grant.tenant = "alice";
        grant.expires = farm.clock.wall() + std::chrono::hours(1);
        grant.reads = reads;
        grant.may_write = may_write;
        grant.max_bytes = 1000;
        return object_tokens(std::string(32, 's'))->issue(grant).value();
    }

    TestFarm farm;
    NativeClient alice{farm, farm.alice};
};

TEST_F(WorkerRoutes, CarryATaskThereAndItsPictureBack) {
    const std::string input = fake_picture(64, 64, "input");
    alice.upload(input);
    const std::string id = alice.submit({{"prompt", "x"}, {"init", sha256_hex(as_bytes(input))}});
    LinkedWorker worker(farm, farm.worker_key);
    ASSERT_TRUE(worker.socket) << worker.error->message;
    worker.say_hello();
    EXPECT_EQ(worker.await<ServerHello>().version, kLinkVersion);
    const auto task = worker.await<AssignTask>();
    EXPECT_EQ(task.task.job.value, id);

    const auto fetched =
        farm.get("/internal/objects/" + sha256_hex(as_bytes(input)), task.object_token);
    EXPECT_EQ(fetched.body, input);
    const std::string picture = fake_picture(64, 64, "result");
    const std::string hash = sha256_hex(as_bytes(picture));
    EXPECT_EQ(put(hash, picture, task.object_token).status, 201);
    EXPECT_EQ(put(hash, picture, task.object_token).status, 201) << "and again";
    TaskResult result;
    result.object = {hash, picture.size(), "image/png"};
    result.width = 64;
    result.height = 64;
    worker.say(TaskCompleted{task.task, task.epoch, result});
    EXPECT_TRUE(worker.await<TaskSettled>().accepted);
    farm.ended(id);
    EXPECT_EQ(alice.get("/api/v1/jobs/" + id + "/images/0").body, picture);
}

TEST_F(WorkerRoutes, LeaveAPictureAndNoCheckpointOfATaskThatIsDone) {
    const std::string id = alice.submit({{"prompt", "x"}});
    LinkedWorker worker(farm, farm.worker_key);
    worker.say_hello();
    const auto task = worker.await<AssignTask>();
    keep_checkpoint(worker, task, "latents after a step");
    keep_checkpoint(worker, task, "latents after two");
    EXPECT_TRUE(farm.objects->tidy());
    EXPECT_THAT(stored(), SizeIs(2)) << "the task runs";
    const std::string picture = finish(worker, task, fake_picture(64, 64, "result"));
    EXPECT_THAT(tidied_to(1), ElementsAre(picture));
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + id).status, 204);
    EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(WorkerRoutes, LeaveNothingOfACancelledJobThatIsDeleted) {
    const std::string input = json_of(alice.upload(fake_picture(64, 64, "input"))).at("sha256");
    const std::string id = alice.submit({{"prompt", "x"}, {"init", input}});
    LinkedWorker worker(farm, farm.worker_key);
    worker.say_hello();
    const auto task = worker.await<AssignTask>();
    keep_checkpoint(worker, task, "latents");
    store(task, "what it was about to say");
    EXPECT_EQ(alice.post("/api/v1/jobs/" + id + "/cancel").status, 200);
    farm.ended(id);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + id).status, 204);
    EXPECT_THAT(stored(), ElementsAre(input)) << "which is an upload";
}

TEST_F(WorkerRoutes, LeaveNoCheckpointThatATaskHasOnlyRead) {
    alice.submit({{"prompt", "x"}});
    const std::string latents = "latents from before the server was started anew";
    const std::string hash = farm.store->put(as_bytes(latents), "")->sha256;
    {
        LinkedWorker lost(farm, farm.worker_key);
        lost.say_hello();
        const auto task = lost.await<AssignTask>();
        const ObjectRef object{hash, latents.size(), "application/octet-stream"};
        lost.say(TaskCheckpointed{task.task, task.epoch, {object, 3, "fingerprint"}});
    }
    LinkedWorker worker(farm, farm.worker_key);
    worker.say_hello();
    const auto task = worker.await<AssignTask>();
    ASSERT_TRUE(task.checkpoint);
    EXPECT_EQ(farm.get("/internal/objects/" + hash, task.object_token).body, latents);
    const std::string picture = finish(worker, task, fake_picture(64, 64, "result"));
    EXPECT_THAT(tidied_to(1), ElementsAre(picture));
}

TEST_F(WorkerRoutes, KeepWhatAnotherTaskHasStoredAsWell) {
    LinkedWorker worker(farm, farm.worker_key);
    worker.say_hello();
    const std::string picture = fake_picture(64, 64, "the same");
    const std::string first = alice.submit({{"prompt", "x"}});
    const std::string hash = finish(worker, worker.await<AssignTask>(), picture);
    worker.say(WorkerReady{1});
    const std::string second = alice.submit({{"prompt", "x"}});
    const auto task = worker.await<AssignTask>();
    store(task, picture);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + first).status, 204);
    EXPECT_THAT(stored(), ElementsAre(hash)) << "the second is about to say that it is its own";
    finish(worker, task, picture);
    EXPECT_TRUE(farm.objects->tidy());
    EXPECT_EQ(alice.get("/api/v1/jobs/" + second + "/images/0").body, picture);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + second).status, 204);
    EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(WorkerRoutes, RefuseWorkersWithAWrongKey) {
    const LinkedWorker stranger(farm, "tsr_wrong_key");
    EXPECT_FALSE(stranger.socket);
    const LinkedWorker user(farm, farm.admin);
    EXPECT_FALSE(user.socket);
}

TEST_F(WorkerRoutes, EndALinkThatSpeaksNonsenseAndSayWhy) {
    LinkedWorker worker(farm, farm.worker_key);
    ASSERT_TRUE(worker.socket);
    worker.say_hello();
    ASSERT_TRUE(worker.socket->send("\xff\xff nonsense", true));
    const auto goodbye = worker.await<Goodbye>();
    EXPECT_FALSE(goodbye.reason.empty());
    EXPECT_FALSE(goodbye.retry);
    EXPECT_TRUE(worker.await_close());

    LinkedWorker talker(farm, farm.worker_key);
    ASSERT_TRUE(talker.socket->send("hello", false));
    EXPECT_EQ(talker.await<Goodbye>().reason, "frames are binary messages");
    EXPECT_EQ(farm.get("/healthz", "").status, 200) << "the server stays up";
}

TEST_F(WorkerRoutes, KeepNothingWhoseHashIsAnother) {
    const std::string token = token_for({}, true);
    const std::string hash = sha256_hex(as_bytes("one thing"));
    const auto refused = put(hash, "another", token);
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(json_of(refused).at("error").at("code"), "corrupt");
    EXPECT_FALSE(farm.store->info(hash));
    EXPECT_FALSE(farm.store->info(sha256_hex(as_bytes("another"))));
    EXPECT_EQ(put(hash, "one thing", token).status, 201);
}

TEST_F(WorkerRoutes, ObjectsNeedATokenThatAllowsIt) {
    const std::string hash = farm.store->put(as_bytes("bytes"), "image/png")->sha256;
    const auto get = [&](const std::string& token) {
        return farm.get("/internal/objects/" + hash, token).status;
    };
    EXPECT_EQ(get(token_for({hash}, false)), 200);
    EXPECT_EQ(get(token_for({}, true)), 404) << "no input of the task";
    EXPECT_EQ(put(sha256_hex(as_bytes("x")), "x", token_for({hash}, false)).status, 403);
    for (const std::string& token :
         {std::string(),
          farm.alice,
          farm.admin,
          farm.worker_key,
          std::string("x"),
          token_for({hash}, true) + "x"}) {
        EXPECT_EQ(get(token), 403) << token;
        EXPECT_EQ(put(hash, "bytes", token).status, 403) << token;
    }
    EXPECT_EQ(put("../../keys", "x", token_for({}, true)).status, 404);
    EXPECT_EQ(put("ABC", "x", token_for({}, true)).status, 400);
    const std::string large(1001, 'x');
    EXPECT_EQ(put(sha256_hex(as_bytes(large)), large, token_for({}, true)).status, 400);
}

}  // namespace
}  // namespace tessera::api
