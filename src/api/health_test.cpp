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

}  // namespace
}  // namespace tessera::api
