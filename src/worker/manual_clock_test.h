#pragma once

#include "base/clock.h"

#include <atomic>

namespace tessera {

/// Time that a test moves. Thread-safe.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] Instant now() const override { return Instant(Duration(now_.load())); }
    [[nodiscard]] WallTime wall() const override {
        return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(Duration(now_.load()))
        );
    }
    void advance(Duration by) { now_ += by.count(); }

  private:
    std::atomic<Duration::rep> now_ = 1'000'000;
};

}  // namespace tessera
