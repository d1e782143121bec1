#include "http/server.h"

#include "http/loopback_test.h"

#include <gmock/gmock.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tessera::http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

const std::string kLastGet = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

class ServerTest : public LoopbackTest {
  protected:
    ServerTest() {
        router_.add("GET", "/hello", [](const std::shared_ptr<Exchange>& exchange) {
            exchange->respond(text_response(200, "hello"));
        });
        router_.add(
            "POST",
            "/echo",
            [](const std::shared_ptr<Exchange>& exchange) {
                exchange->respond(text_response(200, "<" + exchange->request().body + ">"));
            },
            {.body_limit = 100'000}
        );
        router_.add("GET", "/hold", [this](std::shared_ptr<Exchange> exchange) {
            held_.set(std::move(exchange));
        });
        router_.add("GET", "/drop", [](const std::shared_ptr<Exchange>&) {});
        router_.add("GET", "/throw", [](const std::shared_ptr<Exchange>&) {
            throw std::runtime_error("a bug");
        });
    }
    ~ServerTest() override { server_.reset(); }  // its handlers use what follows

    /// Exchanges of /hold.
    Awaited<std::shared_ptr<Exchange>> held_;
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
    start();
    RawConnection connection(server_->port());
    for (int i = 1; i <= 3; ++i) {
        connection.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        ASSERT_TRUE(connection.receive_until("hello"));
        EXPECT_THAT(
            connection.received,
            AllOf(
                StartsWith("HTTP/1.1 200 OK\r\n"),
                HasSubstr("Content-Length: 5\r\n"),
                HasSubstr("Connection: keep-alive\r\n")
            )
        );
        connection.received.clear();
    }
    EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    std::string requests;
    for (int i = 0; i < 50; ++i) {
        requests +=
            fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{:02}", i);
    }
    const auto answers = talk(requests + kLastGet);
    std::size_t at = 0;
    for (int i = 0; i < 50; ++i) {
        at = answers.find(fmt::format("<{:02}>", i), at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_EQ(count(answers, "200 OK"), 51U);
}

TEST_F(ServerTest, SpeaksHttp10) {
    start();
    EXPECT_THAT(
        talk("GET /hello HTTP/1.0\r\n\r\n"),
        AllOf(HasSubstr("Connection: close\r\n"), HasSubstr("\r\n\r\nhello"))
    );
}

TEST_F(ServerTest, GivesHeadNoBody) {
    start();
    const auto answer = talk("HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, ReadsChunkedBodiesAndTrailers) {
    start();
    EXPECT_THAT(
        talk("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
             "\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n"),
        HasSubstr("<abcde>")
    );
}

TEST_F(ServerTest, RefusesUnknownPathsAndMethods) {
    start();
    EXPECT_THAT(
        talk("GET /none HTTP/1.0\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("/none"))
    );
    EXPECT_THAT(
        talk("PUT /hello HTTP/1.0\r\n\r\n"),
        AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD\r\n"))
    );
}

TEST_F(ServerTest, AnswersHostileHeadsWithTheirStatus) {
    start();
    EXPECT_THAT(talk("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(talk("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(
        talk("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n"),
        StartsWith("HTTP/1.1 431")
    );
    EXPECT_THAT(
        talk("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
        AllOf(StartsWith("HTTP/1.1 400"), Not(HasSubstr("200 OK")))
    );
    EXPECT_THAT(talk(kLastGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, RefusesLongBodiesSoThatTheClientSeesIt) {
    start();
    EXPECT_THAT(
        talk(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" +
            std::string(4'000'000, 'x')
        ),
        AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("100000 bytes"))
    );
}

TEST_F(ServerTest, RefusesAMillionTinyChunks) {
    start();
    RawConnection connection(server_->port());
    connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string chunks;
    for (int i = 0; i < 1000; ++i) {
        chunks += "1\r\na\r\n";
    }
    int sent = 0;
    while (sent < 1000 && connection.send(chunks)) {
        ++sent;
    }
    EXPECT_THAT(
        connection.receive_all(), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("4096 chunks"))
    );
}

TEST_F(ServerTest, AnswersATruncatedBodyWith400) {
    start();
    RawConnection connection(server_->port());
    connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    connection.shut_sending();
    EXPECT_THAT(
        connection.receive_all(), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("ends before"))
    );
}

TEST_F(ServerTest, EndsAHeadThatTakesTooLong) {
    options_.header_timeout = 100ms;
    start();
    EXPECT_THAT(talk("GET /hello HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408"));
    EXPECT_EQ(talk(""), "");
}

TEST_F(ServerTest, EndsAHeadThatComesByteByByte) {
    options_.header_timeout = 100ms;
    start();
    RawConnection connection(server_->port());
    std::thread dripping([&] {
        while (connection.send("G")) {
            std::this_thread::yield();
        }
    });
    const auto answer = connection.receive_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408") || answer.starts_with("HTTP/1.1 431")) << answer;
    connection.shut_sending();
    dripping.join();
}

TEST_F(ServerTest, EndsAnIdleConnection) {
    options_.idle_timeout = 100ms;
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(count(connection.receive_all(), "200 OK"), 1U);
}

TEST_F(ServerTest, EndsABodyThatStopsOrDrips) {
    options_.body_timeout = 100ms;
    start();
    const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
    EXPECT_THAT(talk(head + "abc"), StartsWith("HTTP/1.1 408"));

    RawConnection connection(server_->port());
    connection.send(head);
    const auto begun = std::chrono::steady_clock::now();
    std::atomic<bool> is_over = false;
    std::thread dripping([&] {
        pollfd never{-1, 0, 0};
        while (!is_over && connection.send("x")) {
            ::poll(&never, 1, 5);
        }
    });
    EXPECT_THAT(connection.receive_all(), StartsWith("HTTP/1.1 408"));
    is_over = true;
    dripping.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(ServerTest, EndsAClientThatTakesNothingOfItsAnswer) {
    options_.idle_timeout = 200ms;
    Awaited<bool> gone;
    router_.add("GET", "/large", [&](const std::shared_ptr<Exchange>& exchange) {
        exchange->on_gone([&] { gone.set(true); });
        exchange->respond(text_response(200, std::string(64U << 20U, 'x')));
    });
    start();
    const RawConnection connection(server_->port(), 4096);
    connection.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(gone.get());
}

TEST_F(ServerTest, ContinuesABodyOnlyWhenTheGuardsAgree) {
    router_.guard([](Request& request) -> std::optional<Response> {
        EXPECT_TRUE(request.body.empty());
        if (request.fields.has("X-Refuse")) {
            return text_response(401, "no");
        }
        return std::nullopt;
    });
    router_.add(
        "PUT",
        "/guarded",
        [](const std::shared_ptr<Exchange>& exchange) {
            exchange->respond(text_response(200, exchange->request().body));
        },
        {.before_body = [](Request& request) -> std::optional<Response> {
            EXPECT_TRUE(request.body.empty());
            if (request.fields.has("X-Full")) {
                return text_response(507, "full");
            }
            return std::nullopt;
        }}
    );
    start();
    const std::string head =
        "PUT /guarded HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n"
        "Expect: 100-continue\r\n";
    EXPECT_THAT(talk(head + "X-Refuse: 1\r\n\r\n"), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(talk(head + "X-Full: 1\r\n\r\n"), StartsWith("HTTP/1.1 507"));
    EXPECT_THAT(talk(head + "X-Full: 1\r\n\r\nbody"), StartsWith("HTTP/1.1 507"));
    RawConnection connection(server_->port());
    connection.send(head + "\r\n");
    ASSERT_TRUE(connection.receive_until("HTTP/1.1 100 Continue\r\n\r\n"));
    connection.send("body");
    EXPECT_THAT(connection.receive_all(), HasSubstr("\r\n\r\nbody"));
}

TEST_F(ServerTest, AsksTheGuardAboutUnknownPathsToo) {
    router_.guard([](Request& request) -> std::optional<Response> {
        return request.method == "OPTIONS" ? std::optional(text_response(204, "")) : std::nullopt;
    });
    start();
    const auto answer = talk("OPTIONS /hello HTTP/1.0\r\n\r\n");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 204"), Not(HasSubstr("Content-Length"))));
}

TEST_F(ServerTest, LetsTheGuardSayMoreAboutARequest) {
    router_.guard([](Request& request) -> std::optional<Response> {
        request.fields.set("X-Tenant", "blue");
        return std::nullopt;
    });
    router_.add("GET", "/tenant/{name}", [](const std::shared_ptr<Exchange>& exchange) {
        const Request& request = exchange->request();
        exchange->respond(text_response(
            200,
            request.parameters.at("name") + std::string(request.fields.get("x-tenant")) +
                request.query.at("q") + request.peer + (request.secure ? "s" : "p")
        ));
    });
    start();
    EXPECT_THAT(talk("GET /tenant/a%2Fb?q=1 HTTP/1.0\r\n\r\n"), HasSubstr("a/bblue1127.0.0.1p"));
}

TEST_F(ServerTest, AnswersForHandlersThatDoNot) {
    start();
    EXPECT_THAT(talk("GET /drop HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(talk("GET /throw HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(talk(kLastGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, TakesAnAnswerLaterFromAnotherThreadAndOnce) {
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto exchange = held_.get().value();
    exchange->respond(text_response(200, "late"));
    exchange->respond(text_response(200, "later"));
    EXPECT_FALSE(exchange->stream({})->send("latest"));
    EXPECT_THAT(
        connection.receive_all(), AllOf(HasSubstr("\r\n\r\nlate"), Not(HasSubstr("later")))
    );
}

TEST_F(ServerTest, TellsAWaitingHandlerThatItsClientHasGone) {
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto exchange = held_.get().value();
    Awaited<bool> replaced;
    Awaited<bool> gone;
    exchange->on_gone([&] { replaced.set(true); });
    exchange->on_gone([&] { gone.set(true); });
    connection.close();
    EXPECT_TRUE(gone.get());
    EXPECT_FALSE(replaced.is_set());
    Awaited<bool> again;
    exchange->on_gone([&] { again.set(true); });
    EXPECT_TRUE(again.get());
    exchange->respond(text_response(200, "to nobody"));
}

TEST_F(ServerTest, SeesAClientGoBehindPipelinedBytes) {
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    Awaited<bool> gone;
    held_.get().value()->on_gone([&] { gone.set(true); });
    connection.close();
    EXPECT_TRUE(gone.get());
}

TEST_F(ServerTest, AnswersAClientThatOnlyShutsItsSendingSide) {
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.shut_sending();
    const auto exchange = held_.get().value();
    Awaited<bool> gone;
    exchange->on_gone([&] { gone.set(true); });
    EXPECT_TRUE(gone.get());
    exchange->respond(text_response(200, "still"));
    EXPECT_THAT(connection.receive_all(), AllOf(HasSubstr("still"), HasSubstr("hello")));
}

TEST_F(ServerTest, ForgetsWhoListensWhenTheAnswerIsWhole) {
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto exchange = held_.get().value();
    const auto token = std::make_shared<int>(0);
    Awaited<bool> gone;
    exchange->on_gone([&gone, token] { gone.set(true); });
    exchange->respond(text_response(200, "done"));
    ASSERT_TRUE(connection.receive_until("done"));
    connection.received.clear();
    connection.send(kLastGet);
    connection.receive_all();
    EXPECT_FALSE(gone.is_set());
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(ServerTest, ObservesPatternsAndStatuses) {
    std::mutex mutex;
    std::vector<std::string> seen;
    Awaited<bool> is_last;
    router_.observe(
        [&](const Request& request, std::string_view route, int status, std::chrono::microseconds) {
            const std::scoped_lock lock(mutex);
            seen.push_back(fmt::format("{} {} {}", request.method, route, status));
            if (seen.size() == 3) {
                is_last.set(true);
            }
        }
    );
    router_.add("GET", "/jobs/{id}", [](const std::shared_ptr<Exchange>& exchange) {
        exchange->respond(text_response(404, ""));
    });
    start();
    talk("GET /jobs/1 HTTP/1.0\r\n\r\n");
    talk("GET /none HTTP/1.0\r\n\r\n");
    talk("?\r\n\r\n");
    ASSERT_TRUE(is_last.get());
    const std::scoped_lock lock(mutex);
    EXPECT_THAT(seen, ::testing::ElementsAre("GET /jobs/{id} 404", "GET  404", "  400"));
}

TEST_F(ServerTest, WordsItsOwnErrorsAsTold) {
    router_.on_error([](const Request& request, int status, const std::string& message) {
        return text_response(status, request.path + "|" + message);
    });
    start();
    EXPECT_THAT(talk("GET /none HTTP/1.0\r\n\r\n"), HasSubstr("/none|there is nothing"));
    EXPECT_THAT(talk("GET /drop HTTP/1.0\r\n\r\n"), HasSubstr("/drop|the server gave no answer"));
}

TEST_F(ServerTest, RefusesBodiesThatItHasNoMemoryFor) {
    constexpr std::size_t kBody = 200'000;
    const std::string body(kBody, 'x');
    const std::string head = "POST /keep HTTP/1.1\r\nHost: a\r\n";
    const std::string length = fmt::format("Content-Length: {}\r\n\r\n", kBody);
    Awaited<std::shared_ptr<Exchange>> again;
    router_.add(
        "POST",
        "/keep",
        [this, &again](std::shared_ptr<Exchange> exchange) {
            (held_.is_set() ? again : held_).set(std::move(exchange));
        },
        {.body_limit = kBody}
    );
    options_.body_memory = kBody;
    start();
    RawConnection first(server_->port());
    first.send(head + length + body);
    auto exchange = held_.get();
    ASSERT_TRUE(exchange);

    RawConnection announced(server_->port());
    announced.send(head + "Expect: 100-continue\r\n" + length);
    EXPECT_THAT(
        announced.receive_all(),
        AllOf(
            StartsWith("HTTP/1.1 503"),
            HasSubstr("Retry-After: "),
            HasSubstr("Connection: close"),
            Not(HasSubstr("100 Continue"))
        )
    );
    RawConnection chunked(server_->port());
    chunked.send(
        head + "Transfer-Encoding: chunked\r\n\r\n" + fmt::format("{:x}\r\n", kBody) + body
    );
    EXPECT_THAT(chunked.receive_all(), StartsWith("HTTP/1.1 503")) << "no length told";
    EXPECT_THAT(
        talk("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
             "Content-Length: 2\r\n\r\nhi"),
        HasSubstr("<hi>")
    ) << "small ones are not counted";

    (*exchange)->respond(text_response(200, "kept"));
    exchange.reset();
    held_.set(nullptr);
    EXPECT_TRUE(first.receive_until("kept"));
    first.send(head + length + body);
    auto second = again.get();
    ASSERT_TRUE(second) << "what the first had is given back";
    (*second)->respond(text_response(200, "kept as well"));
    EXPECT_TRUE(first.receive_until("kept as well"));
    server_.reset();  // its handlers use `again`
}

TEST_F(ServerTest, DressesEveryAnswer) {
    router_.dress([](const Request& request, Response& response) {
        response.fields.add("X-Dress", request.path);
    });
    router_.add("GET", "/stream", [](const std::shared_ptr<Exchange>& exchange) {
        exchange->stream({})->finish();
    });
    start();
    const auto ask = [this](const std::string& path) {
        return talk("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    };
    for (const std::string path : {"/hello", "/nowhere", "/drop", "/stream"}) {
        EXPECT_EQ(count(ask(path), "X-Dress: " + path + "\r\n"), 1U) << path;
    }
}

TEST_F(ServerTest, RefusesConnectionsAboveItsLimit) {
    options_.connection_limit = 1;
    start();
    RawConnection first(server_->port());
    first.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(first.receive_until("hello"));
    EXPECT_THAT(talk(""), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After")));
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
    start();
    options_.port = server_->port();
    const auto taken = Server::start(options_, Router());
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind, ErrorKind::kUnavailable);
    options_.address = "not-an-address";
    EXPECT_EQ(Server::start(options_, Router()).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(ServerTest, Serves200ConnectionsAtOnce) {
    options_.io_threads = 2;
    start();
    std::vector<std::unique_ptr<RawConnection>> connections;
    for (int i = 0; i < 200; ++i) {
        connections.push_back(std::make_unique<RawConnection>(server_->port()));
    }
    for (int round = 0; round < 3; ++round) {
        for (const auto& connection : connections) {
            connection->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        }
        for (const auto& connection : connections) {
            ASSERT_TRUE(connection->receive_until("<abc>"));
            connection->received.clear();
        }
    }
    EXPECT_EQ(server_->connections(), 200U);
}

TEST_F(ServerTest, FinishesAnswersUnderWayWhenItStops) {
    start();
    RawConnection connection(server_->port());
    RawConnection idle(server_->port());
    idle.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(idle.receive_until("hello"));
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto exchange = held_.get().value();
    std::thread stopping([&] { server_->stop(10s); });
    EXPECT_FALSE(idle.receive());
    exchange->respond(text_response(200, "finished"));
    EXPECT_THAT(
        connection.receive_all(), AllOf(HasSubstr("finished"), HasSubstr("Connection: close"))
    );
    stopping.join();
    EXPECT_FALSE(RawConnection(server_->port()).is_connected());
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ServerTest, StopsWithoutAnAnswerThatNeverComes) {
    start();
    RawConnection connection(server_->port());
    connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto exchange = held_.get().value();
    Awaited<bool> gone;
    exchange->on_gone([&] { gone.set(true); });
    server_->stop(20ms);
    EXPECT_TRUE(gone.get());
    EXPECT_EQ(connection.receive_all(), "");
    server_.reset();
    exchange->respond(text_response(200, "too late"));
    const auto stream = exchange->stream({});
    EXPECT_FALSE(stream->send("too late"));
}

TEST_F(ServerTest, StopsUnderLoad) {
    options_.io_threads = 2;
    start();
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            for (;;) {
                RawConnection connection(server_->port());
                if (!connection.is_connected() || !connection.send(kLastGet) ||
                    !connection.receive_until("hello")) {
                    return;
                }
                ++answered;
            }
        });
    }
    while (answered < 100) {
        std::this_thread::yield();
    }
    const auto begun = std::chrono::steady_clock::now();
    server_->stop(2s);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 8s);
    for (auto& client : clients) {
        client.join();
    }
    EXPECT_EQ(server_->connections(), 0U);
}

}  // namespace
}  // namespace tessera::http
