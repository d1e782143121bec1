#include "api/error_shapes.h"

#include "api/a1111_answer.h"
#include "api/openai_answer.h"

#include <algorithm>
#include <array>

namespace tessera::api {
namespace {

template <std::size_t size>
bool begins_with_one(std::string_view path, const std::array<std::string_view, size>& starts) {
    return std::ranges::any_of(starts, [&](std::string_view start) {
        return path.starts_with(start);
    });
}

}  // namespace

http::Response error_for_path(std::string_view path, int status, const FieldError& error) {
    constexpr std::array<std::string_view, 3> kOpenAi = {"/v1/", "/images/", "/models"};
    constexpr std::array<std::string_view, 3> kA1111 = {
        "/sdapi/", "/internal/progress", "/internal/pending-tasks"};
    if (begins_with_one(path, kOpenAi)) {
        return openai_error(status, error.error.message);
    }
    if (begins_with_one(path, kA1111)) {
        http::Response response = a1111_error(ApiFault(error));
        response.status = status;
        return response;
    }
    return error_answer(status, error);
}

}  // namespace tessera::api
