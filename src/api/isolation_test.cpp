#include "api/native_client_test.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace tessera::api {
namespace {

/// How somebody else tries a route.
struct Attempt {
    std::string target;  ///< with the owner's things in it
    std::string body{};
    /// The one status that is right; 0: any, as long as nothing of the owner's is in the answer.
    int status = 0;
};

using Route = std::pair<std::string, std::string>;

/// Bob's attempts at what is Alice's: every route of the server is here, or the test fails.
std::map<Route, Attempt> attempts(const std::string& job, const std::string& upload) {
    const std::string theirs = "/api/v1/jobs/" + job;
    const std::string init = R"({"prompt":"x","init":")" + upload + R"("})";
    std::map<Route, Attempt> all = {
        {{"POST", "/api/v1/jobs"}, {"/api/v1/jobs", init, 404}},
        {{"GET", "/api/v1/jobs"}, {"/api/v1/jobs?tenant=alice", {}, 200}},
        {{"GET", "/api/v1/jobs/{id}"}, {theirs, {}, 404}},
        {{"DELETE", "/api/v1/jobs/{id}"}, {theirs, {}, 404}},
        {{"POST", "/api/v1/jobs/{id}/cancel"}, {theirs + "/cancel", "{}", 404}},
        {{"POST", "/api/v1/jobs/{id}/retry"}, {theirs + "/retry", "{}", 404}},
        {{"GET", "/api/v1/jobs/{id}/trace"}, {theirs + "/trace", {}, 404}},
        {{"GET", "/api/v1/jobs/{id}/images/{unit}"}, {theirs + "/images/0", {}, 404}},
        {{"POST", "/api/v1/uploads"}, {"/api/v1/uploads", fake_picture(8, 8, "bob's"), 201}},
        {{"GET", "/api/v1/events"}, {"/api/v1/events?job=" + job, {}, 404}},
        {{"GET", "/api/v1/events/ws"}, {"/api/v1/events/ws?job=" + job}},
        {{"GET", "/api/v1/queue"}, {"/api/v1/queue", {}, 200}},
        {{"GET", "/api/v1/workers"}, {"/api/v1/workers", {}, 200}},
        {{"POST", "/api/v1/workers/{id}/drain"}, {"/api/v1/workers/worker-1/drain", "{}", 403}},
        {{"GET", "/api/v1/models"}, {"/api/v1/models", {}, 200}},
        {{"GET", "/api/v1/report"}, {"/api/v1/report", {}, 200}},
        {{"GET", "/api/v1/usage"}, {"/api/v1/usage", {}, 200}},
        {{"GET", "/api/v1/keys"}, {"/api/v1/keys", {}, 403}},
        {{"POST", "/api/v1/keys"}, {"/api/v1/keys", R"({"name":"x","tenant":"alice"})", 403}},
        {{"DELETE", "/api/v1/keys/{id}"}, {"/api/v1/keys/alice", {}, 403}},
        {{"GET", "/api/v1/openapi.json"}, {"/api/v1/openapi.json", {}, 200}},
        {{"GET", "/api/v1/openapi.yaml"}, {"/api/v1/openapi.yaml", {}, 200}},
        {{"GET", "/internal/worker"}, {"/internal/worker", {}, 426}},
        {{"GET", "/internal/objects/{sha256}"}, {"/internal/objects/" + upload, {}, 403}},
        {{"PUT", "/internal/objects/{sha256}"}, {"/internal/objects/" + upload, "x", 403}},
        {{"GET", "/healthz"}, {"/healthz", {}, 200}},
        {{"GET", "/readyz"}, {"/readyz", {}, 200}},
        {{"GET", "/metrics"}, {"/metrics", {}, 403}},
        {{"GET", "/api/v1/discovery/prometheus"}, {"/api/v1/discovery/prometheus", {}, 403}},
        {{"GET", "/api/v1/logs"}, {"/api/v1/logs?job=" + job, {}, 404}},
        {{"GET", "/"}, {"/", {}, 200}},
        {{"POST", "/internal/progress"},
         {"/internal/progress", R"({"id_task":"alices-tag"})", 200}},
        {{"GET", "/internal/pending-tasks"}, {"/internal/pending-tasks", {}, 200}},
        {{"GET", "/sdapi/v1/progress"}, {"/sdapi/v1/progress", {}, 200}},
        {{"POST", "/sdapi/v1/interrupt"}, {"/sdapi/v1/interrupt", "{}", 200}},
        {{"POST", "/sdapi/v1/skip"}, {"/sdapi/v1/skip", "{}", 200}},
        {{"GET", "/sdapi/v1/options"}, {"/sdapi/v1/options", {}, 200}},
        {{"POST", "/sdapi/v1/options"}, {"/sdapi/v1/options", "{}", 200}},
        // Without a prompt or a picture they make nothing; they take no references to jobs.
        {{"POST", "/sdapi/v1/txt2img"}, {"/sdapi/v1/txt2img", "[]"}},
        {{"POST", "/sdapi/v1/img2img"},
         {"/sdapi/v1/img2img", R"({"init_images":[")" + upload + "\"]}"}},
    };
    for (const std::string base : {"/v1", ""}) {
        all[{"POST", base + "/images/generations"}] = {base + "/images/generations", "{}", 400};
        all[{"POST", base + "/images/edits"}] = {base + "/images/edits", "{}"};
        all[{"POST", base + "/images/variations"}] = {base + "/images/variations", "{}"};
        all[{"GET", base + "/images/files/{token}"}] = {base + "/images/files/" + upload};
        all[{"GET", base + "/models"}] = {base + "/models", {}, 200};
        all[{"GET", base + "/models/{id}"}] = {base + "/models/demo", {}, 200};
    }
    for (const char* list :
         {"sd-models",
          "samplers",
          "schedulers",
          "upscalers",
          "latent-upscale-modes",
          "sd-vae",
          "sd-modules",
          "loras",
          "embeddings",
          "hypernetworks",
          "face-restorers",
          "realesrgan-models",
          "prompt-styles",
          "scripts",
          "script-info",
          "extensions",
          "cmd-flags",
          "memory"}) {
        const std::string path = fmt::format("/sdapi/v1/{}", list);
        all[{"GET", path}] = {path, {}, 200};
    }
    for (const char* act :
         {"refresh-checkpoints",
          "refresh-vae",
          "refresh-embeddings",
          "refresh-loras",
          "unload-checkpoint",
          "reload-checkpoint",
          "png-info",
          "extra-single-image",
          "extra-batch-images",
          "interrogate"}) {
        const std::string path = fmt::format("/sdapi/v1/{}", act);
        all[{"POST", path}] = {path, R"({"image":")" + upload + "\"}"};
    }
    return all;
}

