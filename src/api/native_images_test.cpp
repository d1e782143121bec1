#include "api/native_client_test.h"
#include "base/file.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

class NativeImages : public ::testing::Test {
  protected:
    void SetUp() override {
        FakeWorker worker = farm.worker();
        id = alice.submit({{"prompt", "x"}});
        picture = worker.finish(worker.take());
        farm.ended(id);
        path = "/api/v1/jobs/" + id + "/images/0";
    }
    http::Response get(const std::string& field = {}, const std::string& value = {}) {
        http::Request request;
        request.method = "GET";
        request.target = path;
        if (!field.empty()) {
            request.fields.set(field, value);
        }
        return alice.send(std::move(request));
    }

    TestFarm farm;
    NativeClient alice{farm, farm.alice};
    std::string id;
    std::string picture;
    std::string path;
};

TEST_F(NativeImages, MayBeKeptForEverByTheirOwnerAlone) {
    const auto whole = get();
    EXPECT_EQ(whole.body, picture);
    EXPECT_EQ(whole.fields.get("ETag"), '"' + sha256_hex(as_bytes(picture)) + '"');
    EXPECT_EQ(whole.fields.get("Cache-Control"), "private, max-age=31536000, immutable");
    EXPECT_EQ(whole.fields.get("Content-Type"), "image/png");
    EXPECT_EQ(whole.fields.get("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(whole.fields.get("Content-Disposition").starts_with("inline; filename="));
}

TEST_F(NativeImages, AreNotSentAgainToWhoeverHasThem) {
    const auto again = get("If-None-Match", std::string(get().fields.get("ETag")));
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
}

TEST_F(NativeImages, AreServedInRanges) {
    const auto part = get("Range", "bytes=2-5");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, picture.substr(2, 4));
    EXPECT_EQ(part.fields.get("Content-Range"), fmt::format("bytes 2-5/{}", picture.size()));
    EXPECT_EQ(farm.send("GET", path, farm.alice).fields.get("Accept-Ranges"), "bytes");
}

TEST_F(NativeImages, CanBeDownloaded) {
    const auto download = alice.get(path + "?download=1");
    EXPECT_TRUE(download.fields.get("Content-Disposition").starts_with("attachment; filename="));
}

TEST_F(NativeImages, ThatThereAreNotAreNotFound) {
    for (const char* unit : {"1", "-1", "x", "99999999999999"}) {
        const auto answer = alice.get("/api/v1/jobs/" + id + "/images/" + unit);
        EXPECT_EQ(answer.status, 404) << unit;
    }
    EXPECT_EQ(alice.get("/api/v1/jobs/nothing/images/0").status, 404);
}

TEST_F(NativeImages, ThatAreDamagedAreNotServed) {
    const std::string hash = sha256_hex(as_bytes(picture));
    bool is_spoilt = false;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(farm.folder.path / "store")) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && name.find(hash.substr(4)) != std::string::npos) {
            std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
            std::string spoilt = picture;
            spoilt[0] ^= 1;
            is_spoilt = write_file_atomically(entry.path(), as_bytes(spoilt)).has_value();
        }
    }
    ASSERT_TRUE(is_spoilt);
    EXPECT_GE(farm.get(path, farm.alice).status, 400);
}

}  // namespace
}  // namespace tessera::api
