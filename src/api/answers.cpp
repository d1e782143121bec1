#include "api/answers.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tessera::api {
namespace {

bool is_name_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
}

const FieldName* find_name(std::span<const FieldName> names, std::string_view job) {
    const auto found = std::ranges::find(names, job, &FieldName::job);
    return found == names.end() ? nullptr : &*found;
}

/// The end of the name that begins at `begin`; letters of options ('-') count too if asked for.
std::size_t name_end(const std::string& text, std::size_t begin, bool is_option) {
    std::size_t end = begin;
    while (end < text.size() && (is_name_letter(text[end]) || (is_option && text[end] == '-'))) {
        ++end;
    }
    return end;
}

/// "render.steps is …": the field in front, by the API's name. Empty when there is none.
std::string name_leading_field(std::string& message, std::span<const FieldName> names) {
    std::size_t begin = 0;
    for (const std::string_view group : {"render.", "upscale.", "output."}) {
        if (message.starts_with(group)) {
            begin = group.size();
        }
    }
    const std::size_t end = name_end(message, begin, false);
    const FieldName* name = find_name(names, std::string_view(message).substr(begin, end - begin));
    if (name == nullptr) {
        return {};
    }
    message.replace(0, end, name->api);
    return std::string(name->api);
}

}  // namespace

std::string code_of(ErrorKind kind) {
    std::string code = to_string(kind);
    std::ranges::replace(code, ' ', '_');
    return code;
}

int status_for(ErrorKind kind) {
    return kind == ErrorKind::kDenied ? 403 : http::status_of(kind);
}

std::string whole_seconds(Duration duration) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return std::to_string(std::max<decltype(seconds)>(1, seconds));
}

http::Response error_answer(int status, const FieldError& error) {
    nlohmann::ordered_json body;
    body["code"] = code_of(error.error.kind);
    body["message"] = error.error.message;
    if (!error.field.empty()) {
        body["field"] = error.field;
    }
    constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
    return http::json_response(
        status, nlohmann::ordered_json{{"error", std::move(body)}}.dump(-1, ' ', false, kReplace)
    );
}

http::Response error_answer(const FieldError& error, std::optional<Duration> retry_after) {
    http::Response response = error_answer(status_for(error.error.kind), error);
    if (retry_after) {
        response.fields.set("Retry-After", whole_seconds(*retry_after));
    }
    return response;
}

http::Response error_answer(const Error& error) {
    return error_answer(FieldError{error});
}

FieldError in_words_of(Error error, std::span<const FieldName> names) {
    std::string& message = error.message;
    std::string field = name_leading_field(message, names);
    for (auto at = message.find("--"); at != std::string::npos; at = message.find("--", at)) {
        const std::size_t end = name_end(message, at + 2, true);
        std::string job = message.substr(at + 2, end - at - 2);
        std::ranges::replace(job, '-', '_');
        if (job.empty() || !is_name_letter(job.front())) {
            at = end;
            continue;
        }
        const FieldName* name = find_name(names, job);
        const std::string word = name == nullptr ? job : std::string(name->api);
        message.replace(at, end - at, word);
        at += word.size();
        if (field.empty()) {
            field = word;
        }
    }
    return {std::move(error), std::move(field)};
}

}  // namespace tessera::api
