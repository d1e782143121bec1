#pragma once

#include "queue/queue_records.h"
#include "queue/sqlite_internal.h"
#include "queue/task_queue.h"

#include <optional>
#include <string>

namespace tessera {

/// A job under an idempotency key.
struct KnownJob {
    JobId id;
    std::string body_hash;
};

/// Writes jobs and tasks, within a transaction that somebody else opens and ends.
class JobWriter {
  public:
    [[nodiscard]] static Result<JobWriter> prepare(sqlite3* connection);

    /// `plan` is job.plan encoded.
    [[nodiscard]] Status add(
        const JobRecord& job, std::string_view plan, const std::string& body_hash
    );
    [[nodiscard]] Status write(const Change& change);
    [[nodiscard]] Status remove(JobNumber job);

    [[nodiscard]] Result<bool> exists(const JobId& id);
    [[nodiscard]] Result<std::optional<KnownJob>> find_by_key(
        const std::string& tenant, const std::string& key
    );

  private:
    [[nodiscard]] Status write(const JobChanged& change);
    [[nodiscard]] Status write(const TaskChanged& change);
    [[nodiscard]] Status write(const ResultAdded& change);
    [[nodiscard]] Status write(const FailureAdded& change);

    Statement add_job_;
    Statement change_job_;
    Statement remove_job_;
    Statement find_job_;
    Statement find_key_;
    Statement put_task_;
    Statement put_result_;
    Statement add_failure_;
    Statement trim_failures_;
};

}  // namespace tessera
