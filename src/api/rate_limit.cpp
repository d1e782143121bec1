#include "api/rate_limit.h"

#include "base/hash.h"

#include <algorithm>

namespace tessera::api {
namespace {

std::string known_as(const std::string& peer, const std::string& key) {
    return sha256_hex(as_bytes(peer + '\n' + key));
}

}  // namespace

double RateLimit::tokens_at(const Bucket& bucket, Instant now) const {
    return std::min(burst_, bucket.tokens + seconds_of(now - bucket.filled) * per_second_);
}

std::optional<Duration> RateLimit::take(const std::string& name, Instant now) {
    const std::lock_guard lock(mutex_);
    if (buckets_.size() >= kMaxBuckets && !buckets_.contains(name)) {
        std::erase_if(buckets_, [&](const auto& entry) {
            return tokens_at(entry.second, now) >= burst_;
        });
        if (buckets_.size() >= kMaxBuckets) {
            return std::chrono::seconds(1);
        }
    }
    Bucket& bucket = buckets_.try_emplace(name, Bucket{burst_, now}).first->second;
    bucket.tokens = tokens_at(bucket, now);
    bucket.filled = now;
    if (bucket.tokens < 1.0) {
        return duration_of((1.0 - bucket.tokens) / per_second_);
    }
    bucket.tokens -= 1.0;
    return std::nullopt;
}

std::optional<Duration> FailedAttempts::locked_out(
    const std::string& peer, const std::string& key, Instant now
) {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(peer);
    if (found == peers_.end() || now >= found->second.until || found->second.failures < kAllowed ||
        known_.contains(known_as(peer, key))) {
        return std::nullopt;
    }
    return found->second.until - now;
}

void FailedAttempts::failed(const std::string& peer, Instant now) {
    const std::lock_guard lock(mutex_);
    if (peers_.size() >= kMaxEntries) {
        std::erase_if(peers_, [&](const auto& entry) { return now >= entry.second.until; });
        if (peers_.size() >= kMaxEntries) {
            return;
        }
    }
    Peer& entry = peers_[peer];
    if (now >= entry.until) {
        entry = {0, now + kPeriod};
    }
    ++entry.failures;
}

void FailedAttempts::succeeded(const std::string& peer, const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kMaxEntries) {
        known_.clear();
    }
    known_.insert(known_as(peer, key));
}

}  // namespace tessera::api
