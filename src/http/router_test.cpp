#include "http/router_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::http {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class RouterTest : public ::testing::Test {
  protected:
    RouterTest() {
        const Handler nothing = [](const std::shared_ptr<Exchange>&) {};
        router_.add("GET", "/", nothing);
        router_.add("GET", "/jobs", nothing);
        router_.add("POST", "/jobs", nothing);
        router_.add("GET", "/jobs/{id}", nothing);
        router_.add("DELETE", "/jobs/{job}", nothing);
        router_.add("GET", "/jobs/latest", nothing);
        router_.add("GET", "/jobs/{id}/images/{index}", nothing);
        router_.add("GET", "/{kind}/latest/x", nothing);
        router_.add_websocket(
            "/events",
            [](const Request&, const std::shared_ptr<WebSocket>&) {
                return Result<WebSocketEvents>();
            },
            10
        );
    }

    std::string pattern(std::string_view method, std::string_view path) const {
        const auto match = router_.state()->match(method, path);
        return match.route == nullptr ? match.allow : match.route->pattern;
    }

    Router router_;
};

TEST_F(RouterTest, FindsPatterns) {
    EXPECT_EQ(pattern("GET", "/"), "/");
    EXPECT_EQ(pattern("POST", "/jobs"), "/jobs");
    EXPECT_EQ(pattern("GET", "/jobs/01kb"), "/jobs/{id}");
    EXPECT_EQ(pattern("GET", "/jobs/latest"), "/jobs/latest");
    EXPECT_EQ(pattern("GET", "/jobs/latest/x"), "/{kind}/latest/x");
    EXPECT_EQ(pattern("HEAD", "/jobs/01kb"), "/jobs/{id}");
}

TEST_F(RouterTest, DecodesParametersSegmentBySegment) {
    const auto match = router_.state()->match("GET", "/jobs/a%2Fb/images/%E9%9B%AA");
    ASSERT_NE(match.route, nullptr);
    EXPECT_THAT(match.parameters, UnorderedElementsAre(Pair("id", "a/b"), Pair("index", "雪")));
    EXPECT_THAT(
        router_.state()->match("DELETE", "/jobs/7").parameters,
        UnorderedElementsAre(Pair("job", "7"))
    );
}

TEST_F(RouterTest, TellsUnknownPathsFromUnknownMethods) {
    EXPECT_EQ(pattern("PUT", "/jobs"), "GET, HEAD, POST");
    EXPECT_EQ(pattern("HEAD", "/events"), "GET");
    for (const auto* path :
         {"/job", "/jobs/", "/jobs//images/1", "//", "", "*", "/jobs/1/images"}) {
        const auto match = router_.state()->match("GET", path);
        EXPECT_EQ(match.route, nullptr) << path;
    }
}

TEST_F(RouterTest, ListsItsRoutes) {
    EXPECT_EQ(router_.routes().size(), 9U);
}

TEST_F(RouterTest, WordsErrorsAsJson) {
    const auto response = router_.state()->error({}, 404, "no \"x\"\n");
    EXPECT_EQ(response.body, R"({"error":{"message":"no \"x\"\u000a"}})");
    EXPECT_EQ(response.status, 404);
}

}  // namespace
}  // namespace tessera::http
