#pragma once

#include "http/server.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace tessera::api {

/// A stream whose parts must all arrive, in order, though one of them is larger than what the
/// server lets wait for a slow reader (whole pictures). Parts wait here instead. Thread-safe.
class PacedStream {
  public:
    explicit PacedStream(std::shared_ptr<http::ResponseStream> stream)
        : stream_(std::move(stream)) {}

    /// True while some parts wait for their turn.
    bool send(std::string part);
    /// After the last part.
    bool finish();
    /// The reader has gone: what waits is dropped.
    void drop();
    /// Tries again. True while some parts still wait.
    bool flush();

  private:
    bool flush_locked();

    const std::shared_ptr<http::ResponseStream> stream_;
    std::mutex mutex_;
    std::deque<std::string> waiting_;
    bool is_finishing_ = false;
    bool is_over_ = false;
};

/// Tries the streams that wait again and again, less and less often, on a thread of its own.
/// Thread-safe.
class StreamPacer {
  public:
    StreamPacer();

    void send(const std::shared_ptr<PacedStream>& stream, std::string part);
    void finish(const std::shared_ptr<PacedStream>& stream);

  private:
    void watch(const std::shared_ptr<PacedStream>& stream);
    void run(const std::stop_token& stop);

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<std::shared_ptr<PacedStream>> slow_;
    std::jthread thread_;  // last: it uses the rest
};

}  // namespace tessera::api
