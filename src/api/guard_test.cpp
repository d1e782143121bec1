#include "api/guard.h"

#include "api/base64.h"
#include "api/rate_limit.h"
#include "api/test_farm_test.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

http::Request request_of(const std::string& method, const std::string& target) {
    http::Request request;
    request.method = method;
    request.target = target;
    return request;
}

http::Request with(http::Request request, const std::string& name, const std::string& value) {
    request.fields.set(name, value);
    return request;
}

const http::Request kList = request_of("GET", "/api/v1/jobs");

TEST(Guard, AsksForAKey) {
    TestFarm farm;
    const auto refused = farm.send(kList);
    EXPECT_EQ(refused.status, 401);
    EXPECT_TRUE(refused.fields.has("WWW-Authenticate"));
    EXPECT_EQ(json_of(refused).at("error").at("code"), "denied");
    EXPECT_EQ(farm.send(kList, "tsr_wrong_key").status, 401);
    EXPECT_EQ(farm.send(kList, farm.alice).status, 200);
    EXPECT_EQ(farm.send(with(kList, "x-api-key", farm.alice)).status, 200);
}

TEST(Guard, TakesAKeyAsUserOrPasswordToo) {
    TestFarm farm;
    const auto basic = [&](const std::string& both) {
        std::string text = "Basic ";
        append_base64(text, as_bytes(both));
        return farm.send(with(kList, "Authorization", text)).status;
    };
    EXPECT_EQ(basic("anybody:" + farm.alice), 200);
    EXPECT_EQ(basic(farm.alice + ":"), 200);
    EXPECT_EQ(basic(farm.alice + ":anything"), 200);
    EXPECT_EQ(basic("anybody:wrong"), 401);
    EXPECT_EQ(farm.send(with(kList, "Authorization", "Basic !!")).status, 401);
}

TEST(Guard, OpenFarmsNeedNoKeyButRefuseWrongOnes) {
    TestFarm farm([](ApiSettings& settings) { settings.open = true; });
    EXPECT_EQ(farm.send(kList).status, 200);
    EXPECT_EQ(farm.get("/api/v1/keys", "").status, 200) << "whoever asks is an administrator";
    EXPECT_EQ(farm.send(kList, "any-word-that-a-client-insists-on").status, 200);
    EXPECT_EQ(farm.send(kList, "tsr_mistyped_key").status, 401);
    EXPECT_EQ(farm.get("/api/v1/keys", farm.alice).status, 403) << "a key still says who asks";
}

TEST(Guard, WorkersKeysOpenTheWorkersLinkAlone) {
    TestFarm farm([](ApiSettings& settings) { settings.worker_key = "the server's own"; });
    EXPECT_EQ(farm.send(kList, farm.worker_key).status, 403);
    EXPECT_EQ(farm.send(kList, "the server's own").status, 403);
}

TEST(Guard, KnowsTheNamesItGoesBy) {
    TestFarm farm([](ApiSettings& settings) { settings.hosts = {"farm.example"}; });
    ApiSettings settings;
    const auto status = [&](const std::string& host) {
        http::Request request = kList;
        request.fields.set("Host", host);
        request.fields.set("Authorization", "Bearer " + farm.alice);
        const ApiParts parts{
            *farm.queue,
            *farm.store,
            farm.bus,
            *farm.dispatcher,
            farm.catalog,
            *farm.keys,
            *farm.desk,
            farm.clock,
            farm.entropy,
            settings,
            farm.objects,
            farm.log_file,
            farm.metrics,
            farm.traces};
        ApiGuard guard(parts, {});
        const auto answer = guard.check(request);
        return answer ? answer->status : 200;
    };
    settings.hosts = {"farm.example"};
    settings.open = false;
    for (const char* host :
         {"localhost",
          "LOCALHOST:7860",
          "127.0.0.1:7860",
          "[::1]:7860",
          "192.0.2.7",
          "farm.example:443",
          "Farm.Example"}) {
        EXPECT_EQ(status(host), 200) << host;
    }
    for (const char* host :
         {"",
          "evil.example",
          "localhost.evil.example",
          "127.0.0.1.evil.example",
          "farm.example.",
          "1e100.net"}) {
        EXPECT_EQ(status(host), 403) << host;
    }
}

