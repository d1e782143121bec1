#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// What the holder of a token may do with the store: a worker, for one task at one epoch.
struct ObjectGrant {
    std::string task;  ///< to_string(TaskId)
    std::uint64_t epoch = 0;
    std::string tenant;
    WallTime expires;
    /// SHA-256 in hex of what it may read; at most kMaxGrantReads.
    std::vector<std::string> reads;
    bool may_write = false;
    /// Of one object that it writes.
    std::uint64_t max_bytes = 0;

    bool operator==(const ObjectGrant&) const = default;
    [[nodiscard]] bool may_read(std::string_view sha256) const;
};

inline constexpr std::size_t kMaxGrantReads = 512;
/// No token is longer.
inline constexpr std::size_t kMaxTokenText = 24U << 10U;

/// Writes and checks tokens: the grant itself and its HMAC-SHA256 under a secret, in URL-safe
/// base 64. The server keeps nothing but the secret; a new one ends all tokens.
/// Thread-safe.
class ObjectTokens {
  public:
    using Secret = std::array<std::byte, 32>;
    explicit ObjectTokens(const Secret& secret) : secret_(secret) {}

    /// kInvalidArgument when a hash is none or a name is longer than 255 bytes; kExhausted beyond
    /// kMaxGrantReads.
    [[nodiscard]] Result<std::string> issue(const ObjectGrant& grant) const;
    /// kDenied when it is none of ours, was changed, or has expired.
    [[nodiscard]] Result<ObjectGrant> check(std::string_view token, WallTime now) const;

  private:
    Secret secret_;
};

}  // namespace tessera
