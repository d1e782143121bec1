#include "api/native_client_test.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

class NativeJobs : public ::testing::Test {
  protected:
    TestFarm farm;
    NativeClient alice{farm, farm.alice};
    NativeClient admin{farm, farm.admin};
};

TEST_F(NativeJobs, AreAcceptedPaintedAndShown) {
    FakeWorker worker = farm.worker();
    const auto accepted = json_of(alice.post(
        "/api/v1/jobs", {{"prompt", "a lighthouse"}, {"seed", 7}, {"count", 2}, {"tag", "mine"}}
    ));
    const std::string id = accepted.at("id");
    EXPECT_EQ(accepted.at("spec").at("sampler"), "Euler a") << "what was left open is filled in";
    EXPECT_EQ(accepted.at("existed"), false);

    const AssignTask first = worker.take();
    worker.beat(first, 3, 8);
    const JobView seen =
        farm.wait_for(id, [](const JobView& job) { return job.tasks.at(0).progress.step == 3; });
    ASSERT_EQ(seen.state, JobState::kRunning);
    const Json running = alice.job(id);
    EXPECT_EQ(running.at("state"), "running");
    EXPECT_EQ(running.at("units").at(0).at("step"), 3);
    EXPECT_EQ(running.at("units").at(0).at("worker"), "worker-1");
    EXPECT_GT(running.at("fraction"), 0.0);
    EXPECT_EQ(running.at("units").at(1).at("state"), "queued");

    const std::string picture = worker.finish(first);
    worker.finish(worker.take());
    farm.ended(id);
    const Json done = alice.job(id);
    EXPECT_EQ(done.at("state"), "done");
    EXPECT_EQ(done.at("fraction"), 1.0);
    EXPECT_EQ(done.at("pictures_done"), 2);
    EXPECT_EQ(done.at("units").at(0).at("times").at(0).at("stage"), "steps");
    const http::Response image = alice.get(done.at("units").at(0).at("image").at("href"));
    EXPECT_EQ(image.status, 200);
    EXPECT_EQ(image.body, picture);
}

