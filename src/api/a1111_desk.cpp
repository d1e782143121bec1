#include "api/a1111_desk.h"

#include <algorithm>
#include <utility>

namespace tessera::api {

A1111Options A1111Desk::options(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    const auto at = keys_.find(key);
    return at == keys_.end() ? A1111Options{} : at->second.options;
}

void A1111Desk::set_options(const std::string& key, A1111Options options) {
    const std::scoped_lock lock(mutex_);
    keys_[key].options = std::move(options);
}

void A1111Desk::begin(const std::string& key, A1111Progress call) {
    const std::scoped_lock lock(mutex_);
    keys_[key].calls.push_back(std::move(call));
}

void A1111Desk::meet(const std::string& key, const FarmEvent& event) {
    const std::scoped_lock lock(mutex_);
    auto& calls = keys_[key].calls;
    const auto call = std::ranges::find(calls, event.job, &A1111Progress::job);
    if (call == calls.end()) {
        return;
    }
    switch (event.kind) {
        case FarmEvent::Kind::kStarted:
            call->is_running = true;
            break;
        case FarmEvent::Kind::kPreview:
            call->jpeg = event.jpeg;
            call->preview += 1;
            [[fallthrough]];
        case FarmEvent::Kind::kProgress:
            call->is_running = true;
            call->unit = event.unit;
            call->step = event.progress.step;
            call->steps = event.progress.steps;
            call->fraction = event.job_fraction;
            break;
        case FarmEvent::Kind::kUnitDone:
            call->done += 1;
            call->fraction = event.job_fraction;
            break;
        default:
            break;
    }
}

void A1111Desk::end(const std::string& key, const JobId& job) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(keys_[key].calls, [&job](const A1111Progress& call) { return call.job == job; });
}

std::optional<A1111Progress> A1111Desk::current(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    const auto at = keys_.find(key);
    if (at == keys_.end() || at->second.calls.empty()) {
        return std::nullopt;
    }
    return at->second.calls.front();
}

std::optional<A1111Progress> A1111Desk::call(const std::string& key, const JobId& job) const {
    const std::scoped_lock lock(mutex_);
    const auto at = keys_.find(key);
    if (at == keys_.end()) {
        return std::nullopt;
    }
    const auto& calls = at->second.calls;
    const auto call = std::ranges::find(calls, job, &A1111Progress::job);
    return call == calls.end() ? std::nullopt : std::optional(*call);
}

int A1111Desk::waiting_pictures(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    const auto at = keys_.find(key);
    int waiting = 0;
    if (at != keys_.end()) {
        for (const A1111Progress& call : at->second.calls) {
            waiting += std::max(1, call.count - call.done);
        }
    }
    return waiting;
}

std::vector<A1111Progress> A1111Desk::interrupt(const std::string& key, bool all) {
    const std::scoped_lock lock(mutex_);
    std::vector<A1111Progress> interrupted;
    const auto at = keys_.find(key);
    if (at != keys_.end()) {
        for (A1111Progress& call : at->second.calls) {
            call.is_interrupted = true;
            interrupted.push_back(call);
            if (!all) {
                break;
            }
        }
    }
    return interrupted;
}

}  // namespace tessera::api
