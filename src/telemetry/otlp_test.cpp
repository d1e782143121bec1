#include "telemetry/otlp.h"

#include "telemetry/otlp_schema_test.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tessera {
namespace {

using Json = nlohmann::json;

Span some_span() {
    Span span;
    span.id = {0xb7ad6b7169203331};
    span.name = "attempt";
    span.begin = SpanTime(std::chrono::microseconds(1'795'000'000'000'123));
    span.end = span.begin + std::chrono::microseconds(1500);
    span.attributes = {{"tessera.worker", std::string("w1")}, {"tessera.task", std::int64_t{-3}}};
    return span;
}

std::string request_of(const std::vector<Span>& spans) {
    const SpanBatch batch{{1, 2}, spans};
    const std::vector<std::pair<std::string, std::string>> service{{"service.name", "tessera"}};
    return otlp_json(service, std::span(&batch, 1));
}

Json only_span(const std::string& request) {
    return Json::parse(request)["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
}

TEST(Otlp, IsWrittenAsCollectorsReadIt) {
    const std::string request = request_of({some_span()});
    EXPECT_EQ(OtlpSchema::violation(request), "");
    const Json span = only_span(request);
    EXPECT_EQ(span["traceId"], "00000000000000010000000000000002");
    EXPECT_EQ(span["spanId"], "b7ad6b7169203331");
    EXPECT_FALSE(span.contains("parentSpanId"));
    EXPECT_EQ(span["startTimeUnixNano"], "1795000000000123000");
    EXPECT_EQ(span["endTimeUnixNano"], "1795000000001623000");
    EXPECT_EQ(span["kind"], 1);
    EXPECT_EQ(span["attributes"][1]["value"], Json({{"intValue", "-3"}}));
    EXPECT_EQ(span["status"], Json::object());
    const Json resource = Json::parse(request)["resourceSpans"][0]["resource"];
    EXPECT_EQ(resource["attributes"][0]["value"]["stringValue"], "tessera");
}

TEST(Otlp, TellsWhatAnswersSomebodyAndWhatWentWrong) {
    Span span = some_span();
    span.is_entry = true;
    span.parent = {5};
    span.error = "the render crashed";
    const std::string request = request_of({span});
    EXPECT_EQ(OtlpSchema::violation(request), "");
    EXPECT_EQ(only_span(request)["kind"], 2);
    EXPECT_EQ(only_span(request)["parentSpanId"], "0000000000000005");
    EXPECT_EQ(only_span(request)["status"], Json({{"code", 2}, {"message", "the render crashed"}}));
}

TEST(Otlp, WhatIsNoTextIsReplaced) {
    Span span = some_span();
    span.error = "bytes \xFF\xFE";
    EXPECT_EQ(OtlpSchema::violation(request_of({span})), "");
}

TEST(OtlpSchema, KnowsWhatIsWrong) {
    const std::string good = request_of({some_span()});
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return OtlpSchema::violation(text.replace(at, from.size(), to));
    };
    EXPECT_EQ(with("tessera", "tessera"), "");
    EXPECT_NE(with("resourceSpans", "resource_spans"), "");
    EXPECT_NE(with("b7ad6b7169203331", "B7AD6B7169203331"), "");
    EXPECT_NE(with("b7ad6b7169203331", "0000000000000000"), "");
    EXPECT_NE(with("\"1795000000000123000\"", "1795000000000123000"), "");
    EXPECT_NE(with("\"1795000000001623000\"", "\"1\""), "");
    EXPECT_NE(with("\"-3\"", "-3"), "");
    EXPECT_NE(with("\"kind\":1", "\"kind\":9"), "");
    EXPECT_NE(with("\"name\":\"attempt\"", "\"name\":\"\""), "");
}

}  // namespace
}  // namespace tessera