TEST_F(NativeJobs, SayWhichFieldIsWrongAndWhy) {
    struct Case {
        Json body;
        std::string field;
        std::string words;
    };
    const std::vector<Case> cases = {
        {{{"promt", "x"}}, "promt", "did you mean prompt?"},
        {{{"prompt", 3}}, "prompt", "must be a text"},
        {{{"steps", "many"}}, "steps", "whole number"},
        {{{"steps", 0}}, "steps", "steps must be at least 1"},
        {{{"steps", 100'000}}, "steps", "are allowed"},
        {{{"model", "dmeo"}}, "model", "try demo"},
        {{{"sampler", "Euler b"}}, "sampler", "Euler a"},
        {{{"size", "99999x64"}}, "size", "pixels are allowed"},
        {{{"count", 0}}, "count", ""},
        {{{"count", 100'000}}, "count", "allowed"},
        {{{"prompt", std::string(9000, 'x')}}, "prompt", "are allowed"},
        {{{"priority", "urgent"}}, "priority", "interactive"},
        {{{"deadline", "tomorrow"}}, "deadline", "2026-11-23T17:20:03Z"},
        {{{"format", "gif"}}, "format", "png, jpeg and webp"},
        {{{"quality", 101}}, "quality", "1 to 100"},
        {{{"tag", std::string(300, 'x')}}, "tag", "256 are allowed"},
        {{{"idempotency_key", std::string(300, 'x')}}, "idempotency_key", "256 are allowed"},
        {{{"count", 1000}, {"size", "4096x4096"}}, "count", "megapixel-steps"},
        {{{"webhook", "https://example.org"}}, "webhook", "calls no addresses"},
        {{{"init", std::string(64, 'a')}}, "init", "no upload"},
        {{{"mask", "nonsense"}}, "mask", "no upload"},
        {{{"kind", "upscale"}, {"prompt", "x"}}, "prompt", "no such field"},
    };
    for (const Case& one : cases) {
        Json body{{"prompt", "x"}};
        body.update(one.body);
        const auto response = alice.post("/api/v1/jobs", body);
        EXPECT_GE(response.status, 400) << one.body.dump().substr(0, 100);
        EXPECT_LT(response.status, 500) << one.body.dump().substr(0, 100);
        const Json error = json_of(response).at("error");
        EXPECT_NE(error.at("message").get<std::string>().find(one.words), std::string::npos)
            << error.dump();
        EXPECT_EQ(error.value("field", ""), one.field) << error.dump();
    }
    EXPECT_EQ(json_of(alice.get("/api/v1/jobs")).at("jobs").size(), 0U) << "no job is half-made";
}

TEST_F(NativeJobs, NeedAPromptWhichMayBeEmpty) {
    for (const Json& body : {Json::object(), Json{{"steps", 4}}, Json{{"prompt", nullptr}}}) {
        const Json error = alice.refusal(alice.post("/api/v1/jobs", body), 400);
        EXPECT_EQ(error.at("field"), "prompt") << body;
        EXPECT_EQ(error.at("message"), "prompt is missing") << body;
    }
    const std::string id = alice.submit({{"prompt", ""}});
    EXPECT_EQ(alice.job(id).at("spec").at("prompt"), "");
}

TEST_F(NativeJobs, RefuseMalformedBodies) {
    for (const char* body : {"{", "[]", "\"x\"", "{\"prompt\":\"a\"", "{\"a\":1,\"a\":2}"}) {
        const Json error = alice.refusal(alice.send("POST", "/api/v1/jobs", body), 400);
        EXPECT_EQ(error.at("code"), "invalid_argument") << body;
    }
    http::Request request;
    request.method = "POST";
    request.target = "/api/v1/jobs";
    request.fields.set("Content-Type", "text/plain");
    request.body = "{}";
    EXPECT_EQ(alice.refusal(alice.send(request), 415).at("code"), "unsupported");
    request.fields.set("Content-Type", "application/msgpack");
    request.body = std::string(100'000, '\x91');
    EXPECT_EQ(alice.send(request).status, 400);
    request.fields.set("Content-Type", "application/json");
    request.body = std::string(2U << 20U, ' ');
    EXPECT_EQ(alice.send(request).status, 413);
}

TEST_F(NativeJobs, SpeakMessagePackBothWays) {
    const auto body = Json::to_msgpack({{"prompt", "a lighthouse"}, {"steps", 4}});
    http::Request request;
    request.method = "POST";
    request.target = "/api/v1/jobs";
    request.fields.set("Content-Type", "application/msgpack");
    request.fields.set("Accept", "application/msgpack");
    request.body.assign(body.begin(), body.end());
    const auto response = alice.send(request);
    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(response.fields.get("Content-Type"), "application/msgpack");
    const Json accepted = Json::from_msgpack(response.body);
    EXPECT_EQ(alice.job(accepted.at("id")).at("spec").at("steps"), 4);
}

TEST_F(NativeJobs, OfTheSameIdempotencyKeyAreOne) {
    http::Request request;
    request.method = "POST";
    request.target = "/api/v1/jobs";
    request.fields.set("Idempotency-Key", "once");
    request.body = R"({"prompt":"a lighthouse"})";
    const auto first = alice.send(request);
    EXPECT_EQ(first.status, 202);
    const auto again = alice.send(request);
    EXPECT_EQ(again.status, 200) << "though its seed was left to chance";
    EXPECT_EQ(json_of(again).at("id"), json_of(first).at("id"));
    EXPECT_EQ(json_of(again).at("existed"), true);
    EXPECT_EQ(json_of(again).at("spec").at("seed"), json_of(first).at("spec").at("seed"));

    request.body = R"({"prompt":"a castle"})";
    EXPECT_EQ(alice.refusal(alice.send(request), 409).at("code"), "conflict");
    request.body = R"({"prompt":"a lighthouse","idempotency_key":"another"})";
    EXPECT_EQ(alice.refusal(alice.send(request), 400).at("field"), "idempotency_key");
    NativeClient bob(farm, farm.bob);
    request.body = R"({"prompt":"a lighthouse"})";
    EXPECT_NE(json_of(bob.send(request)).at("id"), json_of(first).at("id"))
        << "keys are a tenant's";
}

TEST_F(NativeJobs, AreListedNewestFirstPageByPage) {
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(alice.submit({{"prompt", "x"}, {"tag", i % 2 == 0 ? "even" : "odd"}}));
    }
    const Json first = json_of(alice.get("/api/v1/jobs?limit=2"));
    ASSERT_EQ(first.at("jobs").size(), 2U);
    EXPECT_EQ(first.at("jobs").at(0).at("id"), ids[4]);
    const std::string next = first.at("next");
    const Json second = json_of(alice.get("/api/v1/jobs?limit=10&before=" + next));
    ASSERT_EQ(second.at("jobs").size(), 3U);
    EXPECT_EQ(second.at("jobs").at(0).at("id"), ids[2]);
    EXPECT_TRUE(second.at("next").is_null());
    EXPECT_EQ(json_of(alice.get("/api/v1/jobs?tag=odd")).at("jobs").size(), 2U);
    EXPECT_EQ(json_of(alice.get("/api/v1/jobs?state=done")).at("jobs").size(), 0U);
    EXPECT_EQ(alice.refusal(alice.get("/api/v1/jobs?state=lost"), 400).at("field"), "state");
    EXPECT_EQ(alice.refusal(alice.get("/api/v1/jobs?limit=0"), 400).at("field"), "limit");
    EXPECT_EQ(alice.refusal(alice.get("/api/v1/jobs?stat=done"), 400).at("field"), "stat");
    EXPECT_EQ(json_of(admin.get("/api/v1/jobs")).at("jobs").size(), 5U);
    EXPECT_EQ(json_of(admin.get("/api/v1/jobs?tenant=bob")).at("jobs").size(), 0U);
}

TEST_F(NativeJobs, AreCancelledWhileTheyRun) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}});
    const AssignTask task = worker.take();
    const auto answer = alice.post("/api/v1/jobs/" + id + "/cancel");
    EXPECT_EQ(json_of(answer).at("state"), "cancelled");
    EXPECT_TRUE(worker.is_told_to_stop(task));
    EXPECT_EQ(alice.post("/api/v1/jobs/" + id + "/retry").status, 409);
}

TEST_F(NativeJobs, ThatFailedTellWhyAndAreRetried) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}});
    worker.fail_task(worker.take(), "the prompt broke the model");
    farm.ended(id);
    const Json failed = alice.job(id);
    EXPECT_EQ(failed.at("state"), "failed");
    EXPECT_EQ(failed.at("units").at(0).at("failure").at("message"), "the prompt broke the model");
    EXPECT_EQ(alice.post("/api/v1/jobs/" + id + "/cancel").status, 409);

    EXPECT_EQ(alice.post("/api/v1/jobs/" + id + "/retry").status, 200);
    worker.finish(worker.take());
    EXPECT_EQ(farm.ended(id).state, JobState::kDone);
}

