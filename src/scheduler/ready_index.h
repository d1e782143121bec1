#pragma once

#include "base/clock.h"
#include "base/id.h"

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace tessera {

using TaskIndex = std::uint32_t;
using TenantIndex = std::uint32_t;
using PoolIndex = std::uint32_t;
using ClassIndex = std::uint32_t;

/// A ready task, as far as order is concerned.
struct ReadyEntry {
    TaskIndex task = 0;
    ClassIndex in_class = 0;
    TenantIndex tenant = 0;
    std::uint8_t priority = 0;   ///< 0..2
    Instant since;               ///< of waiting
    std::uint64_t sequence = 0;  ///< unique; among those that wait equally long
    double cost = 0.0;
    std::optional<Instant> deadline;
    Instant urgent_from;  ///< with a deadline: when its slack falls below twice its time
};

/// All ready tasks, in such an order that the next one for the workers that are free is found
/// without looking at the others.
///
/// Tasks that the same workers may do (same pool, failed on the same workers) are a class. A
/// tenant's tasks of a class are a lane, in order. Each class knows its tenants in the order of
/// their turns, so the next task of some classes is that of the tenant which is first in any of
/// them, and there the best head of the lanes in question.
class ReadyIndex {
  public:
    struct Position {
        std::uint64_t round = 0;
        std::uint64_t sequence = 0;
        TenantIndex tenant = 0;

        auto operator<=>(const Position&) const = default;
    };
    struct Class {
        PoolIndex pool = 0;
        std::vector<WorkerId> failed_on;  ///< sorted
        std::set<Position> tenants;
        std::size_t tasks = 0;
        double cost = 0.0;
        std::size_t busy_position = 0;
    };
    struct Key {
        Instant since;
        std::uint64_t sequence = 0;
        TaskIndex task = 0;

        auto operator<=>(const Key&) const = default;
    };
    struct Lane {
        ClassIndex in_class = 0;
        std::array<std::deque<Key>, 3> waiting;  ///< by priority, each in order
        /// Those with a deadline, by urgent_from, with the deadline; and once that has come, by
        /// deadline, until it has passed.
        std::map<std::pair<Instant, TaskIndex>, Instant> calm;
        std::set<std::pair<Instant, TaskIndex>> urgent;
        std::size_t tasks = 0;
        double cost = 0.0;
    };
    struct Tenant {
        std::string name;
        std::uint64_t round = 0;  ///< in which it has something left to spend
        std::uint64_t sequence = 0;
        double deficit = 0.0;  ///< seconds left in that round, above 0
        std::map<ClassIndex, Lane> lanes;
        std::size_t tasks = 0;
        int running = 0;
        bool exists = false;
    };

    ReadyIndex(Duration ageing_step, double quantum)
        : ageing_step_(ageing_step), quantum_(quantum) {}

    [[nodiscard]] TenantIndex tenant(const std::string& name);
    [[nodiscard]] ClassIndex in_class(PoolIndex pool, const std::vector<WorkerId>& failed_on);
    void add(const ReadyEntry& entry);
    void remove(const ReadyEntry& entry);

    /// Classes that have tasks, in no order.
    [[nodiscard]] const std::vector<ClassIndex>& busy_classes() const { return busy_; }
    [[nodiscard]] const Class& at(ClassIndex index) const { return classes_[index]; }
    [[nodiscard]] const std::vector<Tenant>& tenants() const { return tenants_; }

    /// The task whose turn it is among those of the given classes, which must have tasks.
    [[nodiscard]] std::optional<TaskIndex> next(std::span<const ClassIndex> classes, Instant now);

    /// remove(), and its tenant pays for so many seconds of a worker.
    void take(const ReadyEntry& entry, double seconds);
    /// A task runs that was not taken from here; its tenant pays.
    void charge(TenantIndex tenant, double seconds);
    /// What was taken or charged has ended, and took so many seconds more than was paid for (or
    /// less: negative).
    void settle(TenantIndex tenant, double seconds);

    [[nodiscard]] std::size_t tasks() const { return tasks_; }
    /// The tenant's tasks before such a one.
    [[nodiscard]] std::size_t before(const ReadyEntry& entry) const;

  private:
    struct Rank;
    [[nodiscard]] Rank rank(Lane& lane, Instant now) const;
    /// To the end of that round.
    void move(TenantIndex index, std::uint64_t round);
    void forget_if_idle(TenantIndex index);
    void pay(TenantIndex index, double seconds);

    Duration ageing_step_;
    double quantum_;
    std::vector<Tenant> tenants_;
    std::vector<TenantIndex> free_tenants_;
    std::unordered_map<std::string, TenantIndex> tenant_names_;
    std::vector<Class> classes_;
    std::vector<ClassIndex> free_classes_;
    std::map<std::pair<PoolIndex, std::vector<WorkerId>>, ClassIndex> class_keys_;
    std::vector<ClassIndex> busy_;
    std::vector<char> wanted_;  ///< by class; scratch of next()
    std::uint64_t round_ = 0;
    std::uint64_t next_sequence_ = 0;
    std::size_t tasks_ = 0;
};

}  // namespace tessera
