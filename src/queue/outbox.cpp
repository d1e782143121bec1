#include "queue/outbox.h"

#include <algorithm>
#include <utility>

namespace tessera {

Outbox::Outbox(bool has_thread) {
    if (has_thread) {
        thread_ = std::thread([this] { work(); });
    }
}

void Outbox::close() {
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Outbox::post(std::function<void()> answer) {
    {
        const std::lock_guard lock(mutex_);
        items_.push_back({std::move(answer), {}, nullptr});
    }
    changed_.notify_one();
}

void Outbox::post(std::vector<QueueEvent> events) {
    if (events.empty()) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        forget_those_gone();
        if (listeners_->empty()) {
            return;
        }
        for (QueueEvent& event : events) {
            items_.push_back({nullptr, std::move(event), listeners_});
        }
    }
    changed_.notify_one();
}

std::shared_ptr<void> Outbox::watch(
    std::function<void(const QueueEvent&)> listener, std::vector<QueueEvent> first
) {
    auto added = std::make_shared<Listener>();
    added->hear = std::move(listener);
    const auto alone = std::make_shared<const Listeners>(Listeners{added});
    {
        const std::lock_guard lock(mutex_);
        for (QueueEvent& event : first) {
            items_.push_back({nullptr, std::move(event), alone});
        }
        forget_those_gone();
        auto listeners = std::make_shared<Listeners>(*listeners_);
        listeners->push_back(added);
        listeners_ = std::move(listeners);
    }
    changed_.notify_one();
    const auto end = [added](void* /*nothing*/) {
        const std::lock_guard calling(added->calling);
        added->is_over = true;
    };
    return {nullptr, end};
}

void Outbox::forget_those_gone() {
    const auto is_gone = [](const auto& listener) { return listener->is_over.load(); };
    if (std::ranges::any_of(*listeners_, is_gone)) {
        auto left = std::make_shared<Listeners>(*listeners_);
        std::erase_if(*left, is_gone);
        listeners_ = std::move(left);
    }
}

void Outbox::deliver(const Item& item) {
    if (item.answer) {
        item.answer();
        return;
    }
    for (const auto& listener : *item.listeners) {
        const std::lock_guard calling(listener->calling);
        if (!listener->is_over) {
            listener->hear(item.event);
        }
    }
}

void Outbox::deliver() {
    while (true) {
        std::deque<Item> items;
        {
            const std::lock_guard lock(mutex_);
            items.swap(items_);
        }
        if (items.empty()) {
            return;
        }
        for (const Item& item : items) {
            deliver(item);
        }
    }
}

void Outbox::work() {
    while (true) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_closing_ || !items_.empty(); });
            if (items_.empty()) {
                return;
            }
        }
        deliver();
    }
}

}  // namespace tessera
