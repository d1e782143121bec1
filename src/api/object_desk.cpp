#include "api/object_desk.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "job/states.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace tessera::api {
namespace {

constexpr auto kQueuePatience = std::chrono::seconds(60);

Error no_such_object(const std::string& reference) {
    return {
        ErrorKind::kNotFound,
        fmt::format(
            "there is no upload \"{}\"; upload the picture first, or name a picture of a job as "
            "<job>/<unit>",
            reference.substr(0, 80)
        )};
}

/// What the job's tasks have left in the store, and when the last of them ended.
std::pair<std::set<std::string>, WallTime> leavings(const JobView& job) {
    std::set<std::string> hashes;
    WallTime ended = job.ended.value_or(job.submitted);
    for (const TaskView& task : job.tasks) {
        if (task.result) {
            hashes.insert(task.result->object.sha256);
        }
        ended = std::max(ended, task.ended.value_or(ended));
    }
    return {std::move(hashes), ended};
}

}  // namespace

std::filesystem::path ObjectDesk::mark(const std::string& tenant, const std::string& sha256) const {
    return uploads_ / sha256_hex(as_bytes(tenant)).substr(0, 32) / sha256;
}

bool ObjectDesk::is_uploaded(const std::string& sha256) const {
    std::error_code code;
    for (const auto& tenant : std::filesystem::directory_iterator(uploads_, code)) {
        if (std::filesystem::exists(tenant.path() / sha256, code)) {
            return true;
        }
    }
    return false;
}

Result<ObjectInfo> ObjectDesk::upload(
    const std::string& tenant, ByteView bytes, const std::string& media_type
) {
    const std::filesystem::path marked = mark(tenant, sha256_hex(bytes));
    std::error_code code;
    std::filesystem::create_directories(marked.parent_path(), code);
    if (code) {
        return fail(ErrorKind::kUnavailable, "cannot note the upload: {}", code.message());
    }
    // The mark comes first: with it, nobody removes the object.
    if (std::filesystem::exists(marked, code)) {
        const auto now = std::filesystem::file_time_type::clock::now();
        std::filesystem::last_write_time(marked, now, code);
    } else {
        const std::lock_guard lock(mutex_);
        TESSERA_TRY(write_file_atomically(marked, {}));
    }
    return store_.put(bytes, media_type);
}

Result<ObjectInfo> ObjectDesk::store_result(
    const TaskId& task, const std::string& sha256, ByteView bytes, const std::string& media_type
) {
    {
        const std::lock_guard lock(mutex_);
        if (awaiting_.size() >= forget_at_) {
            forget_settled();
        }
        awaiting_[sha256].insert(task);
    }
    TESSERA_ASSIGN(auto writer, store_.create(sha256, bytes.size(), media_type));
    TESSERA_TRY(writer->write(bytes));
    return writer->finish();
}

Result<std::string> ObjectDesk::find(const Caller& caller, const std::string& reference) {
    std::string sha256 = reference;
    if (const auto slash = reference.find('/'); slash != std::string::npos) {
        TESSERA_ASSIGN(const JobView job, find_job(queue_, caller, reference.substr(0, slash)));
        TESSERA_ASSIGN(TaskResult picture, find_picture(job, reference.substr(slash + 1)));
        sha256 = std::move(picture.object.sha256);
    } else {
        std::error_code code;
        const bool is_allowed =
            is_sha256(reference) && (caller.role == Role::kAdmin ||
                                     std::filesystem::exists(mark(caller.tenant, sha256), code));
        if (!is_allowed) {
            return tl::unexpected(no_such_object(reference));
        }
    }
    const std::lock_guard lock(mutex_);
    if (const auto there = store_.touch(sha256); !there) {
        return there.error().kind == ErrorKind::kNotFound
                   ? tl::unexpected(no_such_object(reference))
                   : tl::unexpected(there.error());
    }
    return sha256;
}

