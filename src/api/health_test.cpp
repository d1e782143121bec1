#include "api/native_client_test.h"

#include <gtest/gtest.h>

namespace tessera::api {
namespace {

TEST(Health, IsToldWithoutAKey) {
    TestFarm farm;
    EXPECT_EQ(farm.get("/healthz", "").status, 200);
    const auto ready = farm.get("/readyz", "");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(json_of(ready).at("workers"), 0);
    const FakeWorker worker = farm.worker();
    while (json_of(farm.get("/readyz", "")).at("workers") == 0) {
    }
}

TEST(Health, MetricsCountWhatHappens) {
    TestFarm farm;
    NativeClient alice(farm, farm.alice);
    const std::string id = alice.submit({{"prompt", "x"}});
    alice.submit({{"prompt", "y"}});
    alice.post("/api/v1/jobs/" + id + "/cancel");
    farm.ended(id);
    farm.get("/no\"where", "");
    const auto metrics = farm.get("/metrics", "");
    EXPECT_EQ(metrics.status, 200) << "a request from the machine itself";
    EXPECT_TRUE(metrics.fields.get("Content-Type").starts_with("text/plain; version=0.0.4"));
    for (const char* line :
         {"tessera_build_info{version=\"0.1.0\"} 1\n",
          "tessera_queue_tasks{state=\"ready\"} 1\n",
          "tessera_jobs_ended_total{state=\"cancelled\"} 1\n",
          "tessera_workers 0\n",
          "tessera_http_requests_total{route=\"/api/v1/jobs\",method=\"POST\",code=\"202\"} 2\n"}) {
        EXPECT_NE(metrics.body.find(line), std::string::npos) << line << metrics.body;
    }
}

TEST(Health, MetricsAreForAdministratorsElsewhere) {
    TestFarm farm;
    http::Request request;
    request.method = "GET";
    request.target = "/metrics";
    request.fields.set("X-Forwarded-For", "192.0.2.1");
    EXPECT_EQ(farm.send(request).status, 401);
    EXPECT_EQ(farm.send(request, farm.alice).status, 403);
    EXPECT_EQ(farm.send(request, farm.admin).status, 200);
}

}  // namespace
}  // namespace tessera::api
