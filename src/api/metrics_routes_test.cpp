#include "api/native_client_test.h"

#include <gtest/gtest.h>

#include <cstring>

namespace tessera::api {
namespace {

TEST(MetricsRoutes, CountWhatHappens) {
    TestFarm farm;
    NativeClient alice(farm, farm.alice);
    const std::string id = alice.submit({{"prompt", "x"}});
    alice.submit({{"prompt", "y"}});
    alice.post("/api/v1/jobs/" + id + "/cancel");
    farm.ended(id);
    farm.get("/no\"where", "");
    const auto metrics = farm.get("/metrics", farm.admin);
    EXPECT_EQ(metrics.status, 200);
    EXPECT_TRUE(metrics.fields.get("Content-Type").starts_with("text/plain; version=0.0.4"));
    for (const char* line :
         {"tessera_build_info{version=\"0.1.0\"} 1\n",
          "tessera_queue_tasks{state=\"ready\"} 1\n",
          "tessera_jobs_submitted_total 2\n",
          "tessera_jobs_in_flight 1\n",
          "tessera_jobs_ended_total{state=\"cancelled\"} 1\n",
          "tessera_queue_waiting_tasks{class=\"normal\",tenant=\"alice\"} 1\n",
          "tessera_workers{state=\"idle\"} 0\n",
          "tessera_http_requests_total{route=\"/api/v1/jobs\",method=\"POST\",code=\"202\"} 2\n"}) {
        EXPECT_NE(metrics.body.find(line), std::string::npos) << line << metrics.body;
    }
}

TEST(MetricsRoutes, AreForAdministrators) {
    TestFarm keyed;
    TestFarm open([](ApiSettings& settings) { settings.open = true; });
    for (const char* path : {"/metrics", "/api/v1/discovery/prometheus"}) {
        EXPECT_EQ(keyed.get(path, "").status, 401);
        EXPECT_EQ(keyed.get(path, keyed.alice).status, 403);
        EXPECT_EQ(keyed.get(path, keyed.admin).status, 200);
        EXPECT_EQ(open.get(path, "").status, 200);
    }
}

TEST(MetricsRoutes, TellPrometheusWhereServerAndWorkersAre) {
    TestFarm farm;
    const FakeWorker worker = farm.worker("worker-1", 1, "10.0.0.7:9470");
    nlohmann::json targets;
    while (targets.size() < 2) {
        targets = json_of(farm.get("/api/v1/discovery/prometheus", farm.admin));
    }
    EXPECT_EQ(targets[0]["targets"][0], farm.url().substr(std::strlen("http://")));
    EXPECT_EQ(targets[0]["labels"]["role"], "server");
    EXPECT_EQ(targets[1]["targets"][0], "10.0.0.7:9470");
    EXPECT_EQ(targets[1]["labels"]["role"], "worker");
}

TEST(MetricsRoutes, CountWrongKeys) {
    TestFarm farm;
    farm.get("/api/v1/jobs", "tsr_wrong");
    const auto metrics = farm.get("/metrics", farm.admin);
    EXPECT_NE(metrics.body.find("\ntessera_auth_failures_total 1\n"), std::string::npos);
}

TEST(MetricsRoutes, AddUpWhatWorkersMeasure) {
    TestFarm farm;
    FakeWorker worker = farm.worker();
    worker.say(MetricReport{
        {{"tessera_model_evictions_total", {}, 2.0, {}},
         {"tessera_jobs_in_flight", {}, 1000.0, {}},
         {"tessera_made_up_total", {"x"}, 1.0, {}}}});
    http::Response metrics;
    while (metrics.body.find("\ntessera_model_evictions_total 2\n") == std::string::npos) {
        metrics = farm.get("/metrics", farm.admin);
    }
    EXPECT_NE(metrics.body.find("\ntessera_jobs_in_flight 0\n"), std::string::npos);
    EXPECT_EQ(metrics.body.find("made_up"), std::string::npos);
}

}  // namespace
}  // namespace tessera::api
