#pragma once

#include <chrono>
#include <utility>

namespace tessera::cli {

class StopWatch {
  public:
    /// Seconds since it was made, or last asked.
    double lap() {
        const auto now = std::chrono::steady_clock::now();
        const std::chrono::duration<double> spent = now - std::exchange(last_, now);
        return spent.count();
    }

  private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace tessera::cli
