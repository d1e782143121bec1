#include "http/client.h"
#include "http/loopback_test.h"
#include "http/server.h"

#include <gmock/gmock.h>

#include <deque>
#include <thread>
#include <vector>

namespace tessera::http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kMessageLimit = 100'000;

std::string upgrade(const std::string& path = "/echo") {
    return "GET " + path +
           " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

/// A short frame as a client sends it, masked with zeros.
std::string frame(unsigned char first, std::string_view payload) {
    std::string bytes{static_cast<char>(first), static_cast<char>(0x80U | payload.size())};
    return bytes + std::string(4, '\0') + std::string(payload);
}

/// The code of the close frame at the end of what came.
int close_code(const std::string& received) {
    const auto at = received.rfind('\x88');
    return at == std::string::npos || at + 3 >= received.size()
               ? 0
               : static_cast<unsigned char>(received[at + 2]) * 256 +
                     static_cast<unsigned char>(received[at + 3]);
}

/// What a client of ours hears.
struct Heard {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> messages;
    Awaited<Error> closed;

    WebSocketClientEvents events() {
        return {
            .on_message =
                [this](std::string message, bool binary) {
                    const std::scoped_lock lock(mutex);
                    messages.push_back((binary ? "b:" : "t:") + message);
                    changed.notify_all();
                },
            .on_closed = [this](Error why) { closed.set(std::move(why)); }};
    }
    std::string next() {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, 10s, [&] { return !messages.empty(); });
        if (messages.empty()) {
            return "nothing";
        }
        auto message = std::move(messages.front());
        messages.pop_front();
        return message;
    }
};

class WebSocketTest : public LoopbackTest {
  protected:
    WebSocketTest() {
        router_.add_websocket(
            "/echo",
            [this](const Request&, std::shared_ptr<WebSocket> socket) -> Result<WebSocketEvents> {
                socket_.set(socket);
                return WebSocketEvents{
                    .on_message =
                        [socket](std::string message, bool binary) {
                            static_cast<void>(socket->send(std::move(message), binary));
                        },
                    .on_closed = [this] { closed_.set(true); }};
            },
            kMessageLimit,
            1U << 20U
        );
        router_.add_websocket(
            "/refuse",
            [](const Request& request,
               const std::shared_ptr<WebSocket>&) -> Result<WebSocketEvents> {
                return fail(ErrorKind::kDenied, "no {}", request.fields.get("Authorization"));
            },
            kMessageLimit
        );
    }
    ~WebSocketTest() override { server_.reset(); }

    Result<std::unique_ptr<WebSocketClient>> dial(
        Heard& heard, const std::string& path = "/echo", std::chrono::milliseconds ping = 15s
    ) const {
        Fields fields;
        fields.add("Authorization", "secret");
        return WebSocketClient::open(url("ws") + path, fields, heard.events(), ping, kMessageLimit);
    }
    /// What comes after the upgrade was agreed on, until the server closes.
    std::string after_upgrade(const std::string& frames) const {
        RawConnection connection(server_->port());
        connection.send(upgrade() + frames);
        const auto& received = connection.receive_all();
        EXPECT_THAT(received, StartsWith("HTTP/1.1 101"));
        return received.substr(std::min(received.find("\r\n\r\n") + 4, received.size()));
    }

    Awaited<std::shared_ptr<WebSocket>> socket_;
    Awaited<bool> closed_;
};

TEST_F(WebSocketTest, CarriesMessagesBothWaysInOrder) {
    start();
    Heard heard;
    const auto client = dial(heard);
    ASSERT_TRUE(client) << client.error().message;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE((*client)->send(std::to_string(i), i % 2 == 0));
    }
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(heard.next(), (i % 2 == 0 ? "b:" : "t:") + std::to_string(i));
    }
    const std::string large(kMessageLimit, 'x');
    ASSERT_TRUE((*client)->send(large, true));
    EXPECT_TRUE(heard.next() == "b:" + large);
    EXPECT_TRUE((*client)->send("", true));
    EXPECT_EQ(heard.next(), "b:");
    (*client)->close();
    EXPECT_FALSE((*client)->send("late", false));
    EXPECT_TRUE(closed_.get());
    EXPECT_EQ(heard.closed.get()->kind, ErrorKind::kCancelled);
}

