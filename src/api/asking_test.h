#pragma once

#include "api/base64.h"
#include "api/test_farm_test.h"

#include <future>
#include <initializer_list>
#include <stop_token>
#include <string>
#include <utility>

namespace tessera::api {

using Json = nlohmann::json;

/// Sends on a thread of its own, as the answer waits for the job.
class Asking {
  public:
    Asking(const TestFarm& farm, http::Request request)
        : answer_(std::async(std::launch::async, [&farm, request, stop = stop_.get_token()] {
              return farm.client().send(request, stop).value_or(http::Response{0, {}, {}});
          })) {}

    http::Response answer() { return answer_.get(); }
    void leave() { stop_.request_stop(); }

  private:
    std::stop_source stop_;
    std::future<http::Response> answer_;
};

inline http::Request call(const TestFarm& farm, const std::string& target, const Json& body) {
    http::Request request;
    request.method = "POST";
    request.target = target;
    request.fields.set("Authorization", "Bearer " + farm.alice);
    request.fields.set("Content-Type", "application/json");
    request.body = body.dump();
    return request;
}

inline http::Request form_call(
    const TestFarm& farm,
    const std::string& target,
    std::initializer_list<std::pair<std::string, std::string>> parts
) {
    auto request = call(farm, target, {});
    request.fields.set("Content-Type", "multipart/form-data; boundary=edge");
    request.body.clear();
    for (const auto& [name, data] : parts) {
        request.body += "--edge\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" +
                        data + "\r\n";
    }
    request.body += "--edge--\r\n";
    return request;
}

inline std::string decoded(const std::string& base64) {
    return std::string(as_text(from_base64(base64).value_or(Bytes{})));
}

}  // namespace tessera::api
