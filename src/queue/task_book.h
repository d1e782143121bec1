#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "base/result.h"
#include "queue/live_job.h"
#include "queue/queue_records.h"
#include "queue/task_queue.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera {

/// All jobs that have not ended, and the rules of their life (docs/queue.md): what a back end asks
/// for every move, and whose changes it stores. Pure memory; one thread at a time.
///
/// Claims, renewals, checkpoints and the end of a pause act at once; what they changed waits in
/// `take_unwritten`. Everything else happens in a transaction: between `begin` and `commit` the
/// tasks that it touched are settling, which means that nobody can claim them or speak for them.
/// `roll_back` makes all of it undone (and says kTaskReady again of what is ready again). A single
/// call that fails changes nothing.
///
/// Events and changes gather until they are taken.
class TaskBook {
  public:
    /// `incarnation` is larger than every one before; it stands in the epochs handed out.
    TaskBook(RetryPolicy policy, std::uint32_t incarnation, const Clock& clock, Entropy& entropy);

    // At the start.

    /// The numbers that stored jobs have, live or not, go up to there.
    void begin_numbers_after(JobNumber last) { last_number_ = last; }
    /// A live job as it was stored. What runs has `grace` to be heard of.
    void load(JobRecord record, Duration grace);

    // At once. Errors as in TaskQueue.

    [[nodiscard]] Result<Claim> claim(const TaskId& id, const WorkerId& worker, Duration lease);
    [[nodiscard]] Result<Claim> readopt(
        const TaskId& id, Epoch epoch, const WorkerId& worker, Duration lease
    );
    [[nodiscard]] RenewAnswer renew(const Renewal& renewal, Duration lease);
    [[nodiscard]] Status checkpoint(const TaskId& id, Epoch epoch, TaskCheckpoint checkpoint);
    /// Ends the pauses that are over. True: `expire` has work to do.
    [[nodiscard]] bool wake();
    [[nodiscard]] std::optional<Instant> next_moment() const;

    // In a transaction.

    void begin();
    void commit();
    void roll_back();

    [[nodiscard]] Status enqueue(JobRecord record);
    [[nodiscard]] Status complete(const TaskId& id, Epoch epoch, TaskResult result);
    [[nodiscard]] Status fail(const TaskId& id, Epoch epoch, TaskFailure failure);
    [[nodiscard]] Status lose_worker(const WorkerId& worker, const std::string& reason);
    /// Leases that have run out, deadlines that have passed.
    [[nodiscard]] Status expire();
    [[nodiscard]] Status cancel(const JobId& id);
    [[nodiscard]] Status retry(const JobId& id);
    /// Of a job that has ended, as it was stored.
    [[nodiscard]] Status retry(JobRecord record);
    void note_removed(const JobId& id, const std::string& tenant);

    // Reading.

    [[nodiscard]] bool is_live(const JobId& id) const { return jobs_.contains(id); }
    /// Live still, but not after the commit.
    [[nodiscard]] bool is_ending(const JobId& id) const;
    /// Without what only the store has: results, failures. Nothing for jobs not committed yet.
    [[nodiscard]] std::optional<JobView> view(const JobId& id) const;
    /// Live jobs, newest first, before `filter.before`.
    [[nodiscard]] std::vector<JobView> views(const JobFilter& filter) const;
    [[nodiscard]] QueueCounts counts(const std::string& tenant) const;
    /// kTaskReady for each task that can be claimed now.
    [[nodiscard]] std::vector<QueueEvent> ready_events() const;
    /// Of checkpoints, inputs and results that live jobs refer to.
    void collect_objects(std::set<std::string>& hashes) const;
    /// Larger than that of any job it ever had.
    [[nodiscard]] JobNumber next_number() const { return last_number_ + 1; }

    // Handing over.

    [[nodiscard]] std::vector<QueueEvent> take_events() { return std::exchange(events_, {}); }
    [[nodiscard]] std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
    [[nodiscard]] bool has_unwritten() const { return !unwritten_.empty(); }
    /// What is to be stored some time soon. After a failed attempt to do so: `put_back`.
    [[nodiscard]] std::vector<Change> take_unwritten();
    void put_back(const std::vector<Change>& changes);

  private:
    using TaskRef = std::pair<JobNumber, int>;
    static constexpr int kWholeJob = -1;

