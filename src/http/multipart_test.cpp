#include "http/multipart.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>

namespace tessera::http {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=xyz";

std::string part(const std::string& headers, const std::string& data) {
    return "--xyz\r\n" + headers + "\r\n\r\n" + data + "\r\n";
}

std::string named(const std::string& name, const std::string& data) {
    return part("Content-Disposition: form-data; name=\"" + name + "\"", data);
}

ErrorKind kind_of(const std::string& body) {
    const auto parsed = parse_multipart(kType, body);
    return parsed ? ErrorKind::kInternal : parsed.error().kind;
}

TEST(ParseMultipart, GivesFieldsAndFiles) {
    const auto body = named("prompt", "a cat\r\non a mat") +
                      part(
                          "content-disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\n"
                          "Content-Type: image/png",
                          std::string("\x89PNG\0--xy\r\n--xy", 15)
                      ) +
                      "--xyz--\r\nepilogue";
    const auto parts = parse_multipart(kType, body);
    ASSERT_TRUE(parts) << parts.error().message;
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ(parts->at(0).name, "prompt");
    EXPECT_EQ(parts->at(0).data, "a cat\r\non a mat");
    EXPECT_FALSE(parts->at(0).filename);
    EXPECT_EQ(parts->at(0).content_type, "text/plain");
    EXPECT_EQ(parts->at(1).name, "image[]");
    EXPECT_EQ(parts->at(1).filename, "a.png");
    EXPECT_EQ(parts->at(1).content_type, "image/png");
    EXPECT_EQ(parts->at(1).data.size(), 15U);
}

TEST(ParseMultipart, TakesPreambleQuotedBoundaryEmptyFormAndEmptyData) {
    EXPECT_TRUE(parse_multipart(
        "Multipart/Form-Data; boundary=\"xyz\"", "preamble\r\n" + named("a", "") + "--xyz--"
    ));
    EXPECT_TRUE(parse_multipart(kType, "--xyz--")->empty());
}

TEST(ParseMultipart, RefusesWhatIsNoForm) {
    for (const auto* type :
         {"",
          "multipart/form-data",
          "multipart/mixed; boundary=xyz",
          "multipart/form-data; boundary=",
          "multipart/form-data; boundary="
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}) {
        EXPECT_FALSE(parse_multipart(type, named("a", "b") + "--xyz--")) << type;
    }
    for (const std::string& body :
         {std::string(),
          std::string("no boundary"),
          std::string("--xyz"),
          std::string("--xyz\r\n"),
          named("a", "b"),
          named("a", "b") + "--xyz",
          named("a", "b") + "--xyz-",
          std::string("--xyzz\r\n\r\n--xyz--"),
          part("X: y", "b") + "--xyz--",
          part("no colon", "b") + "--xyz--",
          part("Content-Disposition: attachment", "") + "--xyz--",
          part("Content-Disposition: form-data; name=\"\xff\"", "") + "--xyz--",
          part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "") +
              "--xyz--"}) {
        EXPECT_EQ(kind_of(body), ErrorKind::kInvalidArgument) << body;
    }
}

TEST(ParseMultipart, HoldsItsLimits) {
    std::string many;
    for (int i = 0; i < 65; ++i) {
        many += named("a", "b");
    }
    EXPECT_EQ(kind_of(many + "--xyz--"), ErrorKind::kExhausted);
    EXPECT_EQ(kind_of(named(std::string(9000, 'a'), "") + "--xyz--"), ErrorKind::kExhausted);
}

TEST(ParseMultipart, TakesLinearTimeOnAlmostBoundaries) {
    std::string body = "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    while (body.size() < (16U << 20U)) {
        body += "\r\n--xy";
    }
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(kind_of(body), ErrorKind::kInvalidArgument);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(ParseMultipart, GivesBackWhatWasPutIn) {
    EXPECT_TRUE(rc::check([](const std::vector<std::string>& values) {
        RC_PRE(values.size() <= 64);
        std::string body;
        for (const std::string& value : values) {
            RC_PRE(value.find("\r\n--xyz") == std::string::npos);
            body += named("v", value);
        }
        body += "--xyz--\r\n";
        const auto parts = parse_multipart(kType, body);
        RC_ASSERT(parts.has_value());
        RC_ASSERT(parts->size() == values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            RC_ASSERT(parts->at(i).data == values[i]);
        }
    }));
}

}  // namespace
}  // namespace tessera::http
