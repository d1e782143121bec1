#include "api/native_client_test.h"
#include "events/whole_trace_test.h"
#include "telemetry/trace_context.h"

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace tessera::api {
namespace {

using Json = nlohmann::json;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* kCaller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::vector<std::string> names_of(const Json& trace) {
    std::vector<std::string> names;
    for (const Json& span : trace.at("spans")) {
        names.push_back(span.at("name"));
    }
    return names;
}

Json span_of(const Json& trace, const std::string& name) {
    for (const Json& span : trace.at("spans")) {
        if (span.at("name") == name) {
            return span;
        }
    }
    ADD_FAILURE() << "no span " << name;
    return {};
}

class NativeTracesTest : public testing::Test {
  protected:
    TestFarm farm_;
    NativeClient alice_{farm_, farm_.alice};

    /// Of all that has happened.
    Json trace(const std::string& job) {
        farm_.queue->flush();
        return json_of(alice_.get("/api/v1/jobs/" + job + "/trace"));
    }
};

TEST_F(NativeTracesTest, ShowWhereTheTimeWent) {
    FakeWorker worker = farm_.worker("worker-1");
    const std::string job = alice_.submit({{"prompt", "x"}});
    const AssignTask task = worker.take();
    const Json half = trace(job);
    EXPECT_EQ(half.at("has_ended"), false);
    EXPECT_FALSE(span_of(half, "attempt").contains("end"));
    worker.finish(task);
    (void)farm_.ended(job);
    const Json whole = trace(job);
    EXPECT_EQ(whole.at("job"), job);
    EXPECT_EQ(whole.at("has_ended"), true);
    EXPECT_THAT(names_of(whole), Contains("denoise"));
    const Json root = whole.at("spans").at(0);
    EXPECT_EQ(root.at("attributes").at("tessera.state"), "done");
    EXPECT_EQ(root.at("end"), whole.at("seconds"));
    const Json attempt = span_of(whole, "attempt");
    EXPECT_EQ(attempt.at("attributes").at("tessera.worker"), "worker-1");
}

TEST_F(NativeTracesTest, TheWorkerIsToldItsPlaceInTheCallersTrace) {
    FakeWorker worker = farm_.worker("worker-1");
    http::Request request;
    request.method = "POST";
    request.target = "/api/v1/jobs";
    request.fields.set("Content-Type", "application/json");
    request.fields.set("traceparent", kCaller);
    request.body = R"({"prompt":"x"})";
    const std::string job = json_of(alice_.send(request)).at("id");
    const auto told = parse_traceparent(worker.take().traceparent);
    ASSERT_TRUE(told.has_value());
    const Json whole = trace(job);
    EXPECT_EQ(whole.at("trace_id"), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(whole.at("spans").at(0).at("parent"), "b7ad6b7169203331");
    EXPECT_EQ(to_string(told->trace), whole.at("trace_id"));
    EXPECT_EQ(to_string(told->span), span_of(whole, "attempt").at("id"));
}

TEST_F(NativeTracesTest, ATraceparentThatIsNoneIsLeftAside) {
    http::Request request;
    request.method = "POST";
    request.target = "/api/v1/jobs";
    request.fields.set("Content-Type", "application/json");
    request.fields.set("traceparent", "00-nonsense");
    request.body = R"({"prompt":"x"})";
    const std::string job = json_of(alice_.send(request)).at("id");
    EXPECT_FALSE(trace(job).at("spans").at(0).contains("parent"));
}

TEST_F(NativeTracesTest, AreNotKeptOfJobsThatAreGone) {
    const std::string job = alice_.submit({{"prompt", "x"}});
    (void)alice_.post("/api/v1/jobs/" + job + "/cancel");
    (void)farm_.ended(job);
    EXPECT_EQ(alice_.send("DELETE", "/api/v1/jobs/" + job).status, 204);
    (void)alice_.refusal(alice_.get("/api/v1/jobs/" + job + "/trace"), 404);
}

TEST_F(NativeTracesTest, AreOfTheTenantAlone) {
    const std::string job = alice_.submit({{"prompt", "x"}});
    NativeClient bob(farm_, farm_.bob);
    const Json refusal = bob.refusal(bob.get("/api/v1/jobs/" + job + "/trace"), 404);
    EXPECT_THAT(refusal.at("message").get<std::string>(), HasSubstr("there is no job"));
    NativeClient admin(farm_, farm_.admin);
    EXPECT_EQ(admin.get("/api/v1/jobs/" + job + "/trace").status, 200);
}

TEST_F(NativeTracesTest, HaveNoGapUnderLoadWhileWorkersDie) {
    constexpr int kJobs = 24;
    std::vector<std::string> jobs;
    for (int i = 0; i < kJobs; ++i) {
        jobs.push_back(alice_.submit({{"prompt", "x"}, {"count", 1 + i % 3}}));
    }
    std::size_t tasks = 0;
    for (int i = 0; i < kJobs; ++i) {
        tasks += static_cast<std::size_t>(1 + i % 3);
    }
    {
        FakeWorker doomed = farm_.worker("doomed", 3);
        for (int i = 0; i < 3; ++i) {
            (void)doomed.take();
        }
    }
    std::vector<std::jthread> threads;
    std::atomic<std::size_t> done = 0;
    for (const char* name : {"worker-1", "worker-2"}) {
        threads.emplace_back([&, name] {
            FakeWorker worker = farm_.worker(name);
            while (done++ < tasks) {
                worker.finish(worker.take());
            }
        });
    }
    threads.clear();
    for (const std::string& job : jobs) {
        EXPECT_EQ(farm_.ended(job).state, JobState::kDone);
        farm_.queue->flush();
        const auto trace = farm_.traces->trace({job});
        ASSERT_TRUE(trace.has_value());
        EXPECT_EQ(fault_of(*trace), "") << job;
    }
}

}  // namespace
}  // namespace tessera::api