class Isolation : public ::testing::Test {
  protected:
    void SetUp() override {
        upload = json_of(alice.upload(fake_picture(64, 64, "alice's init"))).at("sha256");
        done = alice.submit({{"prompt", "a secret of alice's"}, {"init", upload}});
        {
            FakeWorker worker = farm.worker();
            worker.finish(worker.take());
            farm.ended(done);
        }
        waiting = alice.submit({{"prompt", "a secret of alice's"}, {"tag", "alices-tag"}});
    }

    TestFarm farm;
    NativeClient alice{farm, farm.alice};
    std::string upload;
    std::string done;
    std::string waiting;
};

TEST_F(Isolation, NobodySeesOrTouchesWhatIsAnothersOverAnyRoute) {
    for (const std::string& job : {done, waiting}) {
        const auto table = attempts(job, upload);
        for (const auto& [method, pattern] : farm.routes) {
            const auto found = table.find({method, pattern});
            if (found == table.end()) {
                ADD_FAILURE() << method << " " << pattern << ": how would somebody else try it?";
                continue;
            }
            const Attempt& attempt = found->second;
            const auto answer = farm.send(method, attempt.target, farm.bob, attempt.body);
            if (attempt.status != 0) {
                EXPECT_EQ(answer.status, attempt.status)
                    << method << " " << attempt.target << " " << answer.body;
            }
            EXPECT_LT(answer.status, 500) << method << " " << attempt.target;
            for (const char* secret : {"secret of alice", "alice's init"}) {
                EXPECT_EQ(answer.body.find(secret), std::string::npos) << method << " " << pattern;
            }
            // What he named himself may come back to him in a refusal.
            if (answer.status < 400) {
                EXPECT_EQ(answer.body.find(done), std::string::npos) << method << " " << pattern;
                EXPECT_EQ(answer.body.find(waiting), std::string::npos) << method << " " << pattern;
            }
        }
    }
    EXPECT_EQ(alice.job(waiting).at("state"), "queued") << "nor has he changed anything";
    EXPECT_EQ(alice.get("/api/v1/jobs/" + done + "/images/0").status, 200);
}

TEST_F(Isolation, AbsentAndForeignThingsCannotBeToldApart) {
    NativeClient bob(farm, farm.bob);
    const std::string nobodys = "01aaaaaaaaaaaaaaaaaaaaaaaa";
    const auto without_id = [](http::Response answer, const std::string& id) {
        for (auto at = answer.body.find(id); at != std::string::npos; at = answer.body.find(id)) {
            answer.body.erase(at, id.size());
        }
        return answer.body;
    };
    for (const std::string end : {"", "/images/0"}) {
        EXPECT_EQ(
            without_id(bob.get("/api/v1/jobs/" + done + end), done),
            without_id(bob.get("/api/v1/jobs/" + nobodys + end), nobodys)
        );
    }
    const auto with_init = [&](const std::string& reference) {
        return without_id(
            bob.post("/api/v1/jobs", {{"prompt", "x"}, {"init", reference}}), reference
        );
    };
    EXPECT_EQ(with_init(upload), with_init(std::string(64, 'a')));
}

TEST_F(Isolation, AnAdministratorSeesAll) {
    NativeClient admin(farm, farm.admin);
    EXPECT_EQ(admin.get("/api/v1/jobs/" + done).status, 200);
    EXPECT_EQ(admin.get("/api/v1/jobs/" + done + "/images/0").status, 200);
    EXPECT_EQ(json_of(admin.get("/api/v1/jobs")).at("jobs").size(), 2U);
    EXPECT_EQ(admin.post("/api/v1/jobs/" + waiting + "/cancel").status, 200);
}

}  // namespace
}  // namespace tessera::api
