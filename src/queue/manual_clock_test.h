#pragma once

#include "base/clock.h"

#include <atomic>

namespace tessera {

/// Time that a test moves. Thread-safe.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] Instant now() const override { return Instant(Duration(now_.load())); }
    [[nodiscard]] WallTime wall() const override {
        return WallTime(std::chrono::milliseconds(wall_.load()));
    }
    void advance(Duration by) {
        now_ += by.count();
        wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    }
    /// The wall clock alone, as when somebody sets it.
    void jump(std::chrono::milliseconds by) { wall_ += by.count(); }

  private:
    std::atomic<Duration::rep> now_ = 1'000'000;
    std::atomic<std::int64_t> wall_ = 1'800'000'000'000;
};

}  // namespace tessera
