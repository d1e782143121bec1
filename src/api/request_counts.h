#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

namespace tessera::api {

/// Answers by route, method and status since the start. Thread-safe.
class RequestCounts {
  public:
    using Key = std::tuple<std::string, std::string, int>;  ///< route, method, status

    void count(std::string_view method, std::string_view route, int status) {
        // Methods are strangers' words: only a route that matched vouches for one.
        const std::string_view known = route.empty() ? std::string_view() : method;
        const std::lock_guard lock(mutex_);
        ++counts_[Key(route, known, status)];
    }
    [[nodiscard]] std::map<Key, std::uint64_t> all() const {
        const std::lock_guard lock(mutex_);
        return counts_;
    }

  private:
    mutable std::mutex mutex_;
    std::map<Key, std::uint64_t> counts_;
};

}  // namespace tessera::api
