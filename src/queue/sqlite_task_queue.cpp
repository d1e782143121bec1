#include "queue/sqlite_task_queue.h"

#include "job/codec.h"
#include "job/shape.h"
#include "queue/backup.h"
#include "queue/sqlite_queue_core_internal.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tessera {
namespace {

constexpr int kMostJobs = 1000;

/// What memory knows, with what only the database has.
void add_results(JobView& view, const JobRecord& record) {
    for (TaskView& task : view.tasks) {
        const auto stored = record.tasks.find(task.id.index);
        if (task.state == TaskState::kDone && stored != record.tasks.end() &&
            stored->second.result) {
            task.result = *stored->second.result;
        }
    }
}

void add_failures(JobView& view, std::map<int, TaskFailure> failures) {
    for (auto& [index, failure] : failures) {
        if (index >= 0 && static_cast<std::size_t>(index) < view.tasks.size()) {
            view.tasks[static_cast<std::size_t>(index)].failure = std::move(failure);
        }
    }
}

JobView stored_view(JobRecord record, const Clock& clock) {
    return view_of(live_job(std::move(record), clock.now(), clock.wall(), Duration::max(), {}));
}

Status check_enqueue(const JobId& id, const JobPlan& plan) {
    TESSERA_TRY(check_shape(TaskId{id, 0}));
    if (plan.tasks.empty()) {
        return fail(ErrorKind::kInvalidArgument, "the plan of job {} has no tasks", id.value);
    }
    return check_shape(plan);
}

}  // namespace

SqliteTaskQueue::SqliteTaskQueue(std::unique_ptr<Core> core) : core_(std::move(core)) {}

SqliteTaskQueue::~SqliteTaskQueue() = default;

Result<std::unique_ptr<SqliteTaskQueue>> SqliteTaskQueue::open(
    SqliteQueueOptions options, const Clock& clock, Entropy& entropy
) {
    TESSERA_ASSIGN(
        Database database, Database::open(options.path, options.checkpoint_pages, options.vfs)
    );
    TESSERA_ASSIGN(const std::uint32_t incarnation, database.next_incarnation());
    TESSERA_ASSIGN(JobWriter writer, JobWriter::prepare(database.connection()));
    TESSERA_ASSIGN(JobReader reader, JobReader::prepare(database.connection()));
    auto book = std::make_unique<TaskBook>(options.retry, incarnation, clock, entropy);
    TESSERA_ASSIGN(const JobNumber last, reader.last_number());
    book->begin_numbers_after(last);
    TESSERA_TRY(reader.each_live([&](JobRecord job) { book->load(std::move(job), options.grace); })
    );
    auto core = std::make_unique<Core>(
        std::move(options),
        clock,
        std::move(database),
        std::move(writer),
        std::move(reader),
        std::move(book),
        incarnation
    );
    return std::unique_ptr<SqliteTaskQueue>(new SqliteTaskQueue(std::move(core)));
}

void SqliteTaskQueue::enqueue(JobId id, JobPlan plan, Done<Enqueued> done, Admission admit) {
    if (auto checked = check_enqueue(id, plan); !checked) {
        core_->ask<Enqueued>(
            [error = std::move(checked).error()]() -> Result<Enqueued> {
                return tl::unexpected(error);
            },
            std::move(done)
        );
        return;
    }
    JobRecord job;
    job.id = std::move(id);
    job.submitted = core_->clock().wall();
    std::string encoded = encode(plan);
    std::string body = body_hash(plan.spec);
    job.plan = std::make_shared<const JobPlan>(std::move(plan));
    core_->ask<Enqueued>(
        [core = core_.get(), job, encoded, body, admit = std::move(admit)] {
            return core->enqueue(job, encoded, body, admit);
        },
        std::move(done)
    );
}

Result<Claim> SqliteTaskQueue::claim(const TaskId& task, const WorkerId& worker, Duration lease) {
    return core_->at_once([&](TaskBook& book) { return book.claim(task, worker, lease); });
}

Result<Claim> SqliteTaskQueue::readopt(
    const TaskId& task, Epoch epoch, const WorkerId& worker, Duration lease
) {
    return core_->at_once([&](TaskBook& book) { return book.readopt(task, epoch, worker, lease); });
}

RenewAnswer SqliteTaskQueue::renew(const Renewal& renewal, Duration lease) {
    return core_->at_once([&](TaskBook& book) { return book.renew(renewal, lease); });
}

Status SqliteTaskQueue::checkpoint(const TaskId& task, Epoch epoch, TaskCheckpoint checkpoint) {
    TESSERA_TRY(check_shape(checkpoint));
    return core_->at_once([&](TaskBook& book) {
        return book.checkpoint(task, epoch, std::move(checkpoint));
    });
}

