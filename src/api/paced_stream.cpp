#include "api/paced_stream.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{200};

}  // namespace

bool PacedStream::send(std::string part) {
    const std::scoped_lock lock(mutex_);
    if (is_over_) {
        return false;
    }
    waiting_.push_back(std::move(part));
    return flush_locked();
}

bool PacedStream::finish() {
    const std::scoped_lock lock(mutex_);
    is_finishing_ = true;
    return flush_locked();
}

void PacedStream::drop() {
    const std::scoped_lock lock(mutex_);
    is_over_ = true;
    waiting_.clear();
}

bool PacedStream::flush() {
    const std::scoped_lock lock(mutex_);
    return flush_locked();
}

bool PacedStream::flush_locked() {
    while (!is_over_ && !waiting_.empty()) {
        // A part that is refused is lost, so a copy is tried.
        if (!stream_->send(waiting_.front())) {
            return true;
        }
        waiting_.pop_front();
    }
    if (is_finishing_ && !std::exchange(is_over_, true)) {
        stream_->finish();
    }
    return false;
}

StreamPacer::StreamPacer() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

void StreamPacer::send(const std::shared_ptr<PacedStream>& stream, std::string part) {
    if (stream->send(std::move(part))) {
        watch(stream);
    }
}

void StreamPacer::finish(const std::shared_ptr<PacedStream>& stream) {
    if (stream->finish()) {
        watch(stream);
    }
}

void StreamPacer::watch(const std::shared_ptr<PacedStream>& stream) {
    {
        const std::scoped_lock lock(mutex_);
        if (std::ranges::find(slow_, stream) != slow_.end()) {
            return;
        }
        slow_.push_back(stream);
    }
    changed_.notify_one();
}

void StreamPacer::run(const std::stop_token& stop) {
    auto pause = kFirstPause;
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !slow_.empty(); }) && !stop.stop_requested()) {
        const auto trying = std::exchange(slow_, {});
        lock.unlock();
        std::vector<std::shared_ptr<PacedStream>> still;
        std::ranges::copy_if(trying, std::back_inserter(still), [](const auto& stream) {
            return stream->flush();
        });
        pause = still.size() < trying.size() ? kFirstPause : std::min(pause * 2, kLongestPause);
        lock.lock();
        std::ranges::copy_if(still, std::back_inserter(slow_), [this](const auto& stream) {
            return std::ranges::find(slow_, stream) == slow_.end();
        });
        if (!slow_.empty()) {
            changed_.wait_for(lock, stop, pause, [] { return false; });
        }
    }
}

}  // namespace tessera::api
