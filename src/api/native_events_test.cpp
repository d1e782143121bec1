#include "api/native_client_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

/// What is heard, on whatever thread, in order.
class Ear {
  public:
    void hear(Json event) {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
        changed_.notify_all();
    }
    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        changed_.notify_all();
    }
    bool await_close() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return is_closed_; });
    }
    /// Waits for such an event.
    Json await(const std::string& name) {
        std::unique_lock lock(mutex_);
        Json found;
        const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
            for (const Json& event : events_) {
                if (event.at("event") == name) {
                    found = event;
                    return true;
                }
            }
            return false;
        });
        EXPECT_TRUE(came) << "no " << name << " was heard";
        return found;
    }
    std::vector<std::string> names() {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all;
        for (const Json& event : events_) {
            all.push_back(event.at("event"));
        }
        return all;
    }
    std::vector<Json> all() {
        const std::lock_guard lock(mutex_);
        return events_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Json> events_;
    bool is_closed_ = false;
};

/// A client that reads a stream of server-sent events until it ends or is stopped.
class StreamListener {
  public:
    StreamListener(
        const TestFarm& farm,
        const std::string& key,
        const std::string& target,
        const std::string& last_id = {}
    )
        : thread_([this, &farm, key, target, last_id](const std::stop_token& stop) {
              http::Request request;
              request.method = "GET";
              request.target = target;
              request.fields.set("Authorization", "Bearer " + key);
              if (!last_id.empty()) {
                  request.fields.set("Last-Event-ID", last_id);
              }
              http::Client client = farm.client();
              std::string text;
              const auto answer = client.stream(
                  request,
                  [&](std::string_view part) {
                      text += part;
                      take_events(text);
                      return true;
                  },
                  stop
              );
              status_ = answer ? answer->status : 0;
              ear.close();
          }) {}
    /// Of an ended one.
    [[nodiscard]] int status() {
        EXPECT_TRUE(ear.await_close());
        thread_.join();
        return status_;
    }

    Ear ear;

  private:
    void take_events(std::string& text) {
        for (auto end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
            const std::string event = text.substr(0, end);
            text.erase(0, end + 2);
            if (const auto data = event.find("data: "); data != std::string::npos) {
                ear.hear(Json::parse(event.substr(data + 6, event.find('\n', data) - data - 6)));
            }
        }
    }

    int status_ = 0;
    std::jthread thread_;
};

class NativeEvents : public ::testing::Test {
  protected:
    /// Every event fits the document.
    void check(Ear& ear) {
        for (const Json& event : ear.all()) {
            EXPECT_EQ(document.check("Event", event), "") << event.dump();
        }
    }

    void await_listeners(std::size_t count) const {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (farm.bus.subscribers() != count) {
            ASSERT_LT(std::chrono::steady_clock::now(), until)
                << farm.bus.subscribers() << " listen instead of " << count;
            std::this_thread::yield();
        }
    }

    TestFarm farm;
    NativeClient alice{farm, farm.alice};
    OpenApi document;
};

TEST_F(NativeEvents, TellAJobFromBeginningToEnd) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}});
    const AssignTask task = worker.take();
    StreamListener stream(farm, farm.alice, "/api/v1/events?job=" + id);
    EXPECT_EQ(stream.ear.await("job").at("state").at("id"), id) << "first, how it stands";
    worker.beat(task, 2, 8, "a small jpeg");
    EXPECT_EQ(stream.ear.await("progress").at("step"), 2);
    EXPECT_EQ(stream.ear.await("preview").at("jpeg"), "YSBzbWFsbCBqcGVn");
    worker.finish(task);
    const Json unit = stream.ear.await("unit_done");
    EXPECT_EQ(unit.at("image").at("href"), "/api/v1/jobs/" + id + "/images/0");
    EXPECT_EQ(stream.ear.await("done").at("job"), id);
    EXPECT_EQ(stream.status(), 200) << "which ends the stream";
    EXPECT_EQ(stream.ear.names().back(), "done");
    check(stream.ear);
}

