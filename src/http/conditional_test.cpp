#include "http/conditional.h"

#include <gtest/gtest.h>

namespace tessera::http {
namespace {

constexpr std::string_view kEtag = "\"abc\"";

Selection select(std::initializer_list<std::pair<std::string, std::string>> fields) {
    Request request{.method = "GET"};
    for (const auto& [name, value] : fields) {
        request.fields.add(name, value);
    }
    return select_content(request, kEtag, 100);
}

void expect_range(
    const std::string& range, int status, std::uint64_t offset, std::uint64_t length
) {
    const auto selection = select({{"Range", range}});
    EXPECT_EQ(selection.status, status) << range;
    EXPECT_EQ(selection.offset, offset) << range;
    EXPECT_EQ(selection.length, length) << range;
}

TEST(SelectContent, GivesOneRange) {
    expect_range("bytes=0-0", 206, 0, 1);
    expect_range("bytes=10-19", 206, 10, 10);
    expect_range("bytes=90-", 206, 90, 10);
    expect_range("bytes=90-1000", 206, 90, 10);
    expect_range("bytes=-5", 206, 95, 5);
    expect_range("bytes=-500", 206, 0, 100);
}

TEST(SelectContent, RefusesRangesBeyondTheEndAndIgnoresWhatIsNone) {
    expect_range("bytes=100-", 416, 0, 0);
    expect_range("bytes=-0", 416, 0, 0);
    for (const auto* none :
         {"",
          "bytes=",
          "bytes=-",
          "bytes=5-2",
          "bytes=0-1,3-4",
          "bytes=a-b",
          "items=0-1",
          "bytes=18446744073709551616-",
          "bytes= 1-2",
          "bytes=1--2"}) {
        expect_range(none, 200, 0, 100);
    }
}

TEST(SelectContent, KnowsWhatTheClientHas) {
    EXPECT_EQ(select({{"If-None-Match", "\"abc\""}}).status, 304);
    EXPECT_EQ(select({{"If-None-Match", "\"x\", W/\"abc\""}, {"Range", "bytes=0-1"}}).status, 304);
    EXPECT_EQ(select({{"If-None-Match", "*"}}).status, 304);
    EXPECT_EQ(select({{"If-None-Match", "\"abcd\""}}).status, 200);
    EXPECT_EQ(select({{"If-None-Match", "abc"}}).status, 200);
    EXPECT_EQ(select({{"If-Match", "\"abc\""}}).status, 200);
    EXPECT_EQ(select({{"If-Match", "W/\"abc\""}}).status, 412);
    EXPECT_EQ(select({{"If-Range", "\"abc\""}, {"Range", "bytes=0-1"}}).status, 206);
    EXPECT_EQ(select({{"If-Range", "\"old\""}, {"Range", "bytes=0-1"}}).status, 200);
}

TEST(DescribeSelection, SaysWhichBytes) {
    Response response;
    describe_selection({206, 10, 5}, kEtag, 100, response);
    EXPECT_EQ(response.status, 206);
    EXPECT_EQ(response.fields.get("Content-Range"), "bytes 10-14/100");
    describe_selection({416, 0, 0}, kEtag, 100, response);
    EXPECT_EQ(response.fields.get("Content-Range"), "bytes */100");
    EXPECT_EQ(response.fields.get("ETag"), kEtag);
}

}  // namespace
}  // namespace tessera::http