TEST(Guard, LetsPagesOfItsOwnAndOfListedOriginsCall) {
    TestFarm farm([](ApiSettings& settings) {
        settings.open = true;
        settings.origins = {"https://studio.example"};
    });
    EXPECT_EQ(farm.send(with(kList, "Origin", farm.url())).status, 200);
    const auto listed = farm.send(with(kList, "Origin", "https://studio.example"));
    EXPECT_EQ(listed.status, 200);
    EXPECT_EQ(listed.fields.get("Access-Control-Allow-Origin"), "https://studio.example");
    for (const char* origin :
         {"https://evil.example",
          "null",
          "http://127.0.0.1",
          "http://localhost:1",
          "https://studio.example.evil.example"}) {
        const auto refused = farm.send(with(kList, "Origin", origin));
        EXPECT_EQ(refused.status, 403) << origin;
        EXPECT_FALSE(refused.fields.has("Access-Control-Allow-Origin")) << origin;
    }
    EXPECT_EQ(farm.send(with(kList, "Sec-Fetch-Site", "cross-site")).status, 403);
    EXPECT_EQ(farm.send(with(kList, "Sec-Fetch-Site", "same-origin")).status, 200);
    http::Request visit = with(request_of("GET", "/"), "Sec-Fetch-Site", "cross-site");
    EXPECT_EQ(farm.send(visit).status, 403) << "an image or a frame";
    EXPECT_EQ(farm.send(with(visit, "Sec-Fetch-Mode", "navigate")).status, 200) << "a link";
}

TEST(Guard, AnswersPreflightsOfListedOrigins) {
    TestFarm farm([](ApiSettings& settings) { settings.origins = {"https://studio.example"}; });
    http::Request preflight =
        with(request_of("OPTIONS", "/api/v1/jobs"), "Access-Control-Request-Method", "POST");
    const auto allowed = [&](const std::string& names) {
        http::Request asked = with(preflight, "Origin", "https://studio.example");
        asked.fields.set("Access-Control-Request-Headers", names);
        const auto answer = farm.send(asked);
        EXPECT_EQ(answer.status, 204);
        EXPECT_NE(
            answer.fields.get("Access-Control-Expose-Headers").find("X-Tessera-Job"),
            std::string_view::npos
        );
        return std::string(answer.fields.get("Access-Control-Allow-Headers"));
    };
    EXPECT_EQ(allowed("authorization, x-stainless-os"), "authorization, x-stainless-os");
    EXPECT_EQ(allowed("authorization; <script>"), "");
    EXPECT_EQ(farm.send(with(preflight, "Origin", "https://evil.example")).status, 403);
}

TEST(Guard, LinksToPicturesLoadInForeignPages) {
    TestFarm farm;
    for (const std::string path : {"/v1/images/files/nonsense", "/images/files/nonsense"}) {
        const auto shown = farm.send(with(request_of("GET", path), "Sec-Fetch-Site", "cross-site"));
        EXPECT_EQ(shown.fields.get("Cross-Origin-Resource-Policy"), "cross-origin") << path;
        EXPECT_FALSE(shown.fields.has("Access-Control-Allow-Origin")) << path;
    }
    EXPECT_EQ(
        farm.get("/v1/models", farm.alice).fields.get("Cross-Origin-Resource-Policy"), "same-origin"
    );
}

