#pragma once

#include "api/a1111_options.h"
#include "base/clock.h"
#include "base/id.h"
#include "events/farm_event.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tessera::api {

/// How far a key's call is, as its progress is asked for.
struct A1111Progress {
    JobId job;
    std::string task;  ///< the client's name of it; empty: none
    int count = 1;     ///< pictures
    WallTime since;
    bool is_running = false;
    bool is_interrupted = false;
    int done = 0;  ///< pictures
    int unit = 0;  ///< the picture that was heard of last
    int step = 0;  ///< of that
    int steps = 0;
    double fraction = 0.0;  ///< of all, 0..1
    std::string jpeg;       ///< the last preview; empty: none yet
    int preview = 0;        ///< its number, from 1
};

/// What A1111's API remembers between two calls, for each key by itself: options, and the calls
/// that are under way. In memory: after a restart every key begins with the defaults. Thread-safe.
class A1111Desk {
  public:
    [[nodiscard]] A1111Options options(const std::string& key) const;
    void set_options(const std::string& key, A1111Options options);

    void begin(const std::string& key, A1111Progress call);
    void meet(const std::string& key, const FarmEvent& event);
    void end(const std::string& key, const JobId& job);

    /// The oldest call of the key that is under way.
    [[nodiscard]] std::optional<A1111Progress> current(const std::string& key) const;
    [[nodiscard]] std::optional<A1111Progress> call(const std::string& key, const JobId& job) const;
    /// How many pictures of the key are not done yet.
    [[nodiscard]] int waiting_pictures(const std::string& key) const;
    /// Marks the key's calls, or the oldest one, as interrupted and says which they are.
    std::vector<A1111Progress> interrupt(const std::string& key, bool all);

  private:
    struct KeyState {
        A1111Options options;
        std::vector<A1111Progress> calls;  ///< the oldest first
    };

    mutable std::mutex mutex_;
    std::map<std::string, KeyState> keys_;
};

}  // namespace tessera::api
