#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::http {

/// What waits to be sent to one slow reader. Many may put in, one (the connection) takes out.
/// At most `limit` bytes are in it, counting the batch under way; one part may be larger when
/// nothing else is. Thread-safe.
class Outbox {
  public:
    struct Part {
        std::string bytes;
        bool is_binary = false;
        std::string topic{};  ///< empty: of none
    };
    enum class Offer : std::uint8_t {
        kRefused,  ///< closed, finished or full; nothing has changed
        kQueued,   ///< whoever takes out knows already
        kWake,     ///< tell it
    };

    explicit Outbox(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] Offer put(Part part);
    /// In place of a part of the same topic that waits, but at the end: what is sent later arrives
    /// later.
    [[nodiscard]] Offer put_latest(Part part);
    /// No more parts. True when whoever takes out must be told.
    [[nodiscard]] bool finish();
    /// Nobody takes out any more; what waits is dropped.
    void close();

    /// The next parts, about so many bytes; the batch before counts as sent. Empty: `put` says
    /// kWake the next time, unless it is the end.
    [[nodiscard]] std::vector<Part> take(std::size_t bytes);
    /// Finished, and the last part taken.
    [[nodiscard]] bool is_at_end() const;

  private:
    [[nodiscard]] bool has_room(std::size_t bytes) const;
    [[nodiscard]] Offer push(Part part);

    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::deque<Part> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::size_t batch_bytes_ = 0;
    bool is_finished_ = false;
    bool is_closed_ = false;
    bool is_awake_ = false;
};

}  // namespace tessera::http