Status ObjectDesk::remove_job(const JobId& job) {
    TESSERA_ASSIGN(const JobView view, queue_.job(job));
    const auto outcome = std::make_shared<std::promise<Status>>();
    auto answer = outcome->get_future();
    queue_.remove(job, [outcome](Status status) { outcome->set_value(std::move(status)); });
    if (answer.wait_for(kQueuePatience) != std::future_status::ready) {
        return fail(ErrorKind::kDeadline, "the queue is too busy to delete the job");
    }
    TESSERA_TRY(answer.get());
    auto [hashes, ended] = leavings(view);
    TESSERA_ASSIGN(const auto referenced, queue_.referenced_objects());
    for (const std::string& hash : referenced) {
        hashes.erase(hash);
    }
    for (const std::string& hash : hashes) {
        remove_unless_needed(hash, ended);
    }
    return {};
}

/// Forgets what tasks have stored that have ended since; asks for each job once.
void ObjectDesk::forget_settled() {
    std::map<JobId, std::optional<JobView>> jobs;
    const auto is_settled = [&](const TaskId& task) {
        const auto [at, is_new] = jobs.try_emplace(task.job);
        if (is_new) {
            if (auto job = queue_.job(task.job)) {
                at->second = *std::move(job);
            }
        }
        const auto index = static_cast<std::size_t>(task.index);
        const auto& job = at->second;
        return !job || index >= job->tasks.size() || is_final(job->tasks[index].state);
    };
    for (auto& [sha256, tasks] : awaiting_) {
        std::erase_if(tasks, is_settled);
    }
    std::erase_if(awaiting_, [](const auto& entry) { return entry.second.empty(); });
    forget_at_ = std::max(kRememberedResults, 2 * awaiting_.size());
}

/// Somebody has stored the same bytes and will say so.
bool ObjectDesk::is_awaited(const std::string& sha256) {
    const auto found = awaiting_.find(sha256);
    if (found == awaiting_.end()) {
        return false;
    }
    const bool any = std::ranges::any_of(found->second, [&](const TaskId& task) {
        const auto job = queue_.job(task.job);
        const auto index = static_cast<std::size_t>(task.index);
        return job && index < job->tasks.size() && !is_final(job->tasks[index].state);
    });
    if (!any) {
        awaiting_.erase(found);
    }
    return any;
}

void ObjectDesk::remove_unless_needed(const std::string& sha256, WallTime ended) {
    const std::lock_guard lock(mutex_);
    const auto info = store_.info(sha256);
    if (!info || is_awaited(sha256) || is_uploaded(sha256)) {
        return;
    }
    // Touched since: a job that begins with this picture may be on its way. The sweep comes later.
    const bool may_be_wanted = info->stored > ended && info->stored > clock_.wall() - kSettling;
    if (!may_be_wanted) {
        // What could not be removed is nobody's now, and swept.
        (void)store_.remove(sha256);
    }
}

Result<JobView> find_job(const TaskQueue& queue, const Caller& caller, const std::string& id) {
    auto job = queue.job(JobId{id});
    const bool is_visible =
        job && (caller.role == Role::kAdmin ||
                (!caller.tenant.empty() && job->plan->spec.tenant == caller.tenant));
    if (!is_visible && (job || job.error().kind == ErrorKind::kNotFound)) {
        return fail(ErrorKind::kNotFound, "there is no job {}", id.substr(0, 64));
    }
    return job;
}

Result<TaskResult> find_picture(const JobView& job, std::string_view unit) {
    const auto index = read_number<int>(unit);
    for (const TaskView& task : job.tasks) {
        if (index && task.plan.publishes && task.plan.unit == *index && task.result) {
            return *task.result;
        }
    }
    return fail(
        ErrorKind::kNotFound, "job {} has no picture {} (yet)", job.id.value, unit.substr(0, 16)
    );
}

std::vector<std::string> uploaded_objects(
    const std::filesystem::path& uploads, Duration forget_after
) {
    std::vector<std::string> objects;
    std::error_code code;
    const auto oldest = std::filesystem::file_time_type::clock::now() - forget_after;
    for (const auto& mark : std::filesystem::recursive_directory_iterator(uploads, code)) {
        std::error_code gone;
        if (!mark.is_regular_file(gone)) {
            continue;
        }
        if (mark.last_write_time(gone) < oldest && !gone) {
            std::filesystem::remove(mark.path(), gone);
        } else {
            objects.push_back(mark.path().filename().string());
        }
    }
    return objects;
}

}  // namespace tessera::api
