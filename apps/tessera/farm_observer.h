#pragma once

#include "tessera/farm_client.h"
#include "tessera/farm_glance.h"
#include "tessera/top_board.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace tessera::cli {

/// One look at a farm: three questions to its server.
[[nodiscard]] Result<FarmGlance> glance_at(FarmClient& client, const std::stop_token& stop = {});

/// Looks at a farm again and again, and carries out orders, on a thread of its own, so that a
/// server that is slow or away does not hold up who watches. Thread-safe.
class FarmObserver {
  public:
    struct News {
        std::optional<FarmGlance> glance;
        std::optional<std::string> trouble;  ///< empty: there is none any more
        std::optional<std::string> message;  ///< what became of an order
    };

    FarmObserver(FarmClient client, std::chrono::milliseconds pause);

    /// What came since the last call.
    [[nodiscard]] News news();
    void order(BoardOrder order);

  private:
    void observe(const std::stop_token& stop);
    std::string carry_out(const BoardOrder& order, const std::stop_token& stop);

    FarmClient client_;
    const std::chrono::milliseconds pause_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable_any changed_;
    std::deque<BoardOrder> orders_;
    News news_;
    std::jthread thread_;  // last: it uses the rest
};

}  // namespace tessera::cli
