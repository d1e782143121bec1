#include "http/client.h"

#include "http/loopback_test.h"
#include "http/sse.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace tessera::http {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Answers each connection with fixed bytes, as a server that misbehaves.
class CannedServer {
  public:
    explicit CannedServer(std::vector<std::string> answers)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size);
        ::listen(socket_, 8);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this, answers = std::move(answers)] {
            for (const std::string& answer : answers) {
                const int client = ::accept(socket_, nullptr, nullptr);
                std::string request(16'384, '\0');
                static_cast<void>(::recv(client, request.data(), request.size(), 0));
                static_cast<void>(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
                ::close(client);
            }
        });
    }
    ~CannedServer() {
        thread_.join();
        ::close(socket_);
    }
    CannedServer(const CannedServer&) = delete;
    CannedServer& operator=(const CannedServer&) = delete;

    std::uint16_t port = 0;

  private:
    int socket_;
    std::thread thread_;
};

Request get(std::string target) {
    return {.method = "GET", .target = std::move(target)};
}

class ClientTest : public LoopbackTest {
  protected:
    ClientTest() {
        router_.add(
            "POST",
            "/echo",
            [](const std::shared_ptr<Exchange>& exchange) {
                auto response = text_response(201, exchange->request().body);
                response.fields.add("X-Query", exchange->request().query.at("q"));
                exchange->respond(std::move(response));
            },
            {.body_limit = 20U << 20U}
        );
        router_.add("GET", "/hello", [](const std::shared_ptr<Exchange>& exchange) {
            exchange->respond(text_response(200, "hello"));
        });
        router_.add("GET", "/hold", [this](std::shared_ptr<Exchange> exchange) {
            held_.set(std::move(exchange));
        });
        router_.add("GET", "/events", [](const std::shared_ptr<Exchange>& exchange) {
            const auto stream = exchange->stream({});
            for (int i = 0; i < 3; ++i) {
                static_cast<void>(stream->send(format_event("", std::to_string(i))));
            }
        });
    }
    ~ClientTest() override { server_.reset(); }  // its handlers use what follows
    Client client(ClientOptions options = {}) const {
        return std::move(Client::open(url(), std::move(options)).value());
    }

    Awaited<std::shared_ptr<Exchange>> held_;
};

TEST_F(ClientTest, SendsAndReceivesOnOneConnection) {
    start();
    auto asking = client();
    const std::string large(5U << 20U, 'x');
    for (int i = 0; i < 3; ++i) {
        auto request = get("/echo?q=a%20b");
        request.method = "POST";
        request.body = large;
        const auto response = asking.send(request);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, 201);
        EXPECT_EQ(response->fields.get("X-Query"), "a b");
        EXPECT_TRUE(response->body == large);
    }
    EXPECT_EQ(server_->connections(), 1U);
    EXPECT_EQ(asking.send(get("/none"))->status, 404);
    const Request head{.method = "HEAD", .target = "/hello"};
    EXPECT_EQ(asking.send(head)->body, "");
    EXPECT_EQ(asking.send(get("/hello"))->body, "hello");
}

TEST_F(ClientTest, HandsOnAStreamPartByPart) {
    start();
    auto asking = client();
    std::string all;
    const auto response = asking.stream(get("/events"), [&](std::string_view part) {
        all += part;
        return true;
    });
    ASSERT_TRUE(response);
    EXPECT_EQ(all, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    const auto stopped = asking.stream(get("/events"), [](std::string_view) { return false; });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
    EXPECT_EQ(asking.send(get("/hello"))->body, "hello");
}

TEST_F(ClientTest, OpensAnotherConnectionWhenTheServerHasClosedTheFirst) {
    options_.idle_timeout = 50ms;
    start();
    auto asking = client();
    ASSERT_TRUE(asking.send(get("/hello")));
    while (server_->connections() > 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(asking.send(get("/hello"))->body, "hello");
}

TEST_F(ClientTest, StopsAtOnceWhenAsked) {
    start();
    std::stop_source source;
    std::thread stopping([&] {
        EXPECT_TRUE(held_.get());
        source.request_stop();
    });
    const auto begun = std::chrono::steady_clock::now();
    const auto response = client().send(get("/hold"), source.get_token());
    stopping.join();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
    Awaited<bool> gone;
    held_.get().value()->on_gone([&] { gone.set(true); });
    EXPECT_TRUE(gone.get());
}

TEST_F(ClientTest, TellsWhatWentWrong) {
    start();
    ClientOptions hasty;
    hasty.idle_timeout = 50ms;
    EXPECT_EQ(client(hasty).send(get("/hold")).error().kind, ErrorKind::kDeadline);
    ClientOptions small;
    small.body_limit = 3;
    EXPECT_EQ(client(small).send(get("/hello")).error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(client().send(get("hello")).error().kind, ErrorKind::kInvalidArgument);
    auto request = get("/hello");
    request.fields.add("X", "a\r\nb");
    EXPECT_EQ(client().send(request).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(Client::open("nonsense").error().kind, ErrorKind::kInvalidArgument);
    auto late = client();
    server_.reset();
    EXPECT_EQ(late.send(get("/hello")).error().kind, ErrorKind::kUnavailable);
}

TEST(ClientWithBadServers, CallsWhatIsNoAnswerUnavailable) {
    const std::vector<std::string> answers{
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x')};
    const CannedServer server(answers);
    auto asking = Client::open(fmt::format("http://127.0.0.1:{}", server.port)).value();
    for (const auto& answer : answers) {
        const auto response = asking.send(get("/"));
        ASSERT_FALSE(response) << answer;
        EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable) << response.error().message;
    }
}

TEST(ClientWithBadServers, TakesInterimAnswersAndBodiesThatEndWithTheConnection) {
    const CannedServer server(
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end",
         "HTTP/1.1 204 No Content\r\n\r\n"}
    );
    auto asking = Client::open(fmt::format("http://localhost:{}", server.port)).value();
    EXPECT_EQ(asking.send(get("/"))->body, "to the end");
    EXPECT_EQ(asking.send(get("/"))->status, 204);
}

}  // namespace
}  // namespace tessera::http
