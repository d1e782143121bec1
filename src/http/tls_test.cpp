#include "http/certificate.h"
#include "http/client.h"
#include "http/loopback_test.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

namespace tessera::http {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using File = std::unique_ptr<FILE, Freed<fclose>>;

void write_pair(const TlsFiles& files, const std::string& name, const std::string& alternatives) {
    const Key key(::EVP_EC_gen("P-256"));
    const Certificate certificate(::X509_new());
    ::X509_set_version(certificate.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), 3600);
    ::X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = ::X509_get_subject_name(certificate.get());
    ::X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0
    );
    ::X509_set_issuer_name(certificate.get(), subject);
    X509_EXTENSION* extension =
        ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternatives.c_str());
    ::X509_add_ext(certificate.get(), extension, -1);
    ::X509_EXTENSION_free(extension);
    ::X509_sign(certificate.get(), key.get(), ::EVP_sha256());
    const File certificate_file(::fopen(files.certificate.c_str(), "w"));
    ::PEM_write_X509(certificate_file.get(), certificate.get());
    const File key_file(::fopen(files.key.c_str(), "w"));
    ::PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

class TlsTest : public LoopbackTest {
  protected:
    void SetUp() override {
        auto name = (std::filesystem::temp_directory_path() / "tessera-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        // The system's authorities take long to read, and are not what is tested.
        ::setenv("SSL_CERT_FILE", (folder_ / "none").c_str(), 1);
        options_.tls = TlsFiles{folder_ / "certificate.pem", folder_ / "key.pem"};
        write_pair(*options_.tls, "first", "IP:127.0.0.1,DNS:localhost");
        router_.add("GET", "/hello", [](const std::shared_ptr<Exchange>& exchange) {
            exchange->respond(
                text_response(200, exchange->request().secure ? "safe hello" : "hello")
            );
        });
        router_.add(
            "POST",
            "/echo",
            [](const std::shared_ptr<Exchange>& exchange) {
                exchange->respond(text_response(200, exchange->request().body));
            },
            {.body_limit = 4U << 20U}
        );
        router_.add("GET", "/hold", [this](std::shared_ptr<Exchange> exchange) {
            held_.set(std::move(exchange));
        });
        router_.add("GET", "/events", [](const std::shared_ptr<Exchange>& exchange) {
            const auto stream = exchange->stream({});
            static_cast<void>(stream->send("part"));
        });
        router_.add_websocket(
            "/echo",
            [](const Request&, std::shared_ptr<WebSocket> socket) -> Result<WebSocketEvents> {
                return WebSocketEvents{
                    .on_message =
                        [socket](std::string message, bool binary) {
                            static_cast<void>(socket->send(std::move(message), binary));
                        },
                    .on_closed = {}};
            },
            1000
        );
    }
    void TearDown() override {
        server_.reset();
        std::filesystem::remove_all(folder_);
    }
    ClientOptions believing() const {
        ClientOptions options;
        options.authorities = options_.tls->certificate;
        return options;
    }
    Result<Response> ask(
        const ClientOptions& options, Request request, const std::string& host = "127.0.0.1"
    ) const {
        auto client = Client::open(fmt::format("https://{}:{}", host, server_->port()), options);
        return client ? client->send(request) : tl::unexpected(client.error());
    }
    Result<Response> get(const ClientOptions& options, const std::string& host = "127.0.0.1")
        const {
        return ask(options, {.method = "GET", .target = "/hello"}, host);
    }

    std::filesystem::path folder_;
    Awaited<std::shared_ptr<Exchange>> held_;
};

TEST_F(TlsTest, ServesAndVerifies) {
    start();
    EXPECT_EQ(get(believing())->body, "safe hello");
    EXPECT_EQ(get(believing(), "localhost")->body, "safe hello");
    const auto stranger = get({});
    ASSERT_FALSE(stranger);
    EXPECT_EQ(stranger.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(stranger.error().message, HasSubstr("certificate"));
}

TEST_F(TlsTest, ACertificateTellsItsEnd) {
    const auto end = certificate_expiry(options_.tls->certificate);
    ASSERT_TRUE(end);
    const auto left = *end - Clock::system().wall();
    EXPECT_GT(left, std::chrono::minutes(50));
    EXPECT_LE(left, std::chrono::hours(1));
    const auto no_certificate = certificate_expiry(options_.tls->key);
    ASSERT_FALSE(no_certificate);
    EXPECT_THAT(no_certificate.error().message, HasSubstr("key.pem holds no certificate"));
}

TEST_F(TlsTest, RefusesACertificateForAnotherHost) {
    write_pair(*options_.tls, "other", "DNS:other.example");
    start();
    EXPECT_FALSE(get(believing()));
    EXPECT_FALSE(get(believing(), "localhost"));
}

TEST_F(TlsTest, CarriesLargeBodiesAndStreams) {
    start();
    const std::string large(3U << 20U, 'x');
    const auto echoed = ask(believing(), {.method = "POST", .target = "/echo", .body = large});
    ASSERT_TRUE(echoed) << echoed.error().message;
    EXPECT_TRUE(echoed->body == large);
    EXPECT_EQ(ask(believing(), {.method = "GET", .target = "/events"})->body, "part");
}

TEST_F(TlsTest, TellsThatAClientHasGone) {
    start();
    auto options = believing();
    options.idle_timeout = 100ms;
    EXPECT_EQ(
        ask(options, {.method = "GET", .target = "/hold"}).error().kind, ErrorKind::kDeadline
    );
    Awaited<bool> gone;
    held_.get().value()->on_gone([&] { gone.set(true); });
    EXPECT_TRUE(gone.get());
}

TEST_F(TlsTest, ReloadsItsCertificateForNewConnections) {
    start();
    auto kept = Client::open(url("https"), believing()).value();
    const Request request{.method = "GET", .target = "/hello"};
    ASSERT_TRUE(kept.send(request));
    const auto old = folder_ / "old.pem";
    std::filesystem::copy_file(options_.tls->certificate, old);
    write_pair(*options_.tls, "second", "IP:127.0.0.1");
    ASSERT_TRUE(server_->reload_certificate());
    EXPECT_TRUE(kept.send(request));
    EXPECT_TRUE(get(believing()));
    ClientOptions outdated;
    outdated.authorities = old;
    EXPECT_FALSE(get(outdated));
}

TEST_F(TlsTest, KeepsItsCertificateWhenTheNewOneIsNone) {
    start();
    const auto authorities = folder_ / "authorities.pem";
    std::filesystem::copy_file(options_.tls->certificate, authorities);
    const File broken(::fopen(options_.tls->certificate.c_str(), "w"));
    const auto reloaded = server_->reload_certificate();
    ASSERT_FALSE(reloaded);
    EXPECT_EQ(reloaded.error().kind, ErrorKind::kInvalidArgument);
    ClientOptions options;
    options.authorities = authorities;
    EXPECT_TRUE(get(options));
}

TEST_F(TlsTest, DoesNotStartWithoutItsFilesOrWithOthersOfAnotherPair) {
    const TlsFiles other{folder_ / "other.pem", folder_ / "other-key.pem"};
    write_pair(other, "other", "IP:127.0.0.1");
    options_.tls->key = other.key;
    EXPECT_EQ(Server::start(options_, Router()).error().kind, ErrorKind::kInvalidArgument);
    options_.tls->key = folder_ / "none.pem";
    EXPECT_EQ(Server::start(options_, Router()).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(TlsTest, OutlivesThoseWhoDoNotSpeakIt) {
    options_.header_timeout = 200ms;
    start();
    EXPECT_THAT(talk("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), ::testing::Not(HasSubstr("hello")));
    EXPECT_EQ(talk(""), "");
    EXPECT_TRUE(get(believing()));
}

TEST_F(TlsTest, CarriesWebSockets) {
    start();
    Awaited<std::string> answer;
    WebSocketClientEvents events{
        .on_message = [&](std::string message, bool) { answer.set(std::move(message)); },
        .on_closed = {}};
    const auto client =
        WebSocketClient::open(url("wss") + "/echo", {}, events, 15s, 1000, believing());
    ASSERT_TRUE(client) << client.error().message;
    EXPECT_TRUE((*client)->send("safe", false));
    EXPECT_EQ(answer.get(), "safe");
    EXPECT_FALSE(WebSocketClient::open(url("wss") + "/echo", {}, events, 15s, 1000));
}

}  // namespace
}  // namespace tessera::http
