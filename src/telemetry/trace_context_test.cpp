#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tessera {
namespace {

constexpr const char* kCaller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, IsReadAndWritten) {
    const auto context = parse_traceparent(kCaller);
    ASSERT_TRUE(context.has_value());
    EXPECT_EQ(to_string(context->trace), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(to_string(context->span), "b7ad6b7169203331");
    EXPECT_TRUE(context->sampled);
    EXPECT_EQ(to_traceparent(*context), kCaller);
}

TEST(TraceContext, KnowsWhatIsNotSampled) {
    const auto context =
        parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    ASSERT_TRUE(context.has_value());
    EXPECT_FALSE(context->sampled);
    EXPECT_EQ(to_traceparent(*context).substr(52), "-00");
}

TEST(TraceContext, ReadsWhatItKnowsOfLaterVersions) {
    EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
    EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"));
}

class NoTraceparent : public testing::TestWithParam<const char*> {};

TEST_P(NoTraceparent, IsNone) {
    EXPECT_FALSE(parse_traceparent(GetParam()).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Each,
    NoTraceparent,
    testing::Values(
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        "00-0af7651916cd43dd8448eb211c8031 c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-+7ad6b7169203331-01"
    )
);

TEST(JobContext, StaysInTheCallersTrace) {
    const TraceContext context = job_context({"a"}, kCaller);
    EXPECT_EQ(to_string(context.trace), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_NE(to_string(context.span), "b7ad6b7169203331");
    const TraceContext attempt = attempt_context({"a"}, kCaller, 0, 1);
    EXPECT_EQ(attempt.trace, context.trace);
}

TEST(JobContext, IsTheSameForWhoeverAsks) {
    EXPECT_EQ(job_context({"a"}, ""), job_context({"a"}, "nonsense"));
    EXPECT_EQ(attempt_context({"a"}, "", 3, 7), attempt_context({"a"}, "", 3, 7));
}

TEST(JobContext, NamesAllDifferently) {
    std::set<std::string> names;
    std::set<std::string> traces;
    for (const char* job : {"a", "b", "ab"}) {
        const TraceContext own = job_context({job}, "");
        traces.insert(to_string(own.trace));
        names.insert(to_string(own.span));
        for (int task = 0; task < 3; ++task) {
            for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
                names.insert(to_string(attempt_context({job}, "", task, epoch).span));
            }
        }
        for (std::uint64_t number = 0; number < 3; ++number) {
            names.insert(to_string(child_of(own.span, number)));
        }
    }
    EXPECT_EQ(traces.size(), 3U);
    EXPECT_EQ(names.size(), 3U * (1 + 9 + 3));
}

}  // namespace
}  // namespace tessera
