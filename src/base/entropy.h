#pragma once

#include "base/bytes.h"
#include "base/clock.h"

#include <cstdint>
#include <span>
#include <string>

namespace tessera {

/// Where chance comes from (ids, keys, jitter; never noise for pictures), so that a simulation can
/// make its own. Thread-safe.
class Entropy {
  public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::byte> bytes) = 0;

    [[nodiscard]] std::uint64_t next();
    /// 0 <= it < 1.
    [[nodiscard]] double unit();

    /// The operating system's, fit for keys.
    [[nodiscard]] static Entropy& system();
};

/// Reproducible chance from a seed (SplitMix64), for simulations and tests; not for keys. One
/// thread.
class SeededEntropy final : public Entropy {
  public:
    explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::byte> bytes) override;

  private:
    std::uint64_t state_;
};

/// 26 letters and digits that sort by time and cannot be guessed: a ULID (48 bits of milliseconds,
/// 80 of chance, Crockford's base 32) in lower case.
[[nodiscard]] std::string new_ulid(WallTime time, Entropy& entropy);

/// `length` letters and digits of 5.95 bits each.
[[nodiscard]] std::string random_base62(std::size_t length, Entropy& entropy);

}  // namespace tessera
