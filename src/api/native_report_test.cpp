#include "api/native_client_test.h"

#include <gmock/gmock.h>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

class NativeReportTest : public testing::Test {
  protected:
    TestFarm farm_;
    NativeClient alice_{farm_, farm_.alice};
    NativeClient bob_{farm_, farm_.bob};
    NativeClient admin_{farm_, farm_.admin};

    Json report(NativeClient& client) {
        farm_.queue->flush();
        return json_of(client.get("/api/v1/report?since=3600&slices=12"));
    }
};

TEST_F(NativeReportTest, SaysWhatWasDoneForWhom) {
    FakeWorker worker = farm_.worker("worker-1");
    const std::string job = alice_.submit({{"prompt", "x"}, {"count", 2}});
    worker.finish(worker.take());
    worker.finish(worker.take());
    (void)farm_.ended(job);
    const Json all = report(admin_);
    EXPECT_EQ(all.at("jobs").at("submitted"), 1);
    EXPECT_EQ(all.at("jobs").at("done"), 1);
    EXPECT_EQ(all.at("pictures"), 2);
    EXPECT_EQ(all.at("wait").at("count"), 1);
    EXPECT_EQ(all.at("tenants").at(0).at("tenant"), "alice");
    EXPECT_GT(all.at("tenants").at(0).at("cost").get<double>(), 0.0);
    EXPECT_EQ(all.at("slices").size(), 12U);
    EXPECT_EQ(all.at("is_complete"), true);
}

TEST_F(NativeReportTest, SaysWhyTasksFailed) {
    FakeWorker worker = farm_.worker("worker-1");
    const std::string job = alice_.submit({{"prompt", "x"}});
    worker.fail_task(worker.take(), "the prompt broke the model");
    (void)farm_.ended(job);
    const Json all = report(admin_);
    EXPECT_EQ(all.at("jobs").at("failed"), 1);
    EXPECT_EQ(all.at("retries").at("own"), 1);
    ASSERT_EQ(all.at("failures").size(), 1U);
    EXPECT_EQ(all.at("failures")[0].at("reason"), "the prompt broke the model");
    EXPECT_EQ(all.at("failures")[0].at("fault"), "task");
    EXPECT_EQ(all.at("tenants")[0].at("failed_jobs"), 1);
    EXPECT_GE(all.at("utilisation"), 0.0);
}

TEST_F(NativeReportTest, OfOthersATenantSeesNothing) {
    (void)alice_.submit({{"prompt", "x"}});
    (void)bob_.submit({{"prompt", "x"}});
    const Json own = report(bob_);
    EXPECT_EQ(own.at("jobs").at("submitted"), 1);
    EXPECT_EQ(own.at("tenants").size(), 1U);
    EXPECT_FALSE(own.contains("utilisation"));
}

TEST_F(NativeReportTest, MoreJobsThanAPageAreAllCounted) {
    for (int i = 0; i < 205; ++i) {
        (void)alice_.submit({{"prompt", "x"}});
    }
    EXPECT_EQ(report(alice_).at("jobs").at("submitted"), 205);
}

TEST_F(NativeReportTest, TimesOutOfRangeAreRefusedByName) {
    const Json error = admin_.refusal(admin_.get("/api/v1/report?since=5"), 400);
    EXPECT_THAT(error.dump(), testing::HasSubstr("since must be 60"));
}

}  // namespace
}  // namespace tessera::api