TEST_F(NativeJobs, AreDeletedWithTheirPictures) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}});
    const AssignTask task = worker.take();
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + id).status, 409) << "it has not ended";
    const std::string hash = sha256_hex(as_bytes(worker.finish(task)));
    farm.ended(id);
    EXPECT_TRUE(farm.store->info(hash));
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + id).status, 204);
    EXPECT_FALSE(farm.store->info(hash));
    EXPECT_EQ(alice.get("/api/v1/jobs/" + id).status, 404);
    EXPECT_EQ(alice.get("/api/v1/jobs/" + id + "/images/0").status, 404);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + id).status, 404);
}

TEST_F(NativeJobs, KeepPicturesThatOthersReferToWhenOneIsDeleted) {
    FakeWorker worker = farm.worker();
    const std::string picture = fake_picture(64, 64, "the same");
    const std::string hash = sha256_hex(as_bytes(picture));
    const std::string first = alice.submit({{"prompt", "x"}, {"seed", 1}});
    worker.finish(worker.take(), picture);
    const std::string second = alice.submit({{"prompt", "x"}, {"seed", 1}});
    worker.finish(worker.take(), picture);
    farm.ended(first);
    farm.ended(second);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + first).status, 204);
    EXPECT_EQ(alice.get("/api/v1/jobs/" + second + "/images/0").body, picture);

    ASSERT_EQ(alice.upload(picture).status, 201);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/jobs/" + second).status, 204);
    EXPECT_TRUE(farm.store->info(hash)) << "it is an upload as well";
}