void SqliteTaskQueue::complete(
    const TaskId& task, Epoch epoch, TaskResult result, Done<void> done
) {
    core_->ask<void>(
        [core = core_.get(), task, epoch, result = std::move(result)]() -> Status {
            TESSERA_TRY(check_shape(result));
            return core->complete(task, epoch, result);
        },
        std::move(done)
    );
}

void SqliteTaskQueue::fail(const TaskId& task, Epoch epoch, TaskFailure failure, Done<void> done) {
    core_->ask<void>(
        [core = core_.get(), task, epoch, failure = std::move(failure)] {
            return core->fail(task, epoch, failure);
        },
        std::move(done)
    );
}

void SqliteTaskQueue::lose_worker(const WorkerId& worker, const std::string& reason) {
    core_->ask<void>(
        [core = core_.get(), worker, reason] { return core->lose_worker(worker, reason); },
        [](const Status& /*done*/) {}
    );
}

void SqliteTaskQueue::cancel(const JobId& job, Done<void> done) {
    core_->ask<void>([core = core_.get(), job] { return core->cancel(job); }, std::move(done));
}

void SqliteTaskQueue::retry(const JobId& job, Done<void> done) {
    core_->ask<void>([core = core_.get(), job] { return core->retry(job); }, std::move(done), job);
}

void SqliteTaskQueue::remove(const JobId& job, Done<void> done) {
    core_->ask<void>([core = core_.get(), job] { return core->remove(job); }, std::move(done), job);
}

std::optional<Instant> SqliteTaskQueue::tick() {
    return core_->tick();
}

std::shared_ptr<void> SqliteTaskQueue::watch(std::function<void(const QueueEvent&)> listener) {
    return core_->watch(std::move(listener));
}

Result<JobView> SqliteTaskQueue::job(const JobId& id) const {
    // Memory first: what it calls done is on the disk already.
    auto live = core_->look([&](const TaskBook& book) { return book.view(id); });
    return core_->readers().with([&](JobReader& reader) -> Result<JobView> {
        TESSERA_ASSIGN(auto record, reader.find(id));
        if (!record) {
            return tessera::fail(ErrorKind::kNotFound, "no job {}", id.value);
        }
        TESSERA_ASSIGN(auto failures, reader.last_failures(record->number));
        JobView view = live ? *std::move(live) : stored_view(*record, core_->clock());
        add_results(view, *record);
        add_failures(view, std::move(failures));
        return view;
    });
}

Result<std::vector<JobView>> SqliteTaskQueue::jobs(const JobFilter& filter) const {
    JobFilter limited = filter;
    limited.limit = std::clamp(filter.limit, 0, kMostJobs);
    auto live = core_->look([&](const TaskBook& book) { return book.views(limited); });
    if (filter.state && !is_final(*filter.state)) {
        return live;
    }
    return core_->readers().with([&](JobReader& reader) -> Result<std::vector<JobView>> {
        TESSERA_ASSIGN(auto records, reader.list(limited));
        std::vector<JobView> views;
        for (JobRecord& record : records) {
            const auto known = std::ranges::find_if(live, [&](const JobView& view) {
                return view.id == record.id;
            });
            views.push_back(
                known == live.end() ? stored_view(std::move(record), core_->clock())
                                    : std::move(*known)
            );
        }
        return views;
    });
}

Result<std::vector<FailedAttempt>> SqliteTaskQueue::failures(const TaskId& task) const {
    return core_->readers().with([&](JobReader& reader) { return reader.failures(task); });
}

Result<std::vector<JobId>> SqliteTaskQueue::ended_before(WallTime time, int limit) const {
    return core_->readers().with([&](JobReader& reader) {
        return reader.ended_before(time, std::max(limit, 0));
    });
}

QueueCounts SqliteTaskQueue::counts(const std::string& tenant) const {
    return core_->look([&](const TaskBook& book) { return book.counts(tenant); });
}

Result<std::vector<std::string>> SqliteTaskQueue::referenced_objects() const {
    std::set<std::string> hashes;
    core_->look([&](const TaskBook& book) { book.collect_objects(hashes); });
    return core_->readers().with([&](JobReader& reader) -> Result<std::vector<std::string>> {
        TESSERA_TRY(reader.collect_objects(hashes));
        return std::vector<std::string>(hashes.begin(), hashes.end());
    });
}

std::uint32_t SqliteTaskQueue::incarnation() const {
    return core_->incarnation();
}

void SqliteTaskQueue::flush() {
    core_->flush();
}

Status SqliteTaskQueue::backup_to(const std::filesystem::path& path) const {
    return backup_queue(core_->options().path, path, core_->options().vfs);
}

}  // namespace tessera
