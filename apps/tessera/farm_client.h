#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "http/client.h"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace tessera::cli {

/// Which farm a command talks to.
struct FarmChoice {
    std::string url;  ///< empty: $TESSERA_SERVER, else this machine's
    std::string authorities;
};

/// --server and --authorities.
void add_farm_options(CLI::App& command, FarmChoice& choice);

/// A farm's API, as a person's tools use it. The key comes from $TESSERA_KEY. One thread.
class FarmClient {
  public:
    [[nodiscard]] static Result<FarmClient> open(const FarmChoice& choice);

    /// The answer's body. An answer that says no becomes its kind of error with the server's words.
    [[nodiscard]] Result<std::string> get(const std::string& target, std::stop_token stop = {});
    [[nodiscard]] Result<std::string> post(
        const std::string& target, std::string json, std::stop_token stop = {}
    );
    [[nodiscard]] Result<std::string> upload(ByteView picture, std::stop_token stop = {});
    [[nodiscard]] Result<std::string> remove(const std::string& target);

    /// Server-sent events, each one's data, until `each` says false. Comes back after a broken
    /// connection, from where it was, and calls `on_silence` whenever that fails; but a farm that
    /// cannot be reached at first is an error.
    [[nodiscard]] Status follow(
        const std::string& target,
        const std::function<bool(std::string_view data)>& each,
        const std::function<void()>& on_silence,
        const std::stop_token& stop
    );

    [[nodiscard]] const std::string& url() const { return url_; }

  private:
    FarmClient(std::string url, std::string key, http::ClientOptions options, http::Client client)
        : url_(std::move(url)),
          key_(std::move(key)),
          options_(std::move(options)),
          client_(std::move(client)) {}

    Result<std::string> send(http::Request request, const std::stop_token& stop);
    /// Hands the answer's parts on; an answer that says no keeps its body.
    Result<http::Response> stream(
        const http::Request& request,
        const std::function<bool(std::string_view part)>& each,
        const std::stop_token& stop
    );
    [[nodiscard]] http::Request request(const char* method, const std::string& target) const;

    std::string url_;
    std::string key_;
    http::ClientOptions options_;
    http::Client client_;
};

/// Whether it is letters and digits alone, as every job's id: it may name a file.
[[nodiscard]] bool is_job_id(std::string_view text);

/// The text as it may stand in a path.
[[nodiscard]] std::string path_segment(std::string_view text);

}  // namespace tessera::cli