TEST_F(WebSocketTest, TakesFramesSentTogetherWithTheUpgrade) {
    start();
    EXPECT_THAT(
        after_upgrade(frame(0x81, "early") + frame(0x88, "\x03\xE8")),
        AllOf(HasSubstr(std::string("\x81\x05") + "early"))
    );
    EXPECT_TRUE(closed_.get());
}

TEST_F(WebSocketTest, ClosesWithCodeAndReasonAfterWhatIsQueued) {
    start();
    Heard heard;
    const auto client = dial(heard);
    ASSERT_TRUE(client);
    const auto socket = socket_.get().value();
    EXPECT_TRUE(socket->send("last", false));
    socket->close(4001, "enough");
    EXPECT_FALSE(socket->send("late", false));
    EXPECT_EQ(heard.next(), "t:last");
    const auto why = heard.closed.get().value();
    EXPECT_EQ(why.kind, ErrorKind::kUnavailable);
    EXPECT_THAT(why.message, AllOf(HasSubstr("4001"), HasSubstr("enough")));
    EXPECT_TRUE(closed_.get());
}

TEST_F(WebSocketTest, RefusesUpgradesThatAreNone) {
    start();
    const std::string head = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\n";
    EXPECT_THAT(
        talk("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        AllOf(StartsWith("HTTP/1.1 426"), HasSubstr("Upgrade: websocket"))
    );
    EXPECT_THAT(talk(head + "Upgrade: h2c\r\n\r\n"), StartsWith("HTTP/1.1 426"));
    EXPECT_THAT(
        talk(head + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"),
        StartsWith("HTTP/1.1 400")
    );
    EXPECT_THAT(
        talk(
            head + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: short\r\n\r\n"
        ),
        StartsWith("HTTP/1.1 400")
    );
    EXPECT_THAT(
        talk(
            head + "Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ),
        AllOf(StartsWith("HTTP/1.1 426"), HasSubstr("Sec-WebSocket-Version: 13"))
    );
    EXPECT_FALSE(socket_.is_set());
}

TEST_F(WebSocketTest, RefusesForItsHandlerAndItsGuard) {
    router_.guard([](Request& request) -> std::optional<Response> {
        return request.fields.get("Authorization") == "secret"
                   ? std::nullopt
                   : std::optional(text_response(401, "who?"));
    });
    start();
    Heard heard;
    const auto client = dial(heard, "/refuse");
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(client.error().message, HasSubstr("403"));
    RawConnection connection(server_->port());
    connection.send(upgrade());
    EXPECT_TRUE(connection.receive_until("who?"));
    EXPECT_THAT(connection.received, StartsWith("HTTP/1.1 401"));
}

TEST_F(WebSocketTest, ClosesOnFramesThatBreakTheRules) {
    start();
    const std::string unmasked{'\x81', '\x01', 'a'};
    EXPECT_EQ(close_code(after_upgrade(unmasked)), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0xC1, "reserved bit"))), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0x83, "reserved code"))), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0x80, "continues nothing"))), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0x01, "a") + frame(0x81, "b"))), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0x09, "a ping in parts"))), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0x88, "x"))), 1002);
    EXPECT_EQ(close_code(after_upgrade(frame(0x81, "\xFF"))), 1007);
    const std::string long_ping =
        std::string{'\x89', '\xFE', '\x01', '\x00'} + std::string(4 + 256, '\0');
    EXPECT_EQ(close_code(after_upgrade(long_ping)), 1002);
}

TEST_F(WebSocketTest, ClosesOnMessagesAboveItsLimit) {
    start();
    const std::string huge{
        '\x82',
        '\xFF',
        '\x7F',
        '\xFF',
        '\xFF',
        '\xFF',
        '\xFF',
        '\xFF',
        '\xFF',
        '\xFF',
        '\0',
        '\0',
        '\0',
        '\0'};
    const auto answer = after_upgrade(huge);
    EXPECT_TRUE(close_code(answer) == 1009 || close_code(answer) == 1002) << close_code(answer);
    std::string fragments = frame(0x02, "a");
    for (int i = 0; i < 1000; ++i) {
        fragments += frame(0x00, std::string(120, 'x'));
    }
    EXPECT_EQ(close_code(after_upgrade(fragments)), 1009);
}

