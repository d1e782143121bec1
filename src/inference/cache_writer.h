#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace tessera {

/// Works off jobs one after another on a thread of the lowest priority. Thread-safe.
class CacheWriter {
  public:
    using Job = std::function<void(const std::stop_token&)>;

    CacheWriter();
    /// Finishes what is waiting.
    ~CacheWriter();
    CacheWriter(const CacheWriter&) = delete;
    CacheWriter& operator=(const CacheWriter&) = delete;

    void add(Job job);
    /// Returns when nothing is under way or waiting.
    void finish();
    /// Drops the waiting jobs and asks the one under way to stop; does not wait for it.
    void abandon();

  private:
    void work();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> waiting_;
    std::stop_source abandoned_;
    bool is_busy_ = false;
    bool is_closing_ = false;
    std::thread thread_;  // last: starts when the rest is there
};

}  // namespace tessera
