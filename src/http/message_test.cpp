#include "http/message.h"

#include "http/message_head.h"
#include "http/sse.h"
#include "http/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Fields, CompareNamesWithoutCaseAndKeepTheirOrder) {
    Fields fields;
    fields.add("Accept", "a");
    fields.add("ACCEPT", "b");
    EXPECT_EQ(fields.get("accept"), "a");
    fields.set("accept", "c");
    EXPECT_EQ(fields.get("Accept"), "c");
    EXPECT_EQ(fields.all().size(), 1U);
    EXPECT_FALSE(fields.has("Accep"));
    EXPECT_TRUE(fields.get("other").empty());
}

TEST(Fields, FindTokensInLists) {
    EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
    EXPECT_TRUE(has_token("close", "close"));
    EXPECT_FALSE(has_token("disclose", "close"));
    EXPECT_FALSE(has_token("", "close"));
}

TEST(ResponseHead, LeavesFramingToTheServerAndLineBreaksOut) {
    Response response;
    response.fields.add("Content-Length", "7");
    response.fields.add("X-Name", "a\r\nSet-Cookie: stolen");
    response.fields.add("Bad Name", "x");
    const auto head = format_response_head(response, BodyFraming::kLength, 3, true);
    EXPECT_THAT(
        head,
        AllOf(
            HasSubstr("HTTP/1.1 200 OK\r\n"),
            HasSubstr("Content-Length: 3\r\n"),
            Not(HasSubstr("Content-Length: 7")),
            Not(HasSubstr("\nSet-Cookie")),
            Not(HasSubstr("Bad Name"))
        )
    );
    EXPECT_TRUE(head.ends_with("Connection: keep-alive\r\n\r\n"));
}

TEST(RequestHead, RefusesWhatWouldBeginAnotherLine) {
    Request request{.method = "GET", .target = "/a"};
    request.fields.add("X", "a\r\nY: b");
    EXPECT_FALSE(format_request_head(request, "host", "/a"));
    EXPECT_FALSE(format_request_head({.method = "GET /x"}, "host", "/a"));
    EXPECT_FALSE(format_request_head({.method = "GET"}, "host", "/a b"));
    EXPECT_FALSE(format_request_head({.method = "GET"}, "host", "a"));
}

TEST(StatusOf, GivesClientsFaultsA4xxAndOursA5xx) {
    EXPECT_EQ(status_of(ErrorKind::kInvalidArgument), 400);
    EXPECT_EQ(status_of(ErrorKind::kDenied), 403);
    EXPECT_EQ(status_of(ErrorKind::kExhausted), 429);
    EXPECT_EQ(status_of(ErrorKind::kInternal), 500);
    EXPECT_EQ(status_of(ErrorKind::kUnavailable), 503);
}

TEST(FormatEvent, GivesEveryLineItsOwnData) {
    EXPECT_EQ(
        format_event("step", "a\nb\r\nc\rd", "7"),
        "id: 7\nevent: step\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
    );
    EXPECT_EQ(format_event("", ""), "data: \n\n");
    EXPECT_EQ(format_event("", "a\n"), "data: a\ndata: \n\n");
}

TEST(FormatEvent, LetsNoNameBeginAnotherField) {
    EXPECT_EQ(
        format_event("a\ndata: x", "y", "1\r\nid: 2"), "id: 1id: 2\nevent: adata: x\ndata: y\n\n"
    );
}

TEST(ParseUrl, TakesServersApart) {
    const auto url = parse_url("https://farm.example:7860/base/");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->is_secure);
    EXPECT_EQ(url->host, "farm.example");
    EXPECT_EQ(url->port, 7860);
    EXPECT_EQ(url->path, "/base");
    EXPECT_EQ(url->authority(), "farm.example:7860");
    EXPECT_EQ(parse_url("ws://[::1]:80/x")->authority(), "[::1]");
    EXPECT_EQ(parse_url("http://localhost")->port, 80);
}

TEST(ParseUrl, RefusesWhatIsNone) {
    for (const auto* text :
         {"",
          "localhost:1",
          "ftp://a",
          "http://",
          "http://a:0",
          "http://a:70000",
          "http://a:x",
          "http://u:p@a/",
          "http://a/?q",
          "http://a b",
          "http://[::1",
          "http://a\r\nb",
          "http://[::1]x",
          "http:///x"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

}  // namespace
}  // namespace tessera::http
