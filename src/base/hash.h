#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tessera {

/// SHA-256 as 64 lower-case hex digits: the name of a content-addressed object.
[[nodiscard]] std::string sha256_hex(ByteView bytes);

/// SHA-256 of bytes that come in parts.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    Sha256& add(ByteView bytes);
    /// As sha256_hex of all that was added. Ends the object's use.
    [[nodiscard]] std::string hex();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// 128-bit XXH3 as 32 hex digits: fast, for cache keys and checksums; no defence against an enemy.
class FastHash {
  public:
    FastHash();
    ~FastHash();
    FastHash(FastHash&&) noexcept;
    FastHash& operator=(FastHash&&) noexcept;

    /// Adds a field. Its length is hashed too, so that ("ab","c") differs from ("a","bc").
    FastHash& add(ByteView field);
    FastHash& add(std::string_view field) { return add(as_bytes(field)); }
    FastHash& add(std::uint64_t field);

    [[nodiscard]] std::string hex() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tessera