TEST(Guard, EveryAnswerIsDressed) {
    TestFarm farm;
    for (const auto& [target, key] : std::vector<std::pair<std::string, std::string>>{
             {"/", ""},
             {"/healthz", ""},
             {"/nowhere", farm.alice},
             {"/api/v1/jobs", ""},
             {"/api/v1/jobs", farm.alice},
             {"/v1/models", farm.alice},
             {"/sdapi/v1/samplers", farm.alice},
             {"/internal/objects/x", ""}}) {
        const auto answer = farm.get(target, key);
        EXPECT_EQ(answer.fields.get("X-Content-Type-Options"), "nosniff") << target;
        EXPECT_EQ(answer.fields.get("X-Frame-Options"), "DENY") << target;
        EXPECT_EQ(answer.fields.get("Referrer-Policy"), "no-referrer") << target;
        EXPECT_TRUE(answer.fields.has("Cache-Control")) << target;
        const auto policy = answer.fields.get("Content-Security-Policy");
        EXPECT_TRUE(policy.starts_with("default-src 'self';")) << target;
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string_view::npos) << target;
    }
}

TEST(Guard, ErrorsHaveTheShapeOfTheirApi) {
    TestFarm farm;
    EXPECT_TRUE(json_of(farm.get("/v1/models", "")).at("error").contains("type"));
    EXPECT_TRUE(json_of(farm.get("/v1/nowhere", farm.alice)).at("error").contains("type"));
    EXPECT_TRUE(json_of(farm.get("/sdapi/v1/options", "")).contains("detail"));
    EXPECT_TRUE(json_of(farm.get("/api/v1/jobs", "")).at("error").contains("code"));
    const auto wrong_method = farm.send("DELETE", "/api/v1/jobs", farm.alice);
    EXPECT_EQ(wrong_method.status, 405);
    EXPECT_TRUE(json_of(wrong_method).at("error").contains("message"));
}

TEST(Guard, SlowsDownWhoeverAsksTooOften) {
    TestFarm farm([](ApiSettings& settings) {
        settings.requests_per_second = 0.001;
        settings.burst = 3.0;
    });
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(farm.send(kList, farm.alice).status, 200);
    }
    const auto refused = farm.send(kList, farm.alice);
    EXPECT_EQ(refused.status, 429);
    EXPECT_GE(std::stoi(std::string(refused.fields.get("Retry-After"))), 1);
    EXPECT_EQ(farm.send(kList, farm.bob).status, 200) << "the other's bucket is his own";
}

TEST(Guard, LocksOutAddressesThatGuessKeys) {
    TestFarm farm;
    EXPECT_EQ(farm.send(kList, farm.alice).status, 200);
    for (int i = 0; i < FailedAttempts::kAllowed; ++i) {
        EXPECT_EQ(farm.send(kList, fmt::format("tsr_guess_{}", i)).status, 401);
    }
    const auto refused = farm.send(kList, "tsr_guess_x");
    EXPECT_EQ(refused.status, 429);
    EXPECT_TRUE(refused.fields.has("Retry-After"));
    EXPECT_EQ(farm.send(kList, farm.bob).status, 429) << "nor is a right key told from a wrong one";
    EXPECT_EQ(farm.send(kList, farm.alice).status, 200) << "who was known before goes on";
}

TEST(RateLimit, FillsUpAgainInTime) {
    RateLimit limit(2.0, 2.0);
    const Instant start{std::chrono::hours(1)};
    EXPECT_FALSE(limit.take("a", start));
    EXPECT_FALSE(limit.take("a", start));
    EXPECT_EQ(limit.take("a", start), Duration(std::chrono::milliseconds(500)));
    EXPECT_FALSE(limit.take("b", start));
    EXPECT_FALSE(limit.take("a", start + std::chrono::milliseconds(500)));
    EXPECT_TRUE(limit.take("a", start + std::chrono::milliseconds(500)));
    EXPECT_FALSE(limit.take("a", start + std::chrono::hours(1)));
}

TEST(RateLimit, KeepsBoundedBooks) {
    RateLimit limit(1.0, 1.0);
    const Instant start{std::chrono::hours(1)};
    int refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        refused += limit.take(std::to_string(i), start).has_value() ? 1 : 0;
    }
    EXPECT_EQ(refused, 10'000);
    EXPECT_FALSE(limit.take("late", start + std::chrono::seconds(2))) << "full buckets make room";
}

}  // namespace
}  // namespace tessera::api
