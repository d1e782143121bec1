#include "api/native_client_test.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

class NativeQueueTest : public testing::Test {
  protected:
    TestFarm farm_;
    NativeClient alice_{farm_, farm_.alice};
    NativeClient bob_{farm_, farm_.bob};
    NativeClient admin_{farm_, farm_.admin};

    /// When all that was handed in has reached the dispatcher.
    Json queue(NativeClient& client, std::size_t lines) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        Json json;
        do {
            std::this_thread::yield();
            json = json_of(client.get("/api/v1/queue"));
        } while (json.at("lines").size() != lines && std::chrono::steady_clock::now() < deadline);
        return json;
    }
};

TEST_F(NativeQueueTest, SaysWhatWaitsByClassAndTenant) {
    (void)alice_.submit({{"prompt", "x"}, {"count", 3}, {"priority", "batch"}});
    (void)alice_.submit({{"prompt", "x"}});
    (void)bob_.submit({{"prompt", "x"}, {"count", 2}});
    const Json all = queue(admin_, 3);
    EXPECT_EQ(all.at("ready"), 6);
    EXPECT_EQ(all.at("running"), 0);
    EXPECT_EQ(all.at("lines_left_out"), 0);
    EXPECT_EQ(all.at("lines")[0].at("tenant"), "alice");
    EXPECT_EQ(all.at("lines")[0].at("priority"), "batch");
    EXPECT_EQ(all.at("lines")[0].at("tasks"), 3);
    EXPECT_EQ(all.at("lines")[1].at("tenant"), "bob");
}

TEST_F(NativeQueueTest, OfOthersATenantSeesNothing) {
    (void)alice_.submit({{"prompt", "x"}, {"count", 3}});
    (void)bob_.submit({{"prompt", "x"}});
    const Json own = queue(bob_, 1);
    EXPECT_EQ(own.at("ready"), 1);
    EXPECT_EQ(own.at("lines")[0].at("tenant"), "bob");
    EXPECT_EQ(own.dump().find("alice"), std::string::npos);
}

}  // namespace
}  // namespace tessera::api
