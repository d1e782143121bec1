#include "tessera/farm_client.h"

#include "tessera/farm_refusal.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

namespace tessera::cli {
namespace {

constexpr const char* kUsualUrl = "http://127.0.0.1:7860";
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{5'000};
constexpr std::size_t kMostErrorBytes = 64U << 10U;

std::string environment(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

ErrorKind kind_of(int status) {
    switch (status) {
        case 400:
        case 405:
        case 413:
        case 415:
        case 422:
            return ErrorKind::kInvalidArgument;
        case 401:
        case 403:
            return ErrorKind::kDenied;
        case 404:
            return ErrorKind::kNotFound;
        case 409:
            return ErrorKind::kConflict;
        case 429:
        case 507:
            return ErrorKind::kExhausted;
        case 501:
            return ErrorKind::kUnsupported;
        default:
            return ErrorKind::kUnavailable;
    }
}

Error error_of(const http::Response& response) {
    std::string message = refusal_of(response);
    if (response.status == 401) {
        message += "; give the farm's key as TESSERA_KEY";
    }
    const auto wait = response.fields.get("Retry-After");
    if (!wait.empty()) {
        message += fmt::format(" (again in {} s)", wait);
    }
    return {kind_of(response.status), std::move(message)};
}

Error with_hint(Error error) {
    if (error.kind == ErrorKind::kUnavailable) {
        error.message += "; is the farm running? tessera serve starts one, --server names another";
    }
    return error;
}

bool is_good(const http::Response& response) {
    return response.status / 100 == 2;
}

/// Takes the data out of a stream of server-sent events as it comes in pieces.
class EventReader {
  public:
    /// False when `each` did.
    bool read(std::string_view part, const std::function<bool(std::string_view)>& each) {
        text_ += part;
        for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
            std::string line = text_.substr(0, end);
            text_.erase(0, end + 1);
            if (!line.empty() && line.back() == '\r') {
                line.pop_back();
            }
            if (line.empty() && !data_.empty()) {
                if (!each(std::exchange(data_, {}))) {
                    return false;
                }
            } else if (line.starts_with("data:")) {
                data_ += (data_.empty() ? "" : "\n") + after_colon(line);
            } else if (line.starts_with("id:")) {
                last_id_ = after_colon(line);
            }
        }
        return true;
    }
    [[nodiscard]] const std::string& last_id() const { return last_id_; }
    void begin_again() {
        text_.clear();
        data_.clear();
    }

  private:
    static std::string after_colon(const std::string& line) {
        const auto colon = line.find(':') + 1;
        return line.substr(line.size() > colon && line[colon] == ' ' ? colon + 1 : colon);
    }

    std::string text_;
    std::string data_;
    std::string last_id_;
};

bool is_letter_or_digit(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

bool pause(std::chrono::milliseconds time, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
}

}  // namespace

void add_farm_options(CLI::App& command, FarmChoice& choice) {
    command.add_option(
        "--server",
        choice.url,
        std::string("The farm's address; else $TESSERA_SERVER, else ") + kUsualUrl
    );
    command.add_option(
        "--authorities", choice.authorities, "PEM file of further authorities to believe"
    );
}

Result<FarmClient> FarmClient::open(const FarmChoice& choice) {
    std::string url = choice.url.empty() ? environment("TESSERA_SERVER", kUsualUrl) : choice.url;
    http::ClientOptions options;
    options.authorities = choice.authorities;
    TESSERA_ASSIGN(auto client, http::Client::open(url, options));
    return FarmClient(
        std::move(url), environment("TESSERA_KEY", ""), std::move(options), std::move(client)
    );
}

http::Request FarmClient::request(const char* method, const std::string& target) const {
    http::Request request;
    request.method = method;
    request.target = target;
    if (!key_.empty()) {
        request.fields.add("Authorization", "Bearer " + key_);
    }
    return request;
}

Result<std::string> FarmClient::send(http::Request request, const std::stop_token& stop) {
    auto response = client_.send(request, stop);
    if (!response) {
        return tl::unexpected(with_hint(std::move(response).error()));
    }
    if (!is_good(*response)) {
        return tl::unexpected(error_of(*response));
    }
    return std::move(response->body);
}

Result<std::string> FarmClient::get(const std::string& target, std::stop_token stop) {
    return send(request("GET", target), stop);
}

Result<std::string> FarmClient::post(
    const std::string& target, std::string json, std::stop_token stop
) {
    auto asked = request("POST", target);
    asked.fields.add("Content-Type", "application/json");
    asked.body = std::move(json);
    return send(std::move(asked), stop);
}

Result<std::string> FarmClient::upload(ByteView picture, std::stop_token stop) {
    auto asked = request("POST", "/api/v1/uploads");
    asked.fields.add("Content-Type", "application/octet-stream");
    asked.body = as_text(picture);
    return send(std::move(asked), stop);
}

Result<std::string> FarmClient::remove(const std::string& target) {
    return send(request("DELETE", target), {});
}

Result<http::Response> FarmClient::stream(
    const http::Request& request,
    const std::function<bool(std::string_view part)>& each,
    const std::stop_token& stop
) {
    std::string begin;
    TESSERA_ASSIGN(auto client, http::Client::open(url_, options_));
    auto response = client.stream(
        request,
        [&](std::string_view part) {
            begin += part.substr(0, kMostErrorBytes - begin.size());
            return each(part);
        },
        stop
    );
    if (response && !is_good(*response)) {
        response->body = std::move(begin);
    }
    return response;
}

Status FarmClient::follow(
    const std::string& target,
    const std::function<bool(std::string_view data)>& each,
    const std::function<void()>& on_silence,
    const std::stop_token& stop
) {
    EventReader reader;
    auto wait = kFirstPause;
    bool is_reached = false;
    while (true) {
        auto asked = request("GET", target);
        if (!reader.last_id().empty()) {
            asked.fields.add("Last-Event-ID", reader.last_id());
        }
        reader.begin_again();
        bool wanted = true;
        bool is_silent = true;
        auto ended = stream(
            asked,
            [&](std::string_view part) {
                wanted = reader.read(part, [&](std::string_view data) {
                    is_silent = false;
                    return each(data);
                });
                return wanted;
            },
            stop
        );
        if (!wanted) {
            return {};
        }
        if (stop.stop_requested()) {
            return fail(ErrorKind::kCancelled, "stopped");
        }
        if (ended && ended->status / 100 == 4) {
            return tl::unexpected(error_of(*ended));
        }
        is_reached = is_reached || ended || !is_silent;
        if (!is_reached) {
            return tl::unexpected(with_hint(std::move(ended).error()));
        }
        if (is_silent) {
            on_silence();
        } else {
            wait = kFirstPause;
        }
        if (!pause(wait, stop)) {
            return fail(ErrorKind::kCancelled, "stopped");
        }
        wait = std::min(wait * 2, kLongestPause);
    }
}

bool is_job_id(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_letter_or_digit);
}

std::string path_segment(std::string_view text) {
    std::string escaped;
    for (const char byte : text) {
        const bool plain = is_letter_or_digit(byte) || byte == '-' || byte == '_';
        escaped +=
            plain ? std::string(1, byte) : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
    return escaped;
}

}  // namespace tessera::cli
