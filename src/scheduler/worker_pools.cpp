// The pools of the registry: who is in one, and who of them could begin a task now.
#include "scheduler/worker_registry.h"

namespace tessera {
namespace {

constexpr std::size_t kIdlePools = 256;  // more that nobody offers or wants are forgotten

}  // namespace

std::optional<std::uint32_t> WorkerRegistry::find_model(
    const std::vector<Model>& models, const std::string& affinity
) {
    for (std::uint32_t i = 0; i < models.size(); ++i) {
        if (models[i].affinity == affinity) {
            return i;
        }
    }
    return std::nullopt;
}

PoolIndex WorkerRegistry::pool(TaskKind kind, const std::string& affinity) {
    if (const auto found = pool_keys_.find({kind, affinity}); found != pool_keys_.end()) {
        return found->second;
    }
    if (pools_.size() - free_pools_.size() >= kIdlePools) {
        drop_idle_pools();
    }
    PoolIndex index = 0;
    auto made = std::make_unique<Pool>(kind, affinity, settings_);
    if (free_pools_.empty()) {
        index = static_cast<PoolIndex>(pools_.size());
        pools_.push_back(std::move(made));
    } else {
        index = free_pools_.back();
        free_pools_.pop_back();
        pools_[index] = std::move(made);
    }
    pool_keys_.emplace(std::pair(kind, affinity), index);
    for (const WorkerIndex worker : living()) {
        if (affinity.empty() || find_model(workers_[worker].models, affinity)) {
            enter(worker, index);
        }
    }
    return index;
}

void WorkerRegistry::drop_idle_pools() {
    for (auto entry = pool_keys_.begin(); entry != pool_keys_.end();) {
        Pool& pool = *pools_[entry->second];
        if (pool.tasks == 0 && pool.members.size() == pool.vacant.size()) {
            free_pools_.push_back(entry->second);
            pools_[entry->second].reset();
            entry = pool_keys_.erase(entry);
        } else {
            ++entry;
        }
    }
}

void WorkerRegistry::enter(WorkerIndex index, PoolIndex pool_index) {
    Pool& pool = *pools_[pool_index];
    std::uint32_t place = 0;
    if (pool.vacant.empty()) {
        place = static_cast<std::uint32_t>(pool.members.size());
        pool.members.emplace_back();
    } else {
        place = pool.vacant.back();
        pool.vacant.pop_back();
    }
    Worker& worker = workers_[index];
    Member& member = pool.members[place];
    member.worker = index;
    member.node = &pool.costs.node(worker.node);
    worker.pools.push_back({pool_index, place, find_model(worker.models, pool.affinity)});
    refresh(worker, worker.pools.back());
}

void WorkerRegistry::quit(WorkerIndex index, Membership membership) {
    Pool& pool = *pools_[membership.pool];
    Member& member = pool.members[membership.member];
    const bool had_others = pool.usable_not_kept_off > 0;
    take_away(pool, membership.member);
    if (member.usable) {
        --pool.usable;
        pool.usable_slots -= workers_[index].slots;
        pool.usable_not_kept_off -= member.kept_off ? 0 : 1;
    }
    pool.warm -= member.warm ? 1 : 0;
    member = Member();
    pool.vacant.push_back(membership.member);
    if (had_others && pool.usable_not_kept_off == 0) {
        place_all(pool);
    }
}

void WorkerRegistry::refresh(WorkerIndex index) {
    const Worker& worker = workers_[index];
    for (const Membership& membership : worker.pools) {
        refresh(worker, membership);
    }
}

void WorkerRegistry::refresh(const Worker& worker, const Membership& membership) {
    Pool& pool = *pools_[membership.pool];
    Member& member = pool.members[membership.member];
    const bool had_others = pool.usable_not_kept_off > 0;
    const bool usable = worker.takes_work();
    const bool is_kept_off = kept_off(worker, pool.kind);
    if (usable != member.usable) {
        pool.usable += usable ? 1 : -1;
        pool.usable_slots += usable ? worker.slots : -worker.slots;
    }
    pool.usable_not_kept_off += static_cast<int>(usable && !is_kept_off) -
                                static_cast<int>(member.usable && !member.kept_off);
    member.usable = usable;
    member.kept_off = is_kept_off;
    member.loaded = true;
    if (membership.model) {
        const Model& model = worker.models[*membership.model];
        member.loaded = model.loaded || model.in_use > 0;
    }
    const bool has_others = pool.usable_not_kept_off > 0;
    if (had_others == has_others) {
        place(pool, membership.member);
    } else {
        place_all(pool);
    }
}

void WorkerRegistry::place_all(Pool& pool) {
    for (std::uint32_t i = 0; i < pool.members.size(); ++i) {
        place(pool, i);
    }
}

void WorkerRegistry::place(Pool& pool, std::uint32_t index) {
    Member& member = pool.members[index];
    if (!member.worker) {
        return;
    }
    const Worker& worker = workers_[*member.worker];
    const bool allowed = pool.allows(member);
    Place wanted = Place::kAway;
    if (worker.credit > 0 && allowed) {
        wanted = member.loaded && worker.quantum_left > 0.0 ? Place::kHot : Place::kOpen;
    }
    const bool warm = member.loaded && allowed;
    if (wanted == member.place && warm == member.warm) {
        return;
    }
    take_away(pool, index);
    pool.warm += static_cast<int>(warm) - static_cast<int>(member.warm);
    member.warm = warm;
    if (wanted != Place::kAway) {
        pool.open_warm += wanted == Place::kOpen && warm ? 1 : 0;
        auto& list = wanted == Place::kHot ? pool.hot : pool.open;
        member.position = static_cast<std::uint32_t>(list.size());
        member.place = wanted;
        list.push_back(index);
    }
}

void WorkerRegistry::take_away(Pool& pool, std::uint32_t index) {
    Member& member = pool.members[index];
    if (member.place == Place::kAway) {
        return;
    }
    auto& list = member.place == Place::kHot ? pool.hot : pool.open;
    pool.open_warm -= member.place == Place::kOpen && member.warm ? 1 : 0;
    list[member.position] = list.back();
    pool.members[list.back()].position = member.position;
    list.pop_back();
    member.place = Place::kAway;
}

WorkerRegistry::Member* WorkerRegistry::member(WorkerIndex index, PoolIndex pool) {
    for (const Membership& membership : workers_[index].pools) {
        if (membership.pool == pool) {
            return &pools_[pool]->members[membership.member];
        }
    }
    return nullptr;
}

const WorkerRegistry::Member* WorkerRegistry::member(WorkerIndex index, PoolIndex pool) const {
    for (const Membership& membership : workers_[index].pools) {
        if (membership.pool == pool) {
            return &pools_[pool]->members[membership.member];
        }
    }
    return nullptr;
}

}  // namespace tessera
