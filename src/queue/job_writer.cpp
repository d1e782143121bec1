#include "job/codec.h"
#include "queue/job_columns_internal.h"
#include "queue/job_writer_internal.h"

#include <utility>
#include <variant>

namespace tessera {
namespace {

constexpr int kKeptFailures = 5;

std::optional<std::string_view> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

}  // namespace

Result<JobWriter> JobWriter::prepare(sqlite3* connection) {
    JobWriter writer;
    const std::pair<Statement*, std::string_view> statements[] = {
        {&writer.add_job_,
         "INSERT INTO job (number, id, tenant, state, submitted, idempotency_key, body_hash,"
         " client_tag, init, mask, plan) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&writer.change_job_, "UPDATE job SET state=?, started=?, ended=? WHERE number=?"},
        {&writer.remove_job_, "DELETE FROM job WHERE number=?"},
        {&writer.find_job_, "SELECT 1 FROM job WHERE id=?"},
        {&writer.find_key_, "SELECT id, body_hash FROM job WHERE tenant=? AND idempotency_key=?"},
        {&writer.put_task_,
         "REPLACE INTO task (job, number, state, epoch, attempt_end, attempts, own_failures,"
         " infrastructure_losses, worker, failed_on, started, ended, pause_ends, checkpoint,"
         " checkpoint_object) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&writer.put_result_,
         "REPLACE INTO result (job, task, object, result) VALUES (?, ?, ?, ?)"},
        {&writer.add_failure_,
         "INSERT INTO failure (job, task, number, attempt, epoch, worker, time, failure)"
         " SELECT ?1, ?2, COALESCE(MAX(number), 0) + 1, ?3, ?4, ?5, ?6, ?7 FROM failure"
         " WHERE job=?1 AND task=?2"},
        {&writer.trim_failures_,
         "DELETE FROM failure WHERE job=?1 AND task=?2 AND number <="
         " (SELECT MAX(number) FROM failure WHERE job=?1 AND task=?2) - ?3"},
    };
    for (const auto& [statement, sql] : statements) {
        TESSERA_ASSIGN(*statement, Statement::prepare(connection, sql));
    }
    return writer;
}

Status JobWriter::add(const JobRecord& job, std::string_view plan, const std::string& body_hash) {
    const JobSpec& spec = job.plan->spec;
    return add_job_
        .with(
            job.number,
            job.id.value,
            spec.tenant,
            to_column(job.state),
            to_column(job.submitted),
            unless_empty(spec.idempotency_key),
            body_hash,
            unless_empty(spec.client_tag),
            unless_empty(spec.init),
            unless_empty(spec.mask),
            Blob{plan}
        )
        .run();
}

Status JobWriter::write(const Change& change) {
    return std::visit([this](const auto& one) { return write(one); }, change);
}

Status JobWriter::write(const JobChanged& change) {
    return change_job_
        .with(
            to_column(change.state),
            to_column(change.started),
            to_column(change.ended),
            change.number
        )
        .run();
}

Status JobWriter::write(const TaskChanged& change) {
    const TaskRecord& record = change.record;
    const std::string failed_on = encode_workers(record.failed_on);
    const std::string checkpoint = record.checkpoint ? encode(*record.checkpoint) : std::string();
    const auto checkpoint_blob = record.checkpoint ? std::optional(Blob{checkpoint}) : std::nullopt;
    const auto checkpoint_object =
        record.checkpoint ? std::optional<std::string_view>(record.checkpoint->object.sha256)
                          : std::nullopt;
    return put_task_
        .with(
            change.job,
            change.task,
            to_column(record.state),
            static_cast<std::int64_t>(record.epoch.value),
            to_column(record.attempt_end),
            record.attempts,
            record.own_failures,
            record.infrastructure_losses,
            record.worker.value,
            Blob{failed_on},
            to_column(record.started),
            to_column(record.ended),
            to_column(record.pause_ends),
            checkpoint_blob,
            checkpoint_object
        )
        .run();
}

Status JobWriter::write(const ResultAdded& change) {
    const std::string result = encode(*change.result);
    return put_result_.with(change.job, change.task, change.result->object.sha256, Blob{result})
        .run();
}

Status JobWriter::write(const FailureAdded& change) {
    const FailedAttempt& record = change.record;
    const std::string failure = encode(record.failure);
    TESSERA_TRY(add_failure_
                    .with(
                        change.job,
                        change.task,
                        record.attempt,
                        static_cast<std::int64_t>(record.epoch.value),
                        record.worker.value,
                        to_column(record.time),
                        Blob{failure}
                    )
                    .run());
    return trim_failures_.with(change.job, change.task, kKeptFailures).run();
}

Status JobWriter::remove(JobNumber job) {
    return remove_job_.with(job).run();
}

Result<bool> JobWriter::exists(const JobId& id) {
    const ResetGuard guard(find_job_);
    return find_job_.with(id.value).next();
}

Result<std::optional<KnownJob>> JobWriter::find_by_key(
    const std::string& tenant, const std::string& key
) {
    const ResetGuard guard(find_key_);
    TESSERA_ASSIGN(const bool is_there, find_key_.with(tenant, key).next());
    if (!is_there) {
        return std::nullopt;
    }
    return KnownJob{{std::string(find_key_.text(0))}, std::string(find_key_.text(1))};
}

}  // namespace tessera
