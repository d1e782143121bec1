#include "api/native_client_test.h"
#include "api/object_grants.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

namespace tessera::api {
namespace {

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
