#include "scheduler/ready_index.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace tessera {

/// What decides between two tasks of one tenant; the smaller goes first.
struct ReadyIndex::Rank {
    bool calm = true;
    Instant deadline;  // of an urgent one
    std::int64_t lack_of_priority = 0;
    Key key;

    auto operator<=>(const Rank&) const = default;
};

TenantIndex ReadyIndex::tenant(const std::string& name) {
    const auto [found, added] = tenant_names_.try_emplace(name, 0);
    if (!added) {
        return found->second;
    }
    TenantIndex index = 0;
    if (free_tenants_.empty()) {
        index = static_cast<TenantIndex>(tenants_.size());
        tenants_.emplace_back();
    } else {
        index = free_tenants_.back();
        free_tenants_.pop_back();
    }
    Tenant& tenant = tenants_[index];
    tenant.name = name;
    tenant.round = round_;
    tenant.sequence = next_sequence_++;
    tenant.deficit = quantum_;
    tenant.exists = true;
    found->second = index;
    return index;
}

void ReadyIndex::forget_if_idle(TenantIndex index) {
    Tenant& tenant = tenants_[index];
    // One that owes rounds is remembered until they are over.
    if (tenant.tasks == 0 && tenant.running == 0 && tenant.round <= round_) {
        tenant_names_.erase(tenant.name);
        tenant = Tenant();
        free_tenants_.push_back(index);
    }
}

ClassIndex ReadyIndex::in_class(PoolIndex pool, const std::vector<WorkerId>& failed_on) {
    std::vector<WorkerId> sorted = failed_on;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    const auto [found, added] = class_keys_.try_emplace({pool, sorted}, 0);
    if (!added) {
        return found->second;
    }
    ClassIndex index = 0;
    if (free_classes_.empty()) {
        index = static_cast<ClassIndex>(classes_.size());
        classes_.emplace_back();
        wanted_.push_back(0);
    } else {
        index = free_classes_.back();
        free_classes_.pop_back();
    }
    classes_[index].pool = pool;
    classes_[index].failed_on = std::move(sorted);
    found->second = index;
    return index;
}

void ReadyIndex::add(const ReadyEntry& entry) {
    Tenant& tenant = tenants_[entry.tenant];
    if (tenant.tasks == 0 && tenant.round < round_) {
        // It joins the round that is on; what it did not use while it was away is lost.
        tenant.round = round_;
        tenant.sequence = next_sequence_++;
        tenant.deficit = quantum_;
    }
    Lane& lane = tenant.lanes[entry.in_class];
    Class& in_class = classes_[entry.in_class];
    lane.in_class = entry.in_class;
    if (lane.tasks == 0) {
        in_class.tenants.insert({tenant.round, tenant.sequence, entry.tenant});
    }
    if (in_class.tasks == 0) {
        in_class.busy_position = busy_.size();
        busy_.push_back(entry.in_class);
    }
    auto& waiting = lane.waiting[entry.priority];
    const Key key{entry.since, entry.sequence, entry.task};
    if (waiting.empty() || waiting.back() < key) {
        waiting.push_back(key);
    } else {
        waiting.insert(std::lower_bound(waiting.begin(), waiting.end(), key), key);
    }
    if (entry.deadline) {
        lane.calm.emplace(std::pair(entry.urgent_from, entry.task), *entry.deadline);
    }
    ++lane.tasks;
    ++in_class.tasks;
    ++tenant.tasks;
    ++tasks_;
    lane.cost += entry.cost;
    in_class.cost += entry.cost;
}

void ReadyIndex::remove(const ReadyEntry& entry) {
    Tenant& tenant = tenants_[entry.tenant];
    const auto found = tenant.lanes.find(entry.in_class);
    Lane& lane = found->second;
    Class& in_class = classes_[entry.in_class];
    auto& waiting = lane.waiting[entry.priority];
    waiting.erase(std::lower_bound(
        waiting.begin(), waiting.end(), Key{entry.since, entry.sequence, entry.task}
    ));
    if (entry.deadline) {
        lane.calm.erase({entry.urgent_from, entry.task});
        lane.urgent.erase({*entry.deadline, entry.task});
    }
    --in_class.tasks;
    --tenant.tasks;
    --tasks_;
    lane.cost -= entry.cost;
    in_class.cost -= entry.cost;
    if (--lane.tasks == 0) {
        in_class.tenants.erase({tenant.round, tenant.sequence, entry.tenant});
        tenant.lanes.erase(found);
    }
    if (in_class.tasks == 0) {
        busy_[in_class.busy_position] = busy_.back();
        classes_[busy_.back()].busy_position = in_class.busy_position;
        busy_.pop_back();
        class_keys_.erase({in_class.pool, in_class.failed_on});
        in_class = Class();
        free_classes_.push_back(entry.in_class);
    }
    forget_if_idle(entry.tenant);
}

