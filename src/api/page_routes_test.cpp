#include "api/page_files.h"
#include "api/test_farm_test.h"
#include "base/file.h"

#include <gtest/gtest.h>

namespace tessera::api {
namespace {

class Page : public ::testing::Test {
  protected:
    void SetUp() override {
        put("index.html", "<!doctype html>");
        put("assets/index-4f2a.js", "let x;");
        put("secret.key", "not for the web");
        put("odd name.js", "x");
        farm =
            std::make_unique<TestFarm>([&](ApiSettings& settings) { settings.web = folder.path; });
    }
    void put(const std::string& name, const std::string& text) {
        const auto path = folder.path / name;
        std::filesystem::create_directories(path.parent_path());
        ASSERT_TRUE(write_file_atomically(path, as_bytes(text)));
    }

    FarmFolder folder;
    std::unique_ptr<TestFarm> farm;
};

TEST_F(Page, IsServedWithoutAKey) {
    const auto index = farm->get("/", "");
    EXPECT_EQ(index.status, 200);
    EXPECT_EQ(index.body, "<!doctype html>");
    EXPECT_EQ(index.fields.get("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(index.fields.get("Cache-Control"), "no-cache");
    const auto script = farm->get("/assets/index-4f2a.js", "");
    EXPECT_EQ(script.body, "let x;");
    EXPECT_EQ(script.fields.get("Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(Page, IsNotSentAgainToWhoeverHasIt) {
    http::Request request;
    request.method = "GET";
    request.target = "/";
    request.fields.set("If-None-Match", std::string(farm->get("/", "").fields.get("ETag")));
    EXPECT_EQ(farm->send(request).status, 304);
}

TEST_F(Page, HasNoOtherFiles) {
    for (const char* target :
         {"/secret.key",
          "/odd%20name.js",
          "/index.html/",
          "/../keys",
          "/assets/../secret.key",
          "/assets/%2e%2e/secret.key",
          "/assets/..%2fsecret.key",
          "/assets",
          "/etc/passwd"}) {
        EXPECT_EQ(farm->get(target, farm->admin).status, 404) << target;
    }
}

TEST(PageFiles, AreNoneWithoutAFolder) {
    EXPECT_TRUE(find_page_files("/nowhere/at/all").empty());
    TestFarm farm;
    EXPECT_EQ(farm.get("/", "").status, 200) << "a word about the API in its place";
}

}  // namespace
}  // namespace tessera::api
