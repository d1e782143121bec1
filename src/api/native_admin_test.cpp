#include "api/native_client_test.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

class NativeAdmin : public ::testing::Test {
  protected:
    TestFarm farm;
    NativeClient alice{farm, farm.alice};
    NativeClient admin{farm, farm.admin};
};

TEST_F(NativeAdmin, MakesAndEndsKeys) {
    const auto made = admin.post("/api/v1/keys", {{"name", "carol"}, {"tenant", "studio"}});
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.fields.get("Cache-Control"), "no-store");
    const Json key = json_of(made);
    NativeClient carol(farm, key.at("key"));
    EXPECT_EQ(carol.get("/api/v1/jobs").status, 200);
    EXPECT_EQ(json_of(admin.get("/api/v1/keys")).at("keys").size(), 5U);
    EXPECT_EQ(
        admin.get("/api/v1/keys").body.find(key.at("key").get<std::string>()), std::string::npos
    );
    EXPECT_EQ(admin.send("DELETE", "/api/v1/keys/" + key.at("id").get<std::string>()).status, 204);
    EXPECT_EQ(carol.get("/api/v1/jobs").status, 401);
    EXPECT_EQ(admin.send("DELETE", "/api/v1/keys/carol").status, 404);
    EXPECT_EQ(
        admin.refusal(admin.post("/api/v1/keys", {{"name", "a b"}}), 400).at("field"), "name"
    );
    EXPECT_EQ(
        admin.refusal(admin.post("/api/v1/keys", {{"name", "x"}, {"role", "god"}}), 400)
            .at("field"),
        "role"
    );
    EXPECT_EQ(admin.post("/api/v1/keys", {{"name", "alice"}}).status, 409);
}

TEST_F(NativeAdmin, IsNeededForWhatConcernsAll) {
    EXPECT_EQ(alice.get("/api/v1/keys").status, 403);
    EXPECT_EQ(alice.post("/api/v1/keys", {{"name", "x"}}).status, 403);
    EXPECT_EQ(alice.send("DELETE", "/api/v1/keys/alice").status, 403);
    EXPECT_EQ(alice.post("/api/v1/workers/worker-1/drain").status, 403);
}

TEST_F(NativeAdmin, SeesWhatWorkersDo) {
    FakeWorker worker = farm.worker();
    NativeClient bob(farm, farm.bob);
    const std::string id = bob.submit({{"prompt", "x"}});
    const AssignTask task = worker.take();
    const Json seen = json_of(admin.get("/api/v1/workers")).at("workers").at(0);
    EXPECT_EQ(seen.at("id"), "worker-1");
    EXPECT_EQ(seen.at("tasks").at(0).at("job"), id);
    const auto hers = alice.get("/api/v1/workers");
    EXPECT_EQ(json_of(hers).at("workers").at(0).at("running"), 1);
    EXPECT_EQ(hers.body.find(id), std::string::npos) << "whose task it is, is not hers to know";
    EXPECT_EQ(admin.post("/api/v1/workers/worker-1/drain").status, 202);
    EXPECT_EQ(admin.post("/api/v1/workers/nobody/drain").status, 404);
    worker.finish(task);
}

TEST_F(NativeAdmin, UsageIsCountedByTenant) {
    FakeWorker worker = farm.worker();
    const std::string id = alice.submit({{"prompt", "x"}, {"count", 2}});
    worker.finish(worker.take());
    worker.finish(worker.take());
    farm.ended(id);
    NativeClient bob(farm, farm.bob);
    bob.submit({{"prompt", "x"}});
    const Json hers = json_of(alice.get("/api/v1/usage"));
    ASSERT_EQ(hers.at("tenants").size(), 1U);
    EXPECT_EQ(hers.at("tenants").at(0).at("pictures"), 2);
    EXPECT_GT(hers.at("tenants").at(0).at("cost"), 0.0);
    std::set<std::string> tenants;
    const Json usage = json_of(admin.get("/api/v1/usage"));
    for (const Json& one : usage.at("tenants")) {
        tenants.insert(one.at("tenant"));
    }
    EXPECT_EQ(tenants, (std::set<std::string>{"alice", "bob", "house"}));
}

TEST_F(NativeAdmin, EverybodySeesTheCatalogAndTheDocument) {
    const Json catalog = json_of(alice.get("/api/v1/models"));
    EXPECT_EQ(catalog.at("models").at(0).at("name"), "demo");
    EXPECT_EQ(catalog.at("upscalers").at(0).at("scale"), 2);
    const auto json = farm.get("/api/v1/openapi.json", "");
    EXPECT_EQ(json_of(json).at("openapi"), "3.1.0");
    EXPECT_EQ(farm.get("/api/v1/openapi.yaml", "").fields.get("Content-Type"), "application/yaml");
}

/// The routes that the document is about.
bool is_documented(const std::string& path) {
    return path.starts_with("/api/") || path == "/healthz" || path == "/readyz" ||
           path == "/metrics";
}

TEST_F(NativeAdmin, TheDocumentTellsAllRoutesAndNoOthers) {
    std::set<std::pair<std::string, std::string>> routes;
    for (const auto& [method, path] : farm.routes) {
        if (is_documented(path)) {
            routes.emplace(method, path);
        }
    }
    const auto operations = OpenApi().operations();
    const std::set<std::pair<std::string, std::string>> documented(
        operations.begin(), operations.end()
    );
    EXPECT_EQ(documented, routes);
}

}  // namespace
}  // namespace tessera::api
