#pragma once

#include "base/clock.h"
#include "events/event_bus.h"
#include "queue/task_queue.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace tessera {

/// A waiting job's place in the line; nothing is promised.
struct QueuePlace {
    std::size_t position = 0;
    double seconds_to_start = 0.0;
    double seconds_to_finish = 0.0;

    bool operator==(const QueuePlace&) const = default;
};

/// Turns what the queue says into what clients hear: the queue's listener on one side, the event
/// bus on the other. Keeps a little of each live job: its plan, and how far its tasks are.
/// Thread-safe.
class QueueEvents {
  public:
    /// Reads a job when it is first heard of (TaskQueue::job), for its plan and for what was done
    /// before this life. Nothing: events come without fractions.
    using Jobs = std::function<std::optional<JobView>(const JobId&)>;
    /// Nothing when it does not wait, or nobody knows.
    using Places = std::function<std::optional<QueuePlace>(const JobId&)>;

    /// Bus and clock must outlive it.
    QueueEvents(EventBus& bus, const Clock& clock, Jobs jobs, Places places);
    ~QueueEvents();
    QueueEvents(const QueueEvents&) = delete;
    QueueEvents& operator=(const QueueEvents&) = delete;

    /// For TaskQueue::watch.
    void hear(const QueueEvent& event);
    /// A picture in the making, from its worker.
    void preview(const Claim& claim, const TaskProgress& progress, const std::string& jpeg);
    /// Tells waiting jobs their place where it has changed, the `most` that were heard of first.
    /// To be called now and then.
    void tell_places(std::size_t most);

  private:
    struct LiveJob;
    [[nodiscard]] std::shared_ptr<LiveJob> live_job(const QueueEvent& event);
    [[nodiscard]] FarmEvent event_of(FarmEvent::Kind kind, const QueueEvent& event) const;
    void hear_of_task(const QueueEvent& event);
    void hear_of_end(const QueueEvent& event);
    // With the lock held.
    void publish_queued(const JobId& job, const std::string& tenant, const QueuePlace* place);

    EventBus& bus_;
    const Clock& clock_;
    const Jobs jobs_;
    const Places places_;

    std::mutex mutex_;
    std::unordered_map<JobId, std::shared_ptr<LiveJob>> live_;
    std::uint64_t heard_ = 0;
};

}  // namespace tessera
