#include "scheduler/worker_registry.h"

#include <algorithm>

namespace tessera {
namespace {

constexpr int kMostSlots = 4096;
constexpr std::size_t kMostEarlier = 16;
constexpr std::size_t kMostDeparted = 1024;

std::size_t index_of(TaskKind kind) {
    return static_cast<std::size_t>(kind);
}

}  // namespace

std::optional<WorkerRegistry::Past> WorkerRegistry::take_past(const WorkerId& id) {
    const auto found = std::find_if(departed_.begin(), departed_.end(), [&](const Departed& one) {
        return one.id == id;
    });
    if (found == departed_.end()) {
        return std::nullopt;
    }
    Past past = std::move(found->past);
    departed_.erase(found);
    return past;
}

void WorkerRegistry::keep_past(const WorkerId& id, Past past) {
    if (past.earlier.empty() && past.failures_in_a_row == decltype(past.failures_in_a_row){}) {
        return;
    }
    departed_.push_back({id, std::move(past)});
    if (departed_.size() > kMostDeparted) {
        departed_.pop_front();
    }
}

void WorkerRegistry::join(const WorkerOffer& offer) {
    WorkerIndex index = 0;
    if (free_workers_.empty()) {
        index = static_cast<WorkerIndex>(workers_.size());
        workers_.emplace_back();
    } else {
        index = free_workers_.back();
        free_workers_.pop_back();
    }
    Worker& worker = workers_[index];
    worker = Worker();
    worker.id = offer.worker;
    worker.node = offer.node;
    worker.fingerprint = offer.fingerprint;
    worker.slots = std::clamp(offer.slots, 1, kMostSlots);
    worker.joined = ++joined_;
    names_.emplace(worker.id, index);
    auto inherited = take_past(offer.predecessor);
    auto own = take_past(worker.id);
    worker.past = own ? *std::move(own) : std::move(inherited).value_or(Past());
    std::vector<WorkerId>& earlier = worker.past.earlier;
    const bool is_told =
        std::find(earlier.begin(), earlier.end(), offer.predecessor) != earlier.end();
    if (!offer.predecessor.value.empty() && !is_told) {
        earlier.push_back(offer.predecessor);
    }
    if (earlier.size() > kMostEarlier) {
        earlier.erase(earlier.begin());
    }
    places_[worker.id] = index;
    for (const WorkerId& before : earlier) {
        places_.try_emplace(before, index);
    }
    usable_slots_ += worker.slots;
    for (const auto& [key, pool] : pool_keys_) {
        if (key.second.empty()) {
            enter(index, pool);
        }
    }
    set_models(index, offer.models);
}

void WorkerRegistry::leave(WorkerIndex index) {
    Worker& worker = workers_[index];
    for (const Membership membership : worker.pools) {
        quit(index, membership);
    }
    if (worker.takes_work()) {
        usable_slots_ -= worker.slots;
    }
    names_.erase(worker.id);
    const auto leave_place = [&](const WorkerId& id) {
        const auto place = places_.find(id);
        if (place != places_.end() && place->second == index) {
            places_.erase(place);
        }
    };
    leave_place(worker.id);
    std::for_each(worker.past.earlier.begin(), worker.past.earlier.end(), leave_place);
    keep_past(worker.id, std::move(worker.past));
    worker = Worker();
    free_workers_.push_back(index);
}

void WorkerRegistry::drain(WorkerIndex index) {
    set_flag(index, workers_[index].draining, true);
}

void WorkerRegistry::set_silent(WorkerIndex index, bool silent) {
    set_flag(index, workers_[index].silent, silent);
}

void WorkerRegistry::set_flag(WorkerIndex index, bool& flag, bool value) {
    const Worker& worker = workers_[index];
    const bool took_work = worker.takes_work();
    flag = value;
    if (worker.takes_work() != took_work) {
        usable_slots_ += took_work ? -worker.slots : worker.slots;
        refresh(index);
    }
}

void WorkerRegistry::add_credit(WorkerIndex index, int more) {
    Worker& worker = workers_[index];
    worker.credit = std::clamp(worker.credit + std::clamp(more, 0, worker.slots), 0, worker.slots);
    refresh(index);
}

bool WorkerRegistry::set_loaded(WorkerIndex index, const std::vector<ModelOffer>& models) {
    Worker& worker = workers_[index];
    if (!std::equal(
            models.begin(),
            models.end(),
            worker.models.begin(),
            worker.models.end(),
            [](const ModelOffer& offer, const Model& model) {
                return offer.affinity == model.affinity;
            }
        )) {
        return false;
    }
    for (std::size_t i = 0; i < models.size(); ++i) {
        worker.models[i].loaded = models[i].loaded;
    }
    refresh(index);
    return true;
}

void WorkerRegistry::set_models(WorkerIndex index, const std::vector<ModelOffer>& models) {
    if (set_loaded(index, models)) {
        return;
    }
    Worker& worker = workers_[index];
    std::vector<Model> offered;
    offered.reserve(models.size());
    for (const ModelOffer& offer : models) {
        if (offer.affinity.empty() || find_model(offered, offer.affinity)) {
            continue;
        }
        const auto before = find_model(worker.models, offer.affinity);
        const int in_use = before ? worker.models[*before].in_use : 0;
        offered.push_back({offer.affinity, offer.loaded, in_use});
    }
    worker.models = std::move(offered);
    std::erase_if(worker.pools, [&](Membership& membership) {
        const std::string& affinity = pools_[membership.pool]->affinity;
        membership.model = find_model(worker.models, affinity);
        const bool gone = !affinity.empty() && !membership.model;
        if (gone) {
            quit(index, membership);
        }
        return gone;
    });
    for (const Model& model : worker.models) {
        for (std::size_t kind = 0; kind < kTaskKinds; ++kind) {
            const auto found = pool_keys_.find({static_cast<TaskKind>(kind), model.affinity});
            if (found != pool_keys_.end() && member(index, found->second) == nullptr) {
                enter(index, found->second);
            }
        }
    }
    refresh(index);
}

bool WorkerRegistry::begin(
    WorkerIndex index, PoolIndex pool_index, double seconds, bool uses_credit, Instant now
) {
    Worker& worker = workers_[index];
    const Pool& pool = *pools_[pool_index];
    bool swap = false;
    if (const auto found = find_model(worker.models, pool.affinity)) {
        Model& model = worker.models[*found];
        swap = !model.loaded && model.in_use == 0;
        model.loaded = true;
        ++model.in_use;
    }
    if (swap) {
        const Member* its = member(index, pool_index);
        worker.quantum_left =
            settings_.model_quantum_swaps *
            (its != nullptr ? pool.costs.swap_seconds(*its->node, now) : pool.costs.swap_seconds());
    }
    worker.quantum_left -= seconds;
    ++worker.running;
    worker.credit = std::max(worker.credit - (uses_credit ? 1 : 0), 0);
    refresh(index);
    return swap;
}

void WorkerRegistry::end(WorkerIndex index, PoolIndex pool, double seconds) {
    Worker& worker = workers_[index];
    if (const auto model = find_model(worker.models, pools_[pool]->affinity)) {
        int& in_use = worker.models[*model].in_use;
        in_use = std::max(in_use - 1, 0);
    }
    worker.running = std::max(worker.running - 1, 0);
    worker.quantum_left -= seconds;
    refresh(index);
}

void WorkerRegistry::judge(WorkerIndex index, TaskKind kind, bool failed) {
    Past& past = workers_[index].past;
    if (failed) {
        count_failure(past, kind);
    } else {
        past.failures_in_a_row[index_of(kind)] = 0;
    }
    refresh(index);
}

void WorkerRegistry::count_failure(Past& past, TaskKind kind) const {
    int& failures = past.failures_in_a_row[index_of(kind)];
    failures = std::min(failures + 1, settings_.keep_off_failures);
}

void WorkerRegistry::blame(const WorkerId& id, TaskKind kind) {
    if (const auto index = find_in_place_of(id)) {
        judge(*index, kind, true);
        return;
    }
    Past past = take_past(id).value_or(Past());
    count_failure(past, kind);
    keep_past(id, std::move(past));
}

bool WorkerRegistry::kept_off(const Worker& worker, TaskKind kind) const {
    return worker.past.failures_in_a_row[index_of(kind)] >= settings_.keep_off_failures;
}

std::optional<WorkerIndex> WorkerRegistry::find(const WorkerId& id) const {
    const auto found = names_.find(id);
    return found == names_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<WorkerIndex> WorkerRegistry::find_in_place_of(const WorkerId& id) const {
    const auto found = places_.find(id);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<WorkerIndex> WorkerRegistry::living() const {
    std::vector<WorkerIndex> living;
    living.reserve(names_.size());
    for (WorkerIndex index = 0; index < workers_.size(); ++index) {
        if (workers_[index].joined > 0) {
            living.push_back(index);
        }
    }
    std::sort(living.begin(), living.end(), [this](WorkerIndex a, WorkerIndex b) {
        return workers_[a].joined < workers_[b].joined;
    });
    return living;
}

}  // namespace tessera
