#include "http/outbox.h"

#include <algorithm>
#include <utility>

namespace tessera::http {

bool Outbox::has_room(std::size_t bytes) const {
    const auto held = waiting_bytes_ + batch_bytes_;
    return held == 0 || held + bytes <= limit_;
}

Outbox::Offer Outbox::push(Part part) {
    waiting_bytes_ += part.bytes.size();
    waiting_.push_back(std::move(part));
    return std::exchange(is_awake_, true) ? Offer::kQueued : Offer::kWake;
}

Outbox::Offer Outbox::put(Part part) {
    const std::scoped_lock lock(mutex_);
    if (is_closed_ || is_finished_ || !has_room(part.bytes.size())) {
        return Offer::kRefused;
    }
    return push(std::move(part));
}

Outbox::Offer Outbox::put_latest(Part part) {
    const std::scoped_lock lock(mutex_);
    if (is_closed_ || is_finished_) {
        return Offer::kRefused;
    }
    const auto old = std::find_if(waiting_.begin(), waiting_.end(), [&](const Part& other) {
        return other.topic == part.topic;
    });
    if (old == waiting_.end()) {
        return has_room(part.bytes.size()) ? push(std::move(part)) : Offer::kRefused;
    }
    const auto old_size = old->bytes.size();
    waiting_bytes_ -= old_size;
    if (!has_room(part.bytes.size())) {
        waiting_bytes_ += old_size;
        return Offer::kRefused;
    }
    waiting_.erase(old);
    return push(std::move(part));
}

bool Outbox::finish() {
    const std::scoped_lock lock(mutex_);
    if (is_closed_ || std::exchange(is_finished_, true)) {
        return false;
    }
    return !std::exchange(is_awake_, true);
}

void Outbox::close() {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
    waiting_.clear();
    waiting_bytes_ = 0;
    batch_bytes_ = 0;
}

std::vector<Outbox::Part> Outbox::take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    std::vector<Part> batch;
    batch_bytes_ = 0;
    while (!waiting_.empty() &&
           (batch.empty() || batch_bytes_ + waiting_.front().bytes.size() <= bytes)) {
        batch_bytes_ += waiting_.front().bytes.size();
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    waiting_bytes_ -= batch_bytes_;
    is_awake_ = !batch.empty() || is_finished_;
    return batch;
}

bool Outbox::is_at_end() const {
    const std::scoped_lock lock(mutex_);
    return is_finished_ && waiting_.empty();
}

}  // namespace tessera::http
