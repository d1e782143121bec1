#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "job/task.h"
#include "link/messages.h"
#include "scheduler/cost_model.h"
#include "scheduler/scheduler.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera {

using WorkerIndex = std::uint32_t;
using PoolIndex = std::uint32_t;

inline constexpr std::size_t kTaskKinds = 3;

struct RegistrySettings {
    double seconds_per_cost = 0.5;
    double swap_seconds = 2.0;
    double model_quantum_swaps = 15.0;
    int keep_off_failures = 3;
};

/// The workers that live, and for each sort of task (kind and affinity: a pool) those that offer it
/// and those that could begin one now. A change of a worker costs a little for each pool that it is
/// in, and nothing for other workers.
class WorkerRegistry {
  public:
    struct Model {
        std::string affinity;
        bool loaded = false;
        int in_use = 0;  ///< tasks there that need it: it is loaded, or will be
    };
    struct Membership {
        PoolIndex pool = 0;
        std::uint32_t member = 0;
        std::optional<std::uint32_t> model;  ///< into the worker's models; none: of no model
    };
    /// What a process leaves to the one that takes its place.
    struct Past {
        std::vector<WorkerId> earlier;  ///< the last processes there before it, the oldest first
        std::array<int, kTaskKinds> failures_in_a_row{};
    };
    struct Worker {
        WorkerId id;
        std::string node;
        std::string fingerprint;
        int slots = 1;
        int credit = 0;
        int running = 0;
        bool draining = false;
        bool silent = false;
        std::uint64_t joined = 0;
        std::vector<Model> models;
        std::vector<Membership> pools;
        Past past;
        /// Of the model that was loaded last: its worker's time until other models get a turn.
        double quantum_left = 0.0;

        [[nodiscard]] bool takes_work() const { return !draining && !silent; }
    };
    enum class Place : std::uint8_t {
        kAway,  ///< cannot take a task of this pool now
        kHot,   ///< can, has its model loaded, and the model's quantum is not used up
        kOpen,  ///< can
    };
    struct Member {
        std::optional<WorkerIndex> worker;  ///< absent: a vacant place
        Learned seconds_per_cost;
        NodeCosts* node = nullptr;
        bool usable = false;  ///< takes work
        bool kept_off = false;
        bool loaded = false;
        bool warm = false;  ///< counted as such
        Place place = Place::kAway;
        std::uint32_t position = 0;  ///< in hot or open
    };
    struct Pool {
        Pool(TaskKind its_kind, std::string its_affinity, const RegistrySettings& settings)
            : kind(its_kind),
              affinity(std::move(its_affinity)),
              costs(settings.seconds_per_cost, settings.swap_seconds) {}

        TaskKind kind;
        std::string affinity;
        std::vector<Member> members;
        std::vector<std::uint32_t> vacant;
        std::vector<std::uint32_t> hot;   ///< members
        std::vector<std::uint32_t> open;  ///< members
        int usable = 0;
        int usable_not_kept_off = 0;
        int usable_slots = 0;
        int warm = 0;       ///< members that may do such tasks and have the model, free or busy
        int open_warm = 0;  ///< those of them in `open`
        /// Kept by the scheduler.
        std::size_t tasks = 0;  ///< ready or running
        std::size_t waiting = 0;
        double waiting_cost = 0.0;
        Instant waiting_since;  ///< since there are any, or one of them began
        CostModel costs;

        /// Kept-off workers count only while there are others.
        [[nodiscard]] bool allows(const Member& member) const {
            return member.usable && (!member.kept_off || usable_not_kept_off == 0);
        }
    };

    explicit WorkerRegistry(const RegistrySettings& settings) : settings_(settings) {}

    [[nodiscard]] PoolIndex pool(TaskKind kind, const std::string& affinity);
    [[nodiscard]] Pool& at(PoolIndex index) { return *pools_[index]; }
    [[nodiscard]] const Pool& at(PoolIndex index) const { return *pools_[index]; }

    void join(const WorkerOffer& offer);
    void leave(WorkerIndex index);
    void drain(WorkerIndex index);
    void set_silent(WorkerIndex index, bool silent);
    void add_credit(WorkerIndex index, int more);
    void set_models(WorkerIndex index, const std::vector<ModelOffer>& models);

    /// A task of the pool begins there and will work for so many seconds (without the loading).
    /// True: the model has to be loaded first. `uses_credit`: it is sent now.
    bool begin(WorkerIndex index, PoolIndex pool, double seconds, bool uses_credit, Instant now);
    /// It has ended, and worked for so many seconds more than was said (or less).
    void end(WorkerIndex index, PoolIndex pool, double seconds);
    /// Failed by its own fault, or done.
    void judge(WorkerIndex index, TaskKind kind, bool failed);
    /// The same failure of a process that may have left.
    void blame(const WorkerId& id, TaskKind kind);

    [[nodiscard]] std::optional<WorkerIndex> find(const WorkerId& id) const;
    /// It, or the one that stands where it stood.
    [[nodiscard]] std::optional<WorkerIndex> find_in_place_of(const WorkerId& id) const;
    [[nodiscard]] Worker& worker(WorkerIndex index) { return workers_[index]; }
    [[nodiscard]] const Worker& worker(WorkerIndex index) const { return workers_[index]; }
    [[nodiscard]] Member* member(WorkerIndex index, PoolIndex pool);
    [[nodiscard]] const Member* member(WorkerIndex index, PoolIndex pool) const;
    [[nodiscard]] bool kept_off(const Worker& worker, TaskKind kind) const;
    /// Living ones, in the order of joining.
    [[nodiscard]] std::vector<WorkerIndex> living() const;
    [[nodiscard]] std::size_t count() const { return names_.size(); }
    [[nodiscard]] int usable_slots() const { return usable_slots_; }

  private:
    struct Departed {
        WorkerId id;
        Past past;
    };

    /// What it left when it went, and forgets it; nothing when there was nothing to keep.
    [[nodiscard]] std::optional<Past> take_past(const WorkerId& id);
    void keep_past(const WorkerId& id, Past past);
    void count_failure(Past& past, TaskKind kind) const;
    [[nodiscard]] static std::optional<std::uint32_t> find_model(
        const std::vector<Model>& models, const std::string& affinity
    );
    void set_flag(WorkerIndex index, bool& flag, bool value);
    void enter(WorkerIndex index, PoolIndex pool);
    /// Offers of the same models as before: only what is loaded may have changed. False: others.
    bool set_loaded(WorkerIndex index, const std::vector<ModelOffer>& models);
    void quit(WorkerIndex index, Membership membership);
    /// After anything about the worker has changed.
    void refresh(WorkerIndex index);
    void refresh(const Worker& worker, const Membership& membership);
    void place_all(Pool& pool);
    void place(Pool& pool, std::uint32_t member);
    void take_away(Pool& pool, std::uint32_t member);
    void drop_idle_pools();

    RegistrySettings settings_;
    std::vector<Worker> workers_;
    std::vector<WorkerIndex> free_workers_;
    std::unordered_map<WorkerId, WorkerIndex> names_;
    /// The living and their predecessors.
    std::unordered_map<WorkerId, WorkerIndex> places_;
    std::deque<Departed> departed_;  ///< the longest gone first
    /// Pools keep their places in memory: members point to their nodes' costs.
    std::vector<std::unique_ptr<Pool>> pools_;
    std::vector<PoolIndex> free_pools_;
    std::map<std::pair<TaskKind, std::string>, PoolIndex> pool_keys_;
    std::uint64_t joined_ = 0;
    int usable_slots_ = 0;
};

}  // namespace tessera
