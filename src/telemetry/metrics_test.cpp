#include "telemetry/metrics.h"

#include "telemetry/farm_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tessera {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::array kBounds{1.0, 5.0};
constexpr MetricFamily kSeen{
    .name = "tessera_seen_total", .kind = MetricKind::kCounter, .help = "Things seen."};
constexpr MetricFamily kByTenant{
    .name = "tessera_asked_total",
    .kind = MetricKind::kCounter,
    .help = "Things asked for.",
    .labels = {"tenant", "kind"},
    .most_series = 4,
};
constexpr MetricFamily kDepth{.name = "tessera_depth", .help = "How deep."};
constexpr MetricFamily kTook{
    .name = "tessera_took_seconds",
    .kind = MetricKind::kHistogram,
    .help = "How long.",
    .bounds = kBounds,
};

TEST(Metrics, AreTextAsPrometheusReadsIt) {
    Metrics metrics;
    metrics.counter(kSeen).add();
    metrics.counter(kSeen).add(2.0);
    metrics.counter(kByTenant, {"an\"na\n", "render"}).add();
    metrics.gauge(kDepth).set(2.5);
    metrics.gauge(kDepth).add(-1.0);
    const Histogram took = metrics.histogram(kTook);
    took.observe(0.5);
    took.observe(3.0);
    took.observe(30.0);
    EXPECT_EQ(
        metrics.text(),
        "# HELP tessera_asked_total Things asked for.\n"
        "# TYPE tessera_asked_total counter\n"
        "tessera_asked_total{tenant=\"an\\\"na\\n\",kind=\"render\"} 1\n"
        "# HELP tessera_depth How deep.\n"
        "# TYPE tessera_depth gauge\n"
        "tessera_depth 1.5\n"
        "# HELP tessera_seen_total Things seen.\n"
        "# TYPE tessera_seen_total counter\n"
        "tessera_seen_total 3\n"
        "# HELP tessera_took_seconds How long.\n"
        "# TYPE tessera_took_seconds histogram\n"
        "tessera_took_seconds_count 3\n"
        "tessera_took_seconds_sum 33.5\n"
        "tessera_took_seconds_bucket{le=\"1\"} 1\n"
        "tessera_took_seconds_bucket{le=\"5\"} 2\n"
        "tessera_took_seconds_bucket{le=\"+Inf\"} 3\n"
    );
}