TEST_F(NativeEvents, GoOnWhereAClientLeftOff) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}, {"count", 2}});
    StreamListener before(farm, farm.alice, "/api/v1/events?job=" + id + "&previews=0");
    await_listeners(1);
    worker.finish(worker.take());
    const std::string seen = before.ear.await("unit_done").at("id");
    worker.finish(worker.take());
    before.ear.await("done");
    StreamListener after(farm, farm.alice, "/api/v1/events?job=" + id, seen);
    EXPECT_EQ(after.status(), 200);
    const auto names = after.ear.names();
    EXPECT_EQ(std::ranges::count(names, "unit_done"), 1) << "the second picture alone";
    EXPECT_EQ(names.back(), "done");
    const std::string last = after.ear.all().back().at("id");
    StreamListener nothing(farm, farm.alice, "/api/v1/events?job=" + id, last);
    EXPECT_EQ(nothing.status(), 204) << "all of it was heard";
}

TEST_F(NativeEvents, SayWhenSomeOfThemAreForgotten) {
    const std::string id = alice.submit({{"prompt", "x"}});
    StreamListener stream(farm, farm.alice, "/api/v1/events?job=" + id, "1152921504606846976");
    stream.ear.await("reset");
    EXPECT_EQ(stream.ear.await("job").at("state").at("state"), "queued");
    check(stream.ear);
}

TEST_F(NativeEvents, OfAnEndedJobAreItsState) {
    const std::string id = alice.submit({{"prompt", "x"}});
    alice.post("/api/v1/jobs/" + id + "/cancel");
    StreamListener stream(farm, farm.alice, "/api/v1/events?job=" + id);
    EXPECT_EQ(stream.status(), 200);
    EXPECT_EQ(stream.ear.await("job").at("state").at("state"), "cancelled");
}

TEST_F(NativeEvents, AreATenantsOwn) {
    StreamListener alices(farm, farm.alice, "/api/v1/events");
    StreamListener everything(farm, farm.admin, "/api/v1/events");
    await_listeners(2);
    NativeClient bob(farm, farm.bob);
    const std::string theirs = bob.submit({{"prompt", "x"}});
    const std::string hers = alice.submit({{"prompt", "x"}});
    EXPECT_EQ(alices.ear.await("queued").at("job"), hers);
    EXPECT_EQ(everything.ear.await("queued").at("job"), theirs);
    EXPECT_EQ(bob.get("/api/v1/events?job=" + hers).status, 404);
}

TEST_F(NativeEvents, RefuseQuestionsThatMakeNoSense) {
    EXPECT_EQ(alice.get("/api/v1/events?job=nothing").status, 404);
    EXPECT_EQ(alice.get("/api/v1/events?previews=2").status, 400);
    EXPECT_EQ(alice.get("/api/v1/events?after=yesterday").status, 400);
    EXPECT_EQ(alice.get("/api/v1/events?jobs=x").status, 400);
}

TEST_F(NativeEvents, StopBeingSentToClientsThatHaveGone) {
    {
        StreamListener stream(farm, farm.alice, "/api/v1/events");
        await_listeners(1);
        alice.submit({{"prompt", "x"}});
        stream.ear.await("queued");
    }
    await_listeners(0);
}

TEST_F(NativeEvents, ComeByWebSocketToo) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}});
    Ear ear;
    http::WebSocketClientEvents events;
    events.on_message = [&ear](const std::string& message, bool is_binary) {
        EXPECT_FALSE(is_binary);
        ear.hear(Json::parse(message));
    };
    events.on_closed = [&ear](const Error&) { ear.close(); };
    const std::string address = "ws" + farm.url().substr(std::string_view("http").size());
    const auto open = [&](const std::string& key) {
        http::Fields shown;
        shown.set("Authorization", "Bearer " + key);
        return http::WebSocketClient::open(
            address + "/api/v1/events/ws?job=" + id,
            shown,
            events,
            std::chrono::seconds(15),
            1U << 20U
        );
    };
    EXPECT_FALSE(open(farm.bob)) << "somebody else's job";
    const auto socket = open(farm.alice);
    ASSERT_TRUE(socket.has_value()) << socket.error().message;
    ear.await("job");
    worker.finish(worker.take());
    ear.await("unit_done");
    ear.await("done");
    EXPECT_TRUE(ear.await_close());
    check(ear);
}

}  // namespace
}  // namespace tessera::api
