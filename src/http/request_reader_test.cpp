#include "http/request_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera::http {
namespace {

using Phase = RequestReader::Phase;

constexpr RequestReader::Limits kLimits{.header_bytes = 1024, .chunks = 10};

/// Feeds it in pieces of that size, as a connection does.
Phase read(RequestReader& reader, std::string_view bytes, std::size_t piece = 100'000) {
    std::string inbox;
    reader.limit_body(1000);
    while (!bytes.empty()) {
        inbox += bytes.substr(0, piece);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        inbox.erase(0, reader.feed(inbox));
        if (reader.phase() == Phase::kBody) {
            inbox.erase(0, reader.feed(inbox));
        }
    }
    return reader.phase();
}

int status_of_fault(const std::string& bytes) {
    RequestReader reader(kLimits);
    return read(reader, bytes) == Phase::kFailed ? reader.fault().status : 0;
}

std::string get(const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(RequestReader, ReadsAHeadAndStopsBehindIt) {
    RequestReader reader(kLimits);
    const auto head = std::string("GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-Y: z\r\n\r\n");
    EXPECT_EQ(reader.feed(head + "GET"), head.size());
    EXPECT_EQ(reader.phase(), Phase::kDone);
    EXPECT_EQ(reader.request().method, "GET");
    EXPECT_EQ(reader.request().path, "/a b");
    EXPECT_EQ(reader.request().query.at("x"), "1");
    EXPECT_EQ(reader.request().fields.get("x-y"), "z");
    EXPECT_TRUE(reader.keeps_alive());
}

TEST(RequestReader, ReadsTheSameInPiecesOfAnySize) {
    EXPECT_TRUE(rc::check([] {
        const auto piece = *rc::gen::inRange<std::size_t>(1, 40);
        RequestReader whole(kLimits);
        RequestReader chunked(kLimits);
        RC_ASSERT(
            read(
                whole, "\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", piece
            ) == Phase::kDone
        );
        RC_ASSERT(
            read(
                chunked,
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
                piece
            ) == Phase::kDone
        );
        RC_ASSERT(whole.take_body() == "hello");
        RC_ASSERT(chunked.take_body() == "hello");
    }));
}

TEST(RequestReader, RefusesWhatIsNoRequest) {
    for (const auto* garbage :
         {"\x16\x03\x01\x02\r\n\r\n",
          "GET\r\n\r\n",
          "GET / HTTP/1.1\nHost: a\n\n",
          "G<T / HTTP/1.1\r\n\r\n",
          "GET  / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1 x\r\n\r\n",
          "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
          "GET / HTTP/1.1\r\nHost\r\n\r\n",
          "GET / HTTP/1.1\r\n: a\r\n\r\n",
          "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
          "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"}) {
        EXPECT_EQ(status_of_fault(garbage), 400) << garbage;
    }
    EXPECT_EQ(status_of_fault("GET / HTTP/2.0\r\n\r\n"), 505);
    EXPECT_EQ(status_of_fault("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(RequestReader, WantsOneHost) {
    EXPECT_EQ(status_of_fault("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of_fault(get("Host: b\r\n")), 400);
    EXPECT_EQ(status_of_fault("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(RequestReader, RefusesTwoLengths) {
    EXPECT_EQ(status_of_fault(get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Content-Length: 1\r\nContent-Length: 1\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Content-Length: 1, 1\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Content-Length: -1\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Content-Length: +1\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Content-Length: 99999999999999999999\r\n")), 400);
    EXPECT_EQ(status_of_fault(get("Transfer-Encoding: gzip\r\n")), 501);
    EXPECT_EQ(status_of_fault(get("Transfer-Encoding: gzip, chunked\r\n")), 501);
    EXPECT_EQ(status_of_fault(get("Transfer-Encoding: xchunked\r\n")), 501);
    EXPECT_EQ(
        status_of_fault("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400
    );
}

TEST(RequestReader, RefusesALongHeadHoweverItComes) {
    const auto one_line = "GET /" + std::string(2000, 'a');
    const auto one_field = get("X: " + std::string(2000, 'a') + "\r\n");
    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 200; ++i) {
        many += "A: b\r\n";
    }
    for (const auto& head : {one_line, one_field, many + "\r\n"}) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{6}, std::size_t{5000}}) {
            RequestReader reader(kLimits);
            ASSERT_EQ(read(reader, head, piece), Phase::kFailed) << piece;
            EXPECT_EQ(reader.fault().status, 431) << reader.fault().message;
        }
    }
}

TEST(RequestReader, RefusesALongBody) {
    const auto post = [](const std::string& field, const std::string& body) {
        return "POST / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n" + body;
    };
    EXPECT_EQ(status_of_fault(post("Content-Length: 1001", std::string(1001, 'a'))), 413);
    EXPECT_EQ(status_of_fault(post("Content-Length: 1000", std::string(1000, 'a'))), 0);
    EXPECT_EQ(status_of_fault(post("Transfer-Encoding: chunked", "3e9\r\n")), 413);
    EXPECT_EQ(status_of_fault(post("Transfer-Encoding: chunked", "ffffffffffffffff\r\n")), 413);
}

TEST(RequestReader, TakesAnEmptyChunkedBodyByteByByte) {
    RequestReader reader(kLimits);
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(read(reader, head + "0\r\n\r\n", 1), Phase::kDone);
    EXPECT_EQ(reader.take_body(), "");
}

TEST(RequestReader, RefusesBadAndTooManyChunks) {
    const auto chunked = [](const std::string& body) {
        return status_of_fault(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
        );
    };
    std::string ten;
    for (int i = 0; i < 9; ++i) {
        ten += "1\r\na\r\n";
    }
    EXPECT_EQ(chunked(ten + "0\r\n\r\n"), 0);
    EXPECT_EQ(chunked(ten + "1\r\na\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(chunked("x\r\n"), 400);
    EXPECT_EQ(chunked("\r\n"), 400);
    EXPECT_EQ(chunked("10000000000000000\r\n"), 400);
    EXPECT_EQ(chunked("1\r\nab\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(chunked("1;" + std::string(10'000, 'a')), 400);
    EXPECT_EQ(chunked("0\r\nA: " + std::string(10'000, 'a')), 400);
}

TEST(RequestReader, KnowsOneExpectation) {
    RequestReader reader(kLimits);
    read(reader, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n");
    EXPECT_TRUE(reader.expects_continue());
    EXPECT_EQ(status_of_fault(get("Expect: magic\r\n")), 417);
}

}  // namespace
}  // namespace tessera::http
