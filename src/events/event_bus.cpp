#include "events/event_bus.h"

#include "events/event_history.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera {
namespace {

/// Of an id, for the events of one life; those above tell the lives apart.
constexpr unsigned kIdBits = 40;

struct Subscriber {
    EventFilter filter;
    EventBus::Listener listener;
    std::atomic<bool> dropped = false;

    [[nodiscard]] bool wants(const FarmEvent& event) const {
        return (filter.tenant.empty() || filter.tenant == event.tenant) &&
               (filter.job.value.empty() || filter.job == event.job) &&
               (filter.previews || event.kind != FarmEvent::Kind::kPreview);
    }
    void tell(const EventPtr& event) {
        if (!dropped.load(std::memory_order_acquire)) {
            listener(event);
        }
    }
};

using Subscribers = std::vector<std::shared_ptr<Subscriber>>;

}  // namespace

struct EventBus::State {
    explicit State(const Limits& given)
        : limits(given),
          first_id(static_cast<std::uint64_t>(given.incarnation) << kIdBits),
          last_id(first_id) {}

    [[nodiscard]] Subscribers& place_of(const EventFilter& filter);
    void remove(const std::shared_ptr<Subscriber>& subscriber);
    void keep(const EventPtr& event);
    [[nodiscard]] Subscribers listeners(const FarmEvent& event);

    const Limits limits;
    const std::uint64_t first_id;

    /// Held while listeners are called, so that all of them hear all in one order.
    std::mutex turn;
    std::uint64_t last_id;                                    // with `turn`
    std::unordered_map<std::string, EventHistory> histories;  // with `turn`

    /// Never held while somebody else's code runs.
    std::mutex registry;
    std::unordered_map<JobId, Subscribers> of_jobs;
    std::unordered_map<std::string, Subscribers> of_tenants;
    Subscribers of_all;
    std::size_t subscribers = 0;
};

Subscribers& EventBus::State::place_of(const EventFilter& filter) {
    return !filter.job.value.empty() ? of_jobs[filter.job]
           : !filter.tenant.empty()  ? of_tenants[filter.tenant]
                                     : of_all;
}

void EventBus::State::remove(const std::shared_ptr<Subscriber>& subscriber) {
    const EventFilter& filter = subscriber->filter;
    subscriber->dropped.store(true, std::memory_order_release);
    const std::lock_guard lock(registry);
    Subscribers& place = place_of(filter);
    std::erase(place, subscriber);
    subscribers -= 1;
    if (place.empty() && !filter.job.value.empty()) {
        of_jobs.erase(filter.job);
    } else if (place.empty() && !filter.tenant.empty()) {
        of_tenants.erase(filter.tenant);
    }
}

void EventBus::State::keep(const EventPtr& event) {
    histories.try_emplace(event->tenant, limits.kept_events, limits.kept_bytes)
        .first->second.add(event);
}

Subscribers EventBus::State::listeners(const FarmEvent& event) {
    Subscribers found;
    const auto add = [&found, &event](const Subscribers& some) {
        std::ranges::copy_if(some, std::back_inserter(found), [&event](const auto& subscriber) {
            return subscriber->wants(event);
        });
    };
    const std::lock_guard lock(registry);
    if (const auto at = of_jobs.find(event.job); at != of_jobs.end()) {
        add(at->second);
    }
    if (const auto at = of_tenants.find(event.tenant); at != of_tenants.end()) {
        add(at->second);
    }
    add(of_all);
    return found;
}

EventBus::EventBus(const Limits& limits) : state_(std::make_shared<State>(limits)) {}
EventBus::~EventBus() = default;

void EventBus::publish(FarmEvent event) {
    const std::lock_guard turn(state_->turn);
    const bool is_numbered = event.kind != FarmEvent::Kind::kPreview;
    event.id = is_numbered ? ++state_->last_id : 0;
    const auto shared = std::make_shared<const FarmEvent>(std::move(event));
    if (is_numbered) {
        state_->keep(shared);
    }
    for (const auto& subscriber : state_->listeners(*shared)) {
        subscriber->tell(shared);
    }
}

EventBus::Subscription EventBus::subscribe(
    EventFilter filter, Listener listener, std::optional<std::uint64_t> after
) {
    const auto subscriber = std::make_shared<Subscriber>();
    subscriber->filter = std::move(filter);
    subscriber->listener = std::move(listener);
    Subscription subscription;

    const std::lock_guard turn(state_->turn);
    if (after) {
        subscription.complete = *after >= state_->first_id && *after <= state_->last_id;
        std::vector<EventPtr> missed;
        for (const auto& [tenant, history] : state_->histories) {
            if (!subscriber->filter.tenant.empty() && subscriber->filter.tenant != tenant) {
                continue;
            }
            subscription.complete = subscription.complete && *after >= history.forgotten();
            std::ranges::copy_if(
                history.after(*after),
                std::back_inserter(missed),
                [&](const EventPtr& event) { return subscriber->wants(*event); }
            );
        }
        std::ranges::sort(missed, {}, [](const EventPtr& event) { return event->id; });
        if (!subscription.complete) {
            FarmEvent reset;
            reset.kind = FarmEvent::Kind::kReset;
            subscriber->tell(std::make_shared<const FarmEvent>(std::move(reset)));
        }
        for (const EventPtr& event : missed) {
            subscriber->tell(event);
        }
    }
    {
        const std::lock_guard lock(state_->registry);
        state_->place_of(subscriber->filter).push_back(subscriber);
        state_->subscribers += 1;
    }
    subscription.handle = std::shared_ptr<void>(
        subscriber.get(), [state = state_, subscriber](void*) { state->remove(subscriber); }
    );
    return subscription;
}

std::size_t EventBus::subscribers() const {
    const std::lock_guard lock(state_->registry);
    return state_->subscribers;
}

}  // namespace tessera
