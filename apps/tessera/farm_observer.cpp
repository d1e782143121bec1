#include "tessera/farm_observer.h"

#include <utility>

namespace tessera::cli {
namespace {

constexpr const char* kStrange =
    "the farm's answer cannot be read; is TESSERA_SERVER a Tessera server of this version?";

}  // namespace

Result<FarmGlance> glance_at(FarmClient& client, const std::stop_token& stop) {
    FarmGlance glance;
    TESSERA_ASSIGN(const auto queue, client.get("/api/v1/queue", stop));
    TESSERA_ASSIGN(const auto workers, client.get("/api/v1/workers", stop));
    TESSERA_ASSIGN(const auto running, client.get("/api/v1/jobs?state=running&limit=200", stop));
    TESSERA_ASSIGN(const auto queued, client.get("/api/v1/jobs?state=queued&limit=200", stop));
    if (!glance.take_queue(queue) || !glance.take_workers(workers) || !glance.take_jobs(running) ||
        !glance.take_jobs(queued)) {
        return fail(ErrorKind::kUnavailable, "{}", kStrange);
    }
    return glance;
}

FarmObserver::FarmObserver(FarmClient client, std::chrono::milliseconds pause)
    : client_(std::move(client)),
      pause_(pause),
      thread_([this](const std::stop_token& stop) { observe(stop); }) {}

FarmObserver::News FarmObserver::news() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
}

void FarmObserver::order(BoardOrder order) {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
    changed_.notify_all();
}

std::string FarmObserver::carry_out(const BoardOrder& order, const std::stop_token& stop) {
    const bool drains = order.kind == BoardOrder::Kind::kDrainWorker;
    const std::string target = drains ? "/api/v1/workers/" + path_segment(order.id) + "/drain"
                                      : "/api/v1/jobs/" + path_segment(order.id) + "/cancel";
    if (const auto done = client_.post(target, "", stop); !done) {
        return done.error().message;
    }
    return order.id + (drains ? " ends what it has and leaves" : " is cancelled");
}

void FarmObserver::observe(const std::stop_token& stop) {
    StepRates rates;
    const auto begin = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        auto glance = glance_at(client_, stop);
        std::unique_lock lock(mutex_);
        if (glance) {
            const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
            rates.rate(*glance, passed.count());
            news_.glance = *std::move(glance);
            news_.trouble = "";
        } else {
            news_.trouble = glance.error().message;
        }
        changed_.wait_for(lock, stop, pause_, [this] { return !orders_.empty(); });
        while (!orders_.empty() && !stop.stop_requested()) {
            const BoardOrder order = std::move(orders_.front());
            orders_.pop_front();
            lock.unlock();
            std::string message = carry_out(order, stop);
            lock.lock();
            news_.message = std::move(message);
        }
    }
}

}  // namespace tessera::cli
