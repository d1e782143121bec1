#pragma once

#include "api/openapi_test.h"
#include "api/test_farm_test.h"

#include <string>
#include <utility>

namespace tessera::api {

/// A tenant who speaks the native API, and holds every answer against the document.
class NativeClient {
  public:
    using Json = nlohmann::json;

    NativeClient(const TestFarm& farm, std::string key) : farm_(farm), key_(std::move(key)) {}

    http::Response send(http::Request request) {
        http::Response response = farm_.send(request, key_);
        EXPECT_EQ(document_.check(request.method, request.target, response), "")
            << request.method << " " << request.target << " answered " << response.status << " "
            << response.body;
        return response;
    }
    http::Response send(
        const std::string& method, const std::string& target, std::string body = {}
    ) {
        http::Request request;
        request.method = method;
        request.target = target;
        request.fields.set("Content-Type", "application/json");
        request.body = std::move(body);
        return send(std::move(request));
    }
    http::Response get(const std::string& target) { return send("GET", target); }
    http::Response post(const std::string& target, const Json& body = Json::object()) {
        return send("POST", target, body.dump());
    }
    http::Response upload(std::string picture) {
        http::Request request;
        request.method = "POST";
        request.target = "/api/v1/uploads";
        request.fields.set("Content-Type", "image/png");
        request.body = std::move(picture);
        return send(std::move(request));
    }
    /// A job's id.
    std::string submit(const Json& body) {
        const http::Response response = post("/api/v1/jobs", body);
        EXPECT_EQ(response.status, 202) << response.body;
        return response.status == 202 ? json_of(response).at("id").get<std::string>() : "";
    }
    Json job(const std::string& id) { return json_of(get("/api/v1/jobs/" + id)); }
    /// The error of a refusal with that status.
    Json refusal(const http::Response& response, int status) {
        EXPECT_EQ(response.status, status) << response.body;
        return json_of(response).value("error", Json::object());
    }

  private:
    const TestFarm& farm_;
    const std::string key_;
    const OpenApi document_;
};

}  // namespace tessera::api
