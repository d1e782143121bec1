#include "http/loopback_test.h"
#include "http/server.h"
#include "http/sse.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace tessera::http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Response event_stream() {
    Response head;
    head.fields.add("Content-Type", "text/event-stream");
    return head;
}

class StreamTest : public LoopbackTest {
  protected:
    StreamTest() {
        router_.add("GET", "/events", [this](const std::shared_ptr<Exchange>& exchange) {
            stream_.set(exchange->stream(event_stream()));
        });
    }
    ~StreamTest() override { server_.reset(); }  // its handlers use what follows
    static void ask(RawConnection& connection, const std::string& version = "1.1") {
        connection.send("GET /events HTTP/" + version + "\r\nHost: a\r\n\r\n");
    }

    Awaited<std::shared_ptr<ResponseStream>> stream_;
};

TEST_F(StreamTest, SendsPartsAsTheyComeAndKeepsTheConnection) {
    start();
    RawConnection connection(server_->port());
    ask(connection);
    const auto stream = stream_.get().value();
    ASSERT_TRUE(connection.receive_until("\r\n\r\n"));
    EXPECT_THAT(
        connection.received,
        AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Transfer-Encoding: chunked"))
    );
    connection.received.clear();
    EXPECT_TRUE(stream->send(format_event("step", "1")));
    ASSERT_TRUE(connection.receive_until("15\r\nevent: step\ndata: 1\n\n\r\n"));
    EXPECT_TRUE(stream->send(""));
    EXPECT_TRUE(stream->send("x"));
    stream->finish();
    EXPECT_FALSE(stream->send("y"));
    ASSERT_TRUE(connection.receive_until("1\r\nx\r\n0\r\n\r\n"));
    connection.received.clear();
    ask(connection);
    EXPECT_TRUE(connection.receive_until("200 OK"));
}

TEST_F(StreamTest, EndsWhenItIsDropped) {
    start();
    RawConnection connection(server_->port());
    ask(connection);
    static_cast<void>(stream_.get().value()->send("last"));
    stream_.set(nullptr);
    EXPECT_TRUE(connection.receive_until("last\r\n0\r\n\r\n"));
}

TEST_F(StreamTest, EndsByClosingForHttp10) {
    start();
    RawConnection connection(server_->port());
    ask(connection, "1.0");
    const auto stream = stream_.get().value();
    static_cast<void>(stream->send("part"));
    stream->finish();
    EXPECT_TRUE(connection.receive_all().ends_with("\r\n\r\npart"));
}

TEST_F(StreamTest, GivesHeadNoParts) {
    start();
    RawConnection connection(server_->port());
    connection.send("HEAD /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(connection.receive_all().ends_with("\r\n\r\n"));
    EXPECT_FALSE(stream_.get().value()->send("x"));
}

TEST_F(StreamTest, TellsThatItsClientHasGone) {
    start();
    RawConnection connection(server_->port());
    ask(connection);
    const auto stream = stream_.get().value();
    Awaited<bool> gone;
    stream->on_gone([&] { gone.set(true); });
    connection.close();
    EXPECT_TRUE(gone.get());
    EXPECT_FALSE(stream->send("x"));
}

TEST_F(StreamTest, PingsEventStreams) {
    options_.ping_interval = 20ms;
    start();
    RawConnection connection(server_->port());
    ask(connection);
    const auto stream = stream_.get().value();
    EXPECT_TRUE(connection.receive_until(":\n\n\r\n3\r\n:\n\n"));
}

TEST_F(StreamTest, GivesASlowReaderTheLatestOfWhatFits) {
    start();
    RawConnection connection(server_->port(), 4096);
    ask(connection);
    const auto stream = stream_.get().value();
    // Fill what the kernel takes; then what waits with us is bounded.
    const std::string block(4000, 'x');
    int refused = 0;
    int taken = 0;
    for (; refused < 3 && taken < 100'000; ++taken) {
        refused += stream->send(block) ? 0 : 1;
        std::this_thread::yield();
    }
    ASSERT_EQ(refused, 3);
    EXPECT_FALSE(stream->send_latest("new", block));
    // What is replaced while it waits needs no more room.
    while (!stream->send_latest("steps", "<1>")) {
        ASSERT_TRUE(connection.receive());
    }
    for (int step = 2; step <= 1000; ++step) {
        ASSERT_TRUE(stream->send_latest("steps", fmt::format("<{}>", step)));
    }
    ASSERT_TRUE(connection.receive_until("<1000>"));
    std::size_t steps = 0;
    for (const char byte : connection.received) {
        steps += byte == '<' ? 1U : 0U;
    }
    EXPECT_LT(steps, 10U);
}

TEST_F(StreamTest, EndsAReaderThatTakesNothing) {
    options_.idle_timeout = 200ms;
    start();
    RawConnection connection(server_->port(), 4096);
    ask(connection);
    const auto stream = stream_.get().value();
    Awaited<bool> gone;
    stream->on_gone([&] { gone.set(true); });
    const std::string block(60'000, 'x');
    while (!gone.is_set()) {
        static_cast<void>(stream->send(block));
        std::this_thread::yield();
    }
    EXPECT_FALSE(stream->send("x"));
}

TEST_F(StreamTest, SendsManyPartsFromManyThreads) {
    options_.stream_backlog = 10U << 20U;
    start();
    RawConnection connection(server_->port());
    ask(connection);
    const auto stream = stream_.get().value();
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; ++i) {
        senders.emplace_back([&] {
            for (int j = 0; j < 500; ++j) {
                EXPECT_TRUE(stream->send("#"));
            }
        });
    }
    for (auto& sender : senders) {
        sender.join();
    }
    stream->finish();
    ASSERT_TRUE(connection.receive_until("0\r\n\r\n"));
    EXPECT_EQ(std::count(connection.received.begin(), connection.received.end(), '#'), 2000);
}

}  // namespace
}  // namespace tessera::http