TEST(Metrics, CountStrangersTogetherOnceThereAreTooMany) {
    Metrics metrics;
    for (int i = 0; i < 10'000; ++i) {
        metrics.counter(kByTenant, {"tenant " + std::to_string(i), "render"}).add();
    }
    metrics.counter(kByTenant, {"tenant 1", "render"}).add();
    const std::string text = metrics.text();
    EXPECT_THAT(text, HasSubstr("{tenant=\"tenant 1\",kind=\"render\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("{tenant=\"other\",kind=\"other\"} 9997\n"));
    EXPECT_THAT(text, Not(HasSubstr("tenant 3\"")));
}

TEST(Metrics, DoNotRepeatHostileLabels) {
    Metrics metrics;
    metrics.counter(kByTenant, {std::string(129, 'x'), "\xff\xfe"}).add();
    EXPECT_THAT(metrics.text(), HasSubstr("{tenant=\"other\",kind=\"other\"} 1\n"));
}

TEST(Metrics, AskCollectorsAtEachScrapeUntilTheyLeave) {
    Metrics metrics;
    double depth = 1.0;
    auto collector = metrics.collect([&](MetricWriter& writer) {
        writer.write(kDepth, {}, depth);
        for (int i = 0; i < 6; ++i) {
            writer.write(kByTenant, {std::to_string(i), "render"}, 7.0);
        }
    });
    EXPECT_THAT(metrics.text(), HasSubstr("\ntessera_depth 1\n"));
    EXPECT_THAT(metrics.text(), HasSubstr("{tenant=\"2\",kind=\"render\"} 7\n"));
    EXPECT_THAT(metrics.text(), HasSubstr("{tenant=\"other\",kind=\"other\"} 21\n"));
    EXPECT_THAT(metrics.text(), Not(HasSubstr("tenant=\"3\""))) << "bounded here, too";
    depth = 2.0;
    EXPECT_THAT(metrics.text(), HasSubstr("\ntessera_depth 2\n"));
    collector.reset();
    EXPECT_THAT(metrics.text(), IsEmpty());
}

TEST(Metrics, TellOncePerAskingWhatWasAdded) {
    Metrics metrics;
    const Counter seen = metrics.counter(kSeen);
    const Histogram took = metrics.histogram(kTook);
    metrics.gauge(kDepth).set(1.0);
    EXPECT_THAT(metrics.take_changes(), IsEmpty());
    seen.add(3.0);
    took.observe(0.0);
    took.observe(7.0);
    EXPECT_THAT(
        metrics.take_changes(),
        testing::ElementsAre(
            MetricChange{"tessera_seen_total", {}, 3.0, {}},
            MetricChange{"tessera_took_seconds", {}, 7.0, {1, 0, 1}}
        )
    );
    EXPECT_THAT(metrics.take_changes(), IsEmpty());
    took.observe(0.0);
    EXPECT_THAT(
        metrics.take_changes(),
        testing::ElementsAre(MetricChange{"tessera_took_seconds", {}, 0.0, {1, 0, 0}})
    );
}

TEST(Metrics, AddUpWhatOtherProcessesMeasured) {
    Metrics worker;
    worker.counter(kByTenant, {"anna", "render"}).add(2.0);
    worker.histogram(kTook).observe(3.0);
    Metrics server;
    server.counter(kByTenant, {"anna", "render"}).add();
    for (const MetricChange& change : worker.take_changes()) {
        EXPECT_TRUE(server.apply(change.buckets.empty() ? kByTenant : kTook, change));
    }
    EXPECT_THAT(server.text(), HasSubstr("{tenant=\"anna\",kind=\"render\"} 3\n"));
    EXPECT_THAT(server.text(), HasSubstr("tessera_took_seconds_bucket{le=\"5\"} 1\n"));
    EXPECT_THAT(server.text(), HasSubstr("tessera_took_seconds_sum 3\n"));
}

TEST(Metrics, RefuseChangesThatMakeNoSense) {
    Metrics metrics;
    const std::string before = metrics.text();
    EXPECT_FALSE(metrics.apply(kSeen, {"tessera_depth", {}, 1.0, {}}));
    EXPECT_FALSE(metrics.apply(kDepth, {"tessera_depth", {}, 1.0, {}})) << "gauges do not add up";
    EXPECT_FALSE(metrics.apply(kSeen, {"tessera_seen_total", {}, -1.0, {}}));
    EXPECT_FALSE(metrics.apply(kSeen, {"tessera_seen_total", {}, HUGE_VAL, {}}));
    EXPECT_FALSE(metrics.apply(kSeen, {"tessera_seen_total", {"x"}, 1.0, {}}));
    EXPECT_FALSE(metrics.apply(kSeen, {"tessera_seen_total", {}, 1.0, {1}}));
    EXPECT_FALSE(metrics.apply(kTook, {"tessera_took_seconds", {}, 1.0, {1, 1}}));
    EXPECT_EQ(metrics.text(), before);
}

TEST(Metrics, CountFromManyThreads) {
    Metrics metrics;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&metrics, i] {
                for (int n = 0; n < 1'000; ++n) {
                    metrics.counter(kByTenant, {std::to_string(i % 2), "render"}).add();
                    metrics.histogram(kTook).observe(2.0);
                }
            });
        }
        for (int n = 0; n < 20; ++n) {
            EXPECT_THAT(metrics.take_changes(), SizeIs(testing::Le(3)));
        }
    }
    EXPECT_THAT(metrics.text(), HasSubstr("{tenant=\"1\",kind=\"render\"} 2000\n"));
    EXPECT_THAT(metrics.text(), HasSubstr("tessera_took_seconds_count 4000\n"));
}

TEST(FarmMetrics, FollowPrometheusConventions) {
    std::set<std::string_view> names;
    for (const MetricFamily* family : metric::all()) {
        const std::string name(family->name);
        EXPECT_TRUE(names.insert(family->name).second) << name;
        EXPECT_TRUE(name.starts_with("tessera_")) << name;
        EXPECT_EQ(name.ends_with("_total"), family->kind == MetricKind::kCounter) << name;
        EXPECT_EQ(family->bounds.empty(), family->kind != MetricKind::kHistogram) << name;
        EXPECT_TRUE(family->help.ends_with('.')) << name;
        EXPECT_TRUE(std::ranges::is_sorted(family->bounds)) << name;
    }
}

TEST(FarmMetrics, KnowWhatWorkersMayReport) {
    EXPECT_EQ(metric::of_workers("tessera_render_step_seconds"), &metric::kStep);
    EXPECT_EQ(metric::of_workers("tessera_jobs_submitted_total"), nullptr);
}

}  // namespace
}  // namespace tessera