TEST_F(WebSocketTest, AnswersPings) {
    start();
    EXPECT_THAT(
        after_upgrade(frame(0x89, "are you there") + frame(0x88, "")),
        HasSubstr(std::string("\x8A\x0D") + "are you there")
    );
}

TEST_F(WebSocketTest, PingsAndEndsASilentPeer) {
    options_.ping_interval = 30ms;
    start();
    RawConnection connection(server_->port());
    connection.send(upgrade());
    const auto& received = connection.receive_all();
    EXPECT_THAT(received, HasSubstr(std::string("\x89\0", 2)));
    EXPECT_TRUE(closed_.get());
}

TEST_F(WebSocketTest, LeavesAQuietPeerThatAnswersPings) {
    options_.ping_interval = 20ms;
    start();
    Heard heard;
    const auto client = dial(heard);
    ASSERT_TRUE(client);
    RawConnection silent(server_->port());
    for (int i = 0; i < 3; ++i) {  // as long as three silent ones live
        RawConnection other(server_->port());
        other.send(upgrade());
        other.receive_all();
    }
    EXPECT_FALSE(heard.closed.is_set());
    EXPECT_TRUE((*client)->send("still here", false));
    EXPECT_EQ(heard.next(), "t:still here");
}

TEST_F(WebSocketTest, TellsBothSidesWhenTheServerStops) {
    start();
    Heard heard;
    const auto client = dial(heard);
    ASSERT_TRUE(client);
    server_->stop(5s);
    EXPECT_THAT(heard.closed.get()->message, HasSubstr("1001"));
    server_.reset();
    EXPECT_TRUE(closed_.get());
    EXPECT_FALSE(socket_.get().value()->send("to nobody", false));
}

TEST_F(WebSocketTest, TellsTheOwnerOnceWhenTheClientVanishes) {
    start();
    {
        RawConnection connection(server_->port());
        connection.send(upgrade());
        ASSERT_TRUE(connection.receive_until("\r\n\r\n"));
    }
    EXPECT_TRUE(closed_.get());
    EXPECT_FALSE(socket_.get().value()->send("to nobody", false));
}

TEST_F(WebSocketTest, KeepsALaterStateForASlowReader) {
    start();
    RawConnection connection(server_->port(), 4096);
    connection.send(upgrade());
    ASSERT_TRUE(connection.receive_until("\r\n\r\n"));
    const auto socket = socket_.get().value();
    const std::string block(50'000, 'x');
    int refused = 0;
    for (int i = 0; refused < 3 && i < 100'000; ++i) {
        refused += socket->send(block, true) ? 0 : 1;
        std::this_thread::yield();
    }
    ASSERT_EQ(refused, 3);
    while (!socket->send_latest("steps", "<1>", false)) {
        ASSERT_TRUE(connection.receive());
    }
    for (int step = 2; step <= 1000; ++step) {
        ASSERT_TRUE(socket->send_latest("steps", fmt::format("<{}>", step), false));
    }
    EXPECT_TRUE(connection.receive_until("<1000>"));
}

TEST_F(WebSocketTest, LetsAClientGoFromWithinItsOwnCallback) {
    start();
    std::unique_ptr<WebSocketClient> client;
    Awaited<bool> is_over;
    Awaited<bool> is_open;
    WebSocketClientEvents events{
        .on_message =
            [&](const std::string&, bool) {
                static_cast<void>(is_open.get());
                client.reset();
                is_over.set(true);
            },
        .on_closed = {}};
    client = WebSocketClient::open(url("ws") + "/echo", {}, events, 15s, kMessageLimit).value();
    EXPECT_TRUE(client->send("x", false));
    is_open.set(true);
    EXPECT_TRUE(is_over.get());
    EXPECT_TRUE(closed_.get());
}

TEST_F(WebSocketTest, SaysWhyItCannotBeOpened) {
    start();
    Heard heard;
    const auto missing = dial(heard, "/none");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("404"));
    server_->stop(0ms);
    EXPECT_EQ(dial(heard).error().kind, ErrorKind::kUnavailable);
    EXPECT_FALSE(heard.closed.is_set());
}

}  // namespace
}  // namespace tessera::http
