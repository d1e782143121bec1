#include "api/native_client_test.h"
#include "api/openapi_test.h"

#include <gtest/gtest.h>

namespace tessera::api {
namespace {

class NativeLogs : public testing::Test {
  protected:
    void log(const std::string& job, const std::string& message, LogLevel level) {
        LogRecord record;
        record.time = farm.clock.wall();
        record.job = job;
        record.message = message;
        record.level = level;
        farm.log_file->write(record);
    }
    std::vector<std::string> messages(NativeClient& client, const std::string& query) {
        const auto answer = client.get("/api/v1/logs" + query);
        EXPECT_EQ(answer.status, 200) << answer.body;
        std::vector<std::string> all;
        const auto json = json_of(answer);
        for (const auto& record : json.at("records")) {
            all.push_back(record.at("message"));
        }
        return all;
    }

    TestFarm farm;
    NativeClient admin{farm, farm.admin};
    NativeClient alice{farm, farm.alice};
    NativeClient bob{farm, farm.bob};
};

TEST_F(NativeLogs, AreTheFarmsForAdministrators) {
    log("", "the disk is slow", LogLevel::kWarning);
    log("j1", "accepted", LogLevel::kInfo);
    EXPECT_EQ(messages(admin, ""), (std::vector<std::string>{"the disk is slow", "accepted"}));
    EXPECT_EQ(messages(admin, "?level=warning"), (std::vector<std::string>{"the disk is slow"}));
    EXPECT_EQ(messages(admin, "?limit=1"), (std::vector<std::string>{"accepted"}));
    const auto wrong = admin.get("/api/v1/logs?level=loud");
    EXPECT_EQ(admin.refusal(wrong, 400).at("field"), "level");
}

TEST_F(NativeLogs, ShowOnlyOnesOwnJobs) {
    const std::string id = alice.submit({{"prompt", "x"}});
    log(id, "accepted", LogLevel::kInfo);
    EXPECT_EQ(messages(alice, "?job=" + id), (std::vector<std::string>{"accepted"}));
    EXPECT_EQ(bob.get("/api/v1/logs?job=" + id).status, 404);
    const auto whole = alice.get("/api/v1/logs");
    EXPECT_EQ(alice.refusal(whole, 403).at("field"), "job");
}

}  // namespace
}  // namespace tessera::api
