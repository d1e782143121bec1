// What the writer does for each thing that is asked for.
#include "queue/sqlite_queue_core_internal.h"

#include <utility>

namespace tessera {
namespace {

tl::unexpected<Error> over(const TaskId& id) {
    return fail(ErrorKind::kConflict, "task {} is over", to_string(id));
}

}  // namespace

/// A failure to read within the transaction breaks it.
template <class T>
Result<T> SqliteTaskQueue::Core::read(Result<T> result) {
    if (!result) {
        broken_ = tl::unexpected(result.error());
    }
    return result;
}

Result<Enqueued> SqliteTaskQueue::Core::enqueue(
    JobRecord job, const std::string& plan, const std::string& body_hash, const Admission& admit
) {
    const JobSpec& spec = job.plan->spec;
    if (!spec.idempotency_key.empty()) {
        TESSERA_ASSIGN(
            const auto known, read(writer_.find_by_key(spec.tenant, spec.idempotency_key))
        );
        if (known && known->body_hash != body_hash) {
            return tessera::fail(
                ErrorKind::kConflict,
                "another job ({}) was submitted under the idempotency key '{}'; use a new key for "
                "each job",
                known->id.value,
                spec.idempotency_key
            );
        }
        if (known) {
            return Enqueued{known->id, true};
        }
    }
    TESSERA_ASSIGN(const bool is_there, read(writer_.exists(job.id)));
    if (is_there) {
        return tessera::fail(ErrorKind::kConflict, "job {} is there already", job.id.value);
    }
    if (admit) {
        TESSERA_TRY(admit(look([&](const TaskBook& book) { return book.counts(spec.tenant); })));
    }
    job.number = look([](const TaskBook& book) { return book.next_number(); });
    if (broken_ = writer_.add(job, plan, body_hash); !broken_) {
        return tl::unexpected(broken_.error());
    }
    const JobId id = job.id;
    TESSERA_TRY(apply([&](TaskBook& book) { return book.enqueue(std::move(job)); }));
    return Enqueued{id, false};
}

Status SqliteTaskQueue::Core::complete(const TaskId& id, Epoch epoch, const TaskResult& result) {
    if (look([&](const TaskBook& book) { return book.is_live(id.job); })) {
        return apply([&](TaskBook& book) { return book.complete(id, epoch, result); });
    }
    TESSERA_ASSIGN(const auto stored, read(reader_.task(id)));
    const bool is_same = stored && stored->record.state == TaskState::kDone &&
                         stored->record.epoch == epoch && stored->result &&
                         stored->result->object.sha256 == result.object.sha256;
    return is_same ? Status() : over(id);
}

Status SqliteTaskQueue::Core::fail(const TaskId& id, Epoch epoch, const TaskFailure& failure) {
    if (look([&](const TaskBook& book) { return book.is_live(id.job); })) {
        return apply([&](TaskBook& book) { return book.fail(id, epoch, failure); });
    }
    TESSERA_ASSIGN(const auto stored, read(reader_.task(id)));
    const bool is_same = stored && stored->record.epoch == epoch &&
                         stored->record.attempt_end == AttemptEnd::kReported;
    return is_same ? Status() : over(id);
}

Status SqliteTaskQueue::Core::cancel(const JobId& id) {
    if (look([&](const TaskBook& book) { return book.is_live(id); })) {
        return apply([&](TaskBook& book) { return book.cancel(id); });
    }
    TESSERA_ASSIGN(const auto stored, read(reader_.find(id)));
    if (!stored) {
        return tessera::fail(ErrorKind::kNotFound, "no job {}", id.value);
    }
    if (stored->state != JobState::kCancelled) {
        return tessera::fail(
            ErrorKind::kConflict, "job {} has ended: {}", id.value, to_string(stored->state)
        );
    }
    return {};
}

Status SqliteTaskQueue::Core::retry(const JobId& id) {
    if (look([&](const TaskBook& book) { return book.is_live(id); })) {
        return apply([&](TaskBook& book) { return book.retry(id); });
    }
    TESSERA_ASSIGN(auto stored, read(reader_.find(id)));
    if (!stored) {
        return tessera::fail(ErrorKind::kNotFound, "no job {}", id.value);
    }
    return apply([&](TaskBook& book) { return book.retry(*std::move(stored)); });
}

Status SqliteTaskQueue::Core::remove(const JobId& id) {
    if (look([&](const TaskBook& book) { return book.is_live(id); })) {
        return tessera::fail(
            ErrorKind::kConflict, "job {} has not ended; cancel it first", id.value
        );
    }
    TESSERA_ASSIGN(const auto stored, read(reader_.find(id)));
    if (!stored) {
        return tessera::fail(ErrorKind::kNotFound, "no job {}", id.value);
    }
    if (broken_ = writer_.remove(stored->number); !broken_) {
        return broken_;
    }
    return apply([&](TaskBook& book) -> Status {
        book.note_removed(id, stored->plan->spec.tenant);
        return {};
    });
}

Status SqliteTaskQueue::Core::lose_worker(const WorkerId& worker, const std::string& reason) {
    return apply([&](TaskBook& book) { return book.lose_worker(worker, reason); });
}

Status SqliteTaskQueue::Core::expire() {
    return apply([](TaskBook& book) { return book.expire(); });
}

}  // namespace tessera
