#pragma once

#include "queue/queue_records.h"
#include "queue/sqlite_internal.h"
#include "queue/task_queue.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tessera {

/// Reads jobs and tasks. Several calls see one state of the database between `begin` and `end`.
class JobReader {
  public:
    [[nodiscard]] static Result<JobReader> prepare(sqlite3* connection);

    [[nodiscard]] Status begin() { return begin_.run(); }
    void end() { static_cast<void>(end_.run()); }

    /// With its tasks' results.
    [[nodiscard]] Result<std::optional<JobRecord>> find(const JobId& id);
    /// The largest number of a job; 0: there is none.
    [[nodiscard]] Result<JobNumber> last_number() {
        return query_number(connection_, "SELECT COALESCE(MAX(number), 0) FROM job");
    }
    /// All jobs that have not ended, oldest first, with results.
    [[nodiscard]] Status each_live(const std::function<void(JobRecord)>& each);
    /// Newest first, without results.
    [[nodiscard]] Result<std::vector<JobRecord>> list(const JobFilter& filter);
    [[nodiscard]] Result<std::optional<StoredTask>> task(const TaskId& id);
    /// Of each task that ever failed, the last failure.
    [[nodiscard]] Result<std::map<int, TaskFailure>> last_failures(JobNumber job);
    /// Newest first.
    [[nodiscard]] Result<std::vector<FailedAttempt>> failures(const TaskId& task);
    /// Jobs that ended before then, the longest ago first.
    [[nodiscard]] Result<std::vector<JobId>> ended_before(WallTime time, int limit);
    [[nodiscard]] Status collect_objects(std::set<std::string>& hashes);

  private:
    [[nodiscard]] Result<JobRecord> job_row(const Statement& row);
    [[nodiscard]] Status read_tasks(JobRecord& job, Statement& query);

    sqlite3* connection_ = nullptr;
    Statement begin_;
    Statement end_;
    Statement find_;
    Statement live_;
    Statement tasks_;
    Statement tasks_with_results_;
    Statement task_;
    Statement last_failures_;
    Statement failures_;
    Statement ended_before_;
    Statement objects_;
};

}  // namespace tessera