ReadyIndex::Rank ReadyIndex::rank(Lane& lane, Instant now) const {
    while (!lane.calm.empty() && lane.calm.begin()->first.first <= now) {
        lane.urgent.emplace(lane.calm.begin()->second, lane.calm.begin()->first.second);
        lane.calm.erase(lane.calm.begin());
    }
    while (!lane.urgent.empty() && lane.urgent.begin()->first <= now) {
        lane.urgent.erase(lane.urgent.begin());
    }
    Rank best;
    if (!lane.urgent.empty()) {
        best.calm = false;
        best.deadline = lane.urgent.begin()->first;
        best.key.task = lane.urgent.begin()->second;
        return best;
    }
    bool any = false;
    for (std::size_t priority = 0; priority < lane.waiting.size(); ++priority) {
        if (lane.waiting[priority].empty()) {
            continue;
        }
        Rank its;
        its.key = lane.waiting[priority].front();
        const Duration waited = std::max(now - its.key.since, Duration::zero());
        its.lack_of_priority =
            -static_cast<std::int64_t>(priority) - static_cast<std::int64_t>(waited / ageing_step_);
        if (!any || its < best) {
            best = its;
            any = true;
        }
    }
    return best;
}

std::optional<TaskIndex> ReadyIndex::next(std::span<const ClassIndex> classes, Instant now) {
    if (classes.empty()) {
        return std::nullopt;
    }
    Position first = *classes_[classes.front()].tenants.begin();
    for (const ClassIndex index : classes) {
        first = std::min(first, *classes_[index].tenants.begin());
        wanted_[index] = 1;
    }
    std::optional<Rank> best;
    for (auto& [index, lane] : tenants_[first.tenant].lanes) {
        if (wanted_[index] == 0) {
            continue;
        }
        const Rank its = rank(lane, now);
        if (!best || its < *best) {
            best = its;
        }
    }
    for (const ClassIndex index : classes) {
        wanted_[index] = 0;
    }
    return best->key.task;
}

void ReadyIndex::move(TenantIndex index, std::uint64_t round) {
    Tenant& tenant = tenants_[index];
    const Position from{tenant.round, tenant.sequence, index};
    tenant.round = round;
    tenant.sequence = next_sequence_++;
    for (auto& [class_index, lane] : tenant.lanes) {
        auto& tenants = classes_[class_index].tenants;
        auto node = tenants.extract(from);
        node.value() = {tenant.round, tenant.sequence, index};
        tenants.insert(std::move(node));
    }
}

void ReadyIndex::take(const ReadyEntry& entry, double seconds) {
    ++tenants_[entry.tenant].running;
    remove(entry);
    pay(entry.tenant, seconds);
}

void ReadyIndex::charge(TenantIndex index, double seconds) {
    ++tenants_[index].running;
    pay(index, seconds);
}

void ReadyIndex::pay(TenantIndex index, double seconds) {
    Tenant& tenant = tenants_[index];
    round_ = std::max(round_, tenant.round);
    std::uint64_t round = round_;
    tenant.deficit -= seconds;
    if (tenant.deficit <= 0.0) {
        const double rounds = std::floor(-tenant.deficit / quantum_) + 1.0;
        tenant.deficit += rounds * quantum_;
        round += static_cast<std::uint64_t>(rounds);
    }
    // Within a round tenants alternate task by task.
    move(index, round);
}

void ReadyIndex::settle(TenantIndex index, double seconds) {
    Tenant& tenant = tenants_[index];
    --tenant.running;
    tenant.deficit -= seconds;
    std::uint64_t round = tenant.round;
    if (tenant.deficit <= 0.0) {
        const double rounds = std::floor(-tenant.deficit / quantum_) + 1.0;
        tenant.deficit += rounds * quantum_;
        round += static_cast<std::uint64_t>(rounds);
    } else if (tenant.deficit > quantum_) {
        const double rounds = std::ceil(tenant.deficit / quantum_) - 1.0;
        const std::uint64_t back =
            std::min(static_cast<std::uint64_t>(rounds), round - std::min(round, round_));
        round -= back;
        tenant.deficit = std::min(tenant.deficit - static_cast<double>(back) * quantum_, quantum_);
    }
    if (round != tenant.round) {
        move(index, round);
    }
    forget_if_idle(index);
}

std::size_t ReadyIndex::before(const ReadyEntry& entry) const {
    std::size_t count = 0;
    for (const auto& [index, lane] : tenants_[entry.tenant].lanes) {
        for (std::size_t priority = 0; priority < lane.waiting.size(); ++priority) {
            const auto& waiting = lane.waiting[priority];
            const auto lead = static_cast<int>(priority) - static_cast<int>(entry.priority);
            const Key bound{entry.since + lead * ageing_step_, lead == 0 ? entry.sequence : 0, 0};
            count += static_cast<std::size_t>(
                std::lower_bound(waiting.begin(), waiting.end(), bound) - waiting.begin()
            );
        }
    }
    return count;
}

}  // namespace tessera