    struct Timer {
        Instant at;
        TaskRef task;
        bool operator>(const Timer& other) const {
            return std::tie(at, task) > std::tie(other.at, other.task);
        }
    };
    struct Found {
        LiveJob* job = nullptr;
        LiveTask* task = nullptr;
        explicit operator bool() const { return task != nullptr; }
    };
    /// How to undo one thing of a transaction: a task as it was, or (task == kWholeJob) the job's
    /// coming into the book or its end.
    struct Undo {
        enum class Kind : std::uint8_t { kTask, kJobAdded, kJobEnded };
        Kind kind = Kind::kTask;
        TaskRef ref;
        LiveTask task;
    };
    /// A cancelled claim, until its lease would have ended: so that its worker hears why.
    struct Withdrawn {
        Epoch epoch;
        Instant until;
    };

    // task_book_views.cpp
    [[nodiscard]] JobView committed_view(const LiveJob& job) const;

    // task_book.cpp
    [[nodiscard]] Found find(const TaskId& id);
    [[nodiscard]] LiveJob* find_job(const JobId& id);
    [[nodiscard]] LiveJob* find_job(JobNumber number);
    LiveJob& insert(LiveJob job);
    void erase(LiveJob& job);
    [[nodiscard]] Status move(LiveJob& job, int index, TaskMove move);
    void set_state(LiveJob& job, int index, TaskState state);
    void count(const LiveJob& job, int index, TaskState state, int sign);
    void touch(LiveJob& job, int index);
    void undo(Undo entry);
    [[nodiscard]] Status whole(const std::function<Status()>& change);
    void wait_for(LiveJob& job, int index);
    void note_unwritten(LiveJob& job, int index);
    [[nodiscard]] TaskChanged written(LiveJob& job, int index);
    [[nodiscard]] QueueEvent event(QueueEvent::Kind kind, const LiveJob& job, int index) const;
    [[nodiscard]] QueueEvent ready_event(const LiveJob& job, int index) const;
    void announce_ready(const LiveJob& job, int index);
    void announce_queued(const LiveJob& job, bool is_retry);
    [[nodiscard]] ReadyTask ready_task(const LiveJob& job, int index) const;

    // task_book_claims.cpp
    [[nodiscard]] bool is_honoured(const LiveTask& task, Epoch epoch) const;
    [[nodiscard]] Status check_speaker(const TaskId& id, const Found& found, Epoch epoch) const;
    [[nodiscard]] Status run(LiveJob& job, int index, Epoch epoch);
    [[nodiscard]] Claim claim_of(const LiveJob& job, int index) const;
    [[nodiscard]] Result<Epoch> next_epoch();
    [[nodiscard]] std::vector<JobNumber> late_jobs() const;

    // task_book_settling.cpp
    [[nodiscard]] Status return_task(
        LiveJob& job, int index, TaskFailure failure, AttemptEnd attempt_end
    );
    [[nodiscard]] Status lose(
        LiveJob& job, int index, std::string message, bool lease_ran_out = false
    );
    [[nodiscard]] Status kill(LiveJob& job, int index, const TaskFailure& failure);
    [[nodiscard]] Status give_up(LiveJob& job);
    void note_failure(LiveJob& job, int index, const TaskFailure& failure);
    [[nodiscard]] Status unblock(LiveJob& job, int done);
    void end_if_over(LiveJob& job);
    [[nodiscard]] bool is_late(const LiveJob& job) const;

    // task_book_jobs.cpp
    [[nodiscard]] Status revive(LiveJob& job);

    RetryPolicy policy_;
    std::uint32_t incarnation_;
    const Clock& clock_;
    Entropy& entropy_;
    std::uint32_t last_counter_ = 0;
    JobNumber last_number_ = 0;

    std::map<JobId, LiveJob> jobs_;
    std::unordered_map<JobNumber, LiveJob*> numbers_;
    std::set<TaskRef> running_;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
    std::set<TaskRef> overdue_;  ///< leases that had run out when `wake` looked
    std::set<std::pair<WallTime, JobNumber>> deadlines_;
    std::map<TaskId, Withdrawn> withdrawn_;
    QueueCounts total_;
    std::unordered_map<std::string, QueueCounts> by_tenant_;

    std::vector<Undo> undo_;
    std::vector<Change> changes_;
    std::vector<TaskRef> unwritten_;
    std::vector<QueueEvent> events_;
};

}  // namespace tessera
