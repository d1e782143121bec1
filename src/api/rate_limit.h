#pragma once

#include "base/clock.h"

#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace tessera::api {

/// A token bucket for each name. Thread-safe.
class RateLimit {
  public:
    RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

    /// Takes one token; else how long to wait for it.
    [[nodiscard]] std::optional<Duration> take(const std::string& name, Instant now);

  private:
    static constexpr std::size_t kMaxBuckets = 10'000;
    struct Bucket {
        double tokens = 0.0;
        Instant filled;
    };
    [[nodiscard]] double tokens_at(const Bucket& bucket, Instant now) const;

    const double per_second_;
    const double burst_;
    std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
};

/// Addresses that show wrong keys again and again. While one is locked out, only keys that were
/// right from there before are looked at. Thread-safe.
class FailedAttempts {
  public:
    static constexpr int kAllowed = 10;  ///< within kPeriod
    static constexpr Duration kPeriod = std::chrono::seconds(60);

    /// How long `key` is not to be looked at yet.
    [[nodiscard]] std::optional<Duration> locked_out(
        const std::string& peer, const std::string& key, Instant now
    );
    void failed(const std::string& peer, Instant now);
    void succeeded(const std::string& peer, const std::string& key);

  private:
    static constexpr std::size_t kMaxEntries = 10'000;
    struct Peer {
        int failures = 0;
        Instant until;
    };

    std::mutex mutex_;
    std::unordered_map<std::string, Peer> peers_;
    std::set<std::string> known_;  ///< hashes of peer and key
};

}  // namespace tessera::api