TEST_F(NativeJobs, BeginWithUploadsAndWithPicturesOfOtherJobs) {
    FakeWorker worker = farm.worker();
    const std::string picture = fake_picture(64, 64, "uploaded");
    const Json upload = json_of(alice.upload(picture));
    EXPECT_EQ(upload.at("width"), 64);
    const std::string first =
        alice.submit({{"prompt", "x"}, {"init", upload.at("sha256")}, {"strength", 0.5}});
    const AssignTask task = worker.take();
    EXPECT_EQ(decode_job_spec(task.spec)->init, upload.at("sha256"));
    worker.finish(task);
    farm.ended(first);
    const std::string second = alice.submit({{"kind", "upscale"}, {"init", first + "/0"}});
    const AssignTask larger = worker.take();
    EXPECT_EQ(
        decode_job_spec(larger.spec)->init,
        alice.job(first).at("units").at(0).at("image").at("sha256")
    );
    EXPECT_EQ(
        alice
            .refusal(alice.post("/api/v1/jobs", {{"kind", "upscale"}, {"init", first + "/1"}}), 404)
            .at("field"),
        "init"
    );
}

TEST_F(NativeJobs, AreRefusedWithAMomentToComeBackWhenTooMuchWaits) {
    TenantLimits limits;
    limits.max_queued_tasks = 3;
    TestFarm small({}, limits);
    NativeClient client(small, small.alice);
    client.submit({{"prompt", "x"}, {"count", 2}});
    const auto full = client.post("/api/v1/jobs", {{"prompt", "x"}, {"count", 2}});
    EXPECT_EQ(client.refusal(full, 429).at("code"), "exhausted");
    EXPECT_GE(std::stoi(std::string(full.fields.get("Retry-After"))), 1);
    const auto never = client.post("/api/v1/jobs", {{"prompt", "x"}, {"count", 4}});
    EXPECT_EQ(never.status, 400) << "no waiting helps";
}

TEST_F(NativeJobs, AreRefusedForAMomentWhenTheWholeQueueIsFull) {
    TenantLimits limits;
    limits.max_queued_tasks_of_all = 3;
    TestFarm small({}, limits);
    NativeClient hers(small, small.alice);
    NativeClient his(small, small.bob);
    hers.submit({{"prompt", "x"}, {"count", 3}});
    const auto full = his.post("/api/v1/jobs", {{"prompt", "x"}});
    EXPECT_EQ(his.refusal(full, 429).at("code"), "exhausted");
    EXPECT_GE(std::stoi(std::string(full.fields.get("Retry-After"))), 1);
    const auto never = his.post("/api/v1/jobs", {{"prompt", "x"}, {"count", 4}});
    EXPECT_EQ(his.refusal(never, 400).at("field"), "count") << "no waiting helps";
}

TEST_F(NativeJobs, TellWhereTheyStandInTheLine) {
    const std::string id = alice.submit({{"prompt", "x"}});
    Json job = alice.job(id);
    // The dispatcher hears of it in its own time.
    for (int i = 0; i < 1000 && !job.contains("position"); ++i) {
        job = alice.job(id);
    }
    EXPECT_EQ(job.value("position", -1), 0);
    EXPECT_TRUE(job.contains("waits_because"));
}

}  // namespace
}  // namespace tessera::api
