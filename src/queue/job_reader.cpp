#include "job/codec.h"
#include "queue/job_columns_internal.h"
#include "queue/job_reader_internal.h"

#include <limits>
#include <utility>

namespace tessera {
namespace {

#define JOB_COLUMNS "number, id, state, submitted, started, ended, plan"
#define TASK_COLUMNS                                                                      \
    "t.number, t.state, t.epoch, t.attempt_end, t.attempts, t.own_failures,"              \
    " t.infrastructure_losses, t.worker, t.failed_on, t.started, t.ended, t.pause_ends, " \
    "t.checkpoint"
constexpr int kResultColumn = 13;

std::optional<WallTime> time_column(const Statement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(wall_time(row.integer(column)));
}

Result<TaskRecord> task_record(const Statement& row) {
    TaskRecord record;
    TESSERA_ASSIGN(
        record.state, enum_column(row.integer(1), TaskState::kCancelled, "a task in state")
    );
    record.epoch = {static_cast<std::uint64_t>(row.integer(2))};
    TESSERA_ASSIGN(
        record.attempt_end,
        enum_column(row.integer(3), AttemptEnd::kReported, "an attempt that ended by")
    );
    record.attempts = static_cast<int>(row.integer(4));
    record.own_failures = static_cast<int>(row.integer(5));
    record.infrastructure_losses = static_cast<int>(row.integer(6));
    record.worker = {std::string(row.text(7))};
    TESSERA_ASSIGN(record.failed_on, decode_workers(row.blob(8)));
    record.started = time_column(row, 9);
    record.ended = time_column(row, 10);
    record.pause_ends = time_column(row, 11);
    if (!row.is_null(12)) {
        TESSERA_ASSIGN(TaskCheckpoint checkpoint, decode_task_checkpoint(row.blob(12)));
        record.checkpoint = std::make_shared<const TaskCheckpoint>(std::move(checkpoint));
    }
    return record;
}

Result<StoredTask> stored_task(const Statement& row, bool with_result) {
    StoredTask task;
    TESSERA_ASSIGN(task.record, task_record(row));
    if (with_result && !row.is_null(kResultColumn)) {
        TESSERA_ASSIGN(TaskResult result, decode_task_result(row.blob(kResultColumn)));
        task.result = std::make_shared<const TaskResult>(std::move(result));
    }
    return task;
}

}  // namespace

Result<JobReader> JobReader::prepare(sqlite3* connection) {
    JobReader reader;
    reader.connection_ = connection;
    const std::pair<Statement*, std::string_view> statements[] = {
        {&reader.begin_, "BEGIN"},
        {&reader.end_, "COMMIT"},
        {&reader.find_, "SELECT " JOB_COLUMNS " FROM job WHERE id=?"},
        {&reader.live_, "SELECT " JOB_COLUMNS " FROM job WHERE state IN (0, 1) ORDER BY state, id"},
        {&reader.tasks_, "SELECT " TASK_COLUMNS " FROM task t WHERE t.job=?"},
        {&reader.tasks_with_results_,
         "SELECT " TASK_COLUMNS ", r.result FROM task t"
         " LEFT JOIN result r ON r.job=t.job AND r.task=t.number WHERE t.job=?"},
        {&reader.task_,
         "SELECT " TASK_COLUMNS ", r.result FROM job j JOIN task t ON t.job=j.number"
         " LEFT JOIN result r ON r.job=t.job AND r.task=t.number WHERE j.id=? AND t.number=?"},
        {&reader.last_failures_,
         "SELECT task, failure, MAX(number) FROM failure WHERE job=? GROUP BY task"},
        {&reader.failures_,
         "SELECT f.attempt, f.epoch, f.worker, f.time, f.failure FROM job j"
         " JOIN failure f ON f.job=j.number WHERE j.id=? AND f.task=? ORDER BY f.number DESC"},
        {&reader.ended_before_, "SELECT id FROM job WHERE ended < ? ORDER BY ended, id LIMIT ?"},
        {&reader.objects_,
         "SELECT object FROM result UNION SELECT init FROM job WHERE init IS NOT NULL"
         " UNION SELECT mask FROM job WHERE mask IS NOT NULL"
         " UNION SELECT checkpoint_object FROM task WHERE checkpoint_object IS NOT NULL"},
    };
    for (const auto& [statement, sql] : statements) {
        TESSERA_ASSIGN(*statement, Statement::prepare(connection, sql));
    }
    return reader;
}

Result<JobRecord> JobReader::job_row(const Statement& row) {
    JobRecord job;
    job.number = row.integer(0);
    job.id = {std::string(row.text(1))};
    TESSERA_ASSIGN(job.state, enum_column(row.integer(2), JobState::kCancelled, "a job in state"));
    job.submitted = wall_time(row.integer(3));
    job.started = time_column(row, 4);
    job.ended = time_column(row, 5);
    auto plan = decode_job_plan(row.blob(6));
    if (!plan) {
        return within("the plan of job " + job.id.value, std::move(plan).error());
    }
    job.plan = std::make_shared<const JobPlan>(*std::move(plan));
    return job;
}

Status JobReader::read_tasks(JobRecord& job, Statement& query) {
    const ResetGuard guard(query);
    query.with(job.number);
    while (true) {
        TESSERA_ASSIGN(const bool is_row, query.next());
        if (!is_row) {
            return {};
        }
        TESSERA_ASSIGN(StoredTask task, stored_task(query, &query == &tasks_with_results_));
        job.tasks.emplace(static_cast<int>(query.integer(0)), std::move(task));
    }
}

Result<std::optional<JobRecord>> JobReader::find(const JobId& id) {
    const ResetGuard guard(find_);
    TESSERA_ASSIGN(const bool is_there, find_.with(id.value).next());
    if (!is_there) {
        return std::nullopt;
    }
    TESSERA_ASSIGN(JobRecord job, job_row(find_));
    TESSERA_TRY(read_tasks(job, tasks_with_results_));
    return job;
}

Status JobReader::each_live(const std::function<void(JobRecord)>& each) {
    const ResetGuard guard(live_);
    live_.with();
    while (true) {
        TESSERA_ASSIGN(const bool is_row, live_.next());
        if (!is_row) {
            return {};
        }
        TESSERA_ASSIGN(JobRecord job, job_row(live_));
        TESSERA_TRY(read_tasks(job, tasks_with_results_));
        each(std::move(job));
    }
}

Result<std::vector<JobRecord>> JobReader::list(const JobFilter& filter) {
    std::string sql = "SELECT " JOB_COLUMNS " FROM job WHERE ";
    sql += filter.before.value.empty() ? "?1 IS NULL" : "id < ?1";
    sql += filter.tenant.empty() ? " AND ?2 IS NULL" : " AND tenant = ?2";
    sql += filter.client_tag.empty() ? " AND ?3 IS NULL" : " AND client_tag = ?3";
    sql += filter.state ? " AND state = ?4" : " AND ?4 IS NULL";
    sql += " ORDER BY id DESC LIMIT ?5";
    const auto unless_empty = [](const std::string& text) {
        return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
    };
    TESSERA_ASSIGN(Statement query, Statement::prepare(connection_, sql));
    query.with(
        unless_empty(filter.before.value),
        unless_empty(filter.tenant),
        unless_empty(filter.client_tag),
        filter.state ? std::optional(to_column(*filter.state)) : std::nullopt,
        filter.limit
    );
    std::vector<JobRecord> jobs;
    while (true) {
        TESSERA_ASSIGN(const bool is_row, query.next());
        if (!is_row) {
            return jobs;
        }
        TESSERA_ASSIGN(JobRecord job, job_row(query));
        TESSERA_TRY(read_tasks(job, tasks_));
        jobs.push_back(std::move(job));
    }
}

Result<std::optional<StoredTask>> JobReader::task(const TaskId& id) {
    const ResetGuard guard(task_);
    TESSERA_ASSIGN(const bool is_there, task_.with(id.job.value, id.index).next());
    if (!is_there) {
        return std::nullopt;
    }
    TESSERA_ASSIGN(StoredTask task, stored_task(task_, true));
    return task;
}

Result<std::map<int, TaskFailure>> JobReader::last_failures(JobNumber job) {
    const ResetGuard guard(last_failures_);
    last_failures_.with(job);
    std::map<int, TaskFailure> failures;
    while (true) {
        TESSERA_ASSIGN(const bool is_row, last_failures_.next());
        if (!is_row) {
            return failures;
        }
        TESSERA_ASSIGN(TaskFailure failure, decode_task_failure(last_failures_.blob(1)));
        failures.emplace(static_cast<int>(last_failures_.integer(0)), std::move(failure));
    }
}

Result<std::vector<FailedAttempt>> JobReader::failures(const TaskId& id) {
    const ResetGuard guard(failures_);
    failures_.with(id.job.value, id.index);
    std::vector<FailedAttempt> failures;
    while (true) {
        TESSERA_ASSIGN(const bool is_row, failures_.next());
        if (!is_row) {
            return failures;
        }
        FailedAttempt record;
        record.attempt = static_cast<int>(failures_.integer(0));
        record.epoch = {static_cast<std::uint64_t>(failures_.integer(1))};
        record.worker = {std::string(failures_.text(2))};
        record.time = wall_time(failures_.integer(3));
        TESSERA_ASSIGN(record.failure, decode_task_failure(failures_.blob(4)));
        failures.push_back(std::move(record));
    }
}

Result<std::vector<JobId>> JobReader::ended_before(WallTime time, int limit) {
    const ResetGuard guard(ended_before_);
    ended_before_.with(to_column(time), limit);
    std::vector<JobId> ids;
    while (true) {
        TESSERA_ASSIGN(const bool is_row, ended_before_.next());
        if (!is_row) {
            return ids;
        }
        ids.push_back({std::string(ended_before_.text(0))});
    }
}

Status JobReader::collect_objects(std::set<std::string>& hashes) {
    const ResetGuard guard(objects_);
    objects_.with();
    while (true) {
        TESSERA_ASSIGN(const bool is_row, objects_.next());
        if (!is_row) {
            return {};
        }
        hashes.emplace(objects_.text(0));
    }
}

}  // namespace tessera
