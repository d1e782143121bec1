#include "api/native_client_test.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

class NativeUploads : public ::testing::Test {
  protected:
    static http::Request form(const std::string& parts) {
        http::Request request;
        request.method = "POST";
        request.target = "/api/v1/uploads";
        request.fields.set("Content-Type", "multipart/form-data; boundary=edge");
        request.body = parts + "--edge--\r\n";
        return request;
    }
    static std::string part(const std::string& name, const std::string& data) {
        return "--edge\r\nContent-Disposition: form-data; name=\"" + name +
               "\"; filename=\"../../etc/passwd\"\r\n\r\n" + data + "\r\n";
    }

    TestFarm farm{[](ApiSettings& settings) { settings.upload_bytes = 10'000; }};
    NativeClient alice{farm, farm.alice};
};

TEST_F(NativeUploads, AreStoredUnderTheirHash) {
    const std::string picture = fake_picture(320, 200);
    const auto answer = alice.upload(picture);
    EXPECT_EQ(answer.status, 201);
    const auto upload = json_of(answer);
    EXPECT_EQ(upload.at("sha256"), sha256_hex(as_bytes(picture)));
    EXPECT_EQ(upload.at("width"), 320);
    EXPECT_EQ(upload.at("media_type"), "image/png");
    EXPECT_EQ(as_text(*farm.store->get(upload.at("sha256"))), picture);
    EXPECT_EQ(alice.upload(picture).status, 201) << "and again";
}

TEST_F(NativeUploads, ComeAsFormsToo) {
    const auto answer = alice.send(form(part("file", fake_picture(8, 8))));
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(json_of(answer).at("width"), 8);
}

TEST_F(NativeUploads, ThatAreNoPicturesAreRefused) {
    EXPECT_EQ(alice.upload("<html>").status, 400);
    EXPECT_EQ(alice.send("POST", "/api/v1/uploads").status, 400);
    EXPECT_EQ(alice.send(form("")).status, 400);
    EXPECT_EQ(
        alice.send(form(part("file", fake_picture(8, 8)) + part("file", fake_picture(9, 9))))
            .status,
        400
    );
    EXPECT_EQ(alice.send(form(part("file", "x").substr(0, 40))).status, 400);
}

TEST_F(NativeUploads, ThatAreTooLargeAreRefused) {
    EXPECT_EQ(alice.upload(fake_picture(8, 8, std::string(10'001, 'x'))).status, 400);
    EXPECT_EQ(alice.upload(std::string(200'000, 'x')).status, 413);
}

}  // namespace
}  // namespace tessera::api
