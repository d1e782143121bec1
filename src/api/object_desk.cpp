#include "api/object_desk.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "job/states.h"

#include <algorithm>
#include <functional>
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

/// What the job refers to in the store.
std::set<std::string> references(const JobView& job) {
    std::set<std::string> hashes{job.plan->spec.init, job.plan->spec.mask};
    for (const TaskView& task : job.tasks) {
        if (task.result) {
            hashes.insert(task.result->object.sha256);
        }
    }
    hashes.erase("");
    return hashes;
}

/// Which tasks have ended; asks for each job once.
class Endings {
  public:
    explicit Endings(const TaskQueue& queue) : queue_(queue) {}

    [[nodiscard]] bool has_ended(const TaskId& task) {
        const auto [at, is_new] = jobs_.try_emplace(task.job);
        if (is_new) {
            if (auto job = queue_.job(task.job)) {
                at->second = *std::move(job);
            }
        }
        const auto index = static_cast<std::size_t>(task.index);
        const auto& job = at->second;
        return !job || index >= job->tasks.size() || is_final(job->tasks[index].state);
    }

  private:
    const TaskQueue& queue_;
    std::map<JobId, std::optional<JobView>> jobs_;
};

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
    take_in_hand(task, sha256);
    TESSERA_ASSIGN(auto writer, store_.create(sha256, bytes.size(), media_type));
    TESSERA_TRY(writer->write(bytes));
    return writer->finish();
}

Result<Bytes> ObjectDesk::read_input(const TaskId& task, const std::string& sha256) {
    take_in_hand(task, sha256);
    return store_.get(sha256);
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
    wanted_[sha256] = clock_.now();
    return sha256;
}

Status ObjectDesk::forget_job(const JobId& job) {
    TESSERA_ASSIGN(const JobView view, queue_.job(job));
    const auto outcome = std::make_shared<std::promise<Status>>();
    auto answer = outcome->get_future();
    queue_.remove(job, [outcome](Status status) { outcome->set_value(std::move(status)); });
    if (answer.wait_for(kQueuePatience) != std::future_status::ready) {
        return fail(ErrorKind::kDeadline, "the queue is too busy to delete the job");
    }
    TESSERA_TRY(answer.get());
    const std::lock_guard lock(mutex_);
    leftovers_.merge(references(view));
    let_go([&job](const TaskId& task) { return task.job == job; });
    return {};
}

Status ObjectDesk::tidy() {
    const std::lock_guard alone(tidying_);
    std::set<std::string> left = take_leftovers();
    if (left.empty()) {
        return {};
    }
    auto referenced = queue_.referenced_objects();
    if (!referenced) {
        const std::lock_guard lock(mutex_);
        leftovers_.merge(left);
        return tl::unexpected(std::move(referenced).error());
    }
    for (const std::string& hash : *referenced) {
        left.erase(hash);  // what refers to it names it again when it goes
    }
    for (const std::string& hash : left) {
        remove_unless_needed(hash);
    }
    return {};
}

void ObjectDesk::hear(const QueueEvent& event) {
    using enum QueueEvent::Kind;
    if (event.kind == kTaskDone || event.kind == kTaskDead || event.kind == kTaskCancelled) {
        const std::lock_guard lock(news_);
        ended_[event.task] = event.result ? event.result->object.sha256 : "";
    }
}

void ObjectDesk::take_in_hand(const TaskId& task, const std::string& sha256) {
    const std::lock_guard lock(mutex_);
    if (in_hand_.size() >= forget_at_) {
        // Of tasks whose end was not heard, or that went on after it.
        let_go([endings = Endings(queue_)](const TaskId& holder) mutable {
            return endings.has_ended(holder);
        });
        forget_at_ = std::max(kRememberedObjects, 2 * in_hand_.size());
    }
    in_hand_[sha256].insert(task);
}

/// Takes objects out of the hands of such tasks. With the lock held.
void ObjectDesk::let_go(const std::function<bool(const TaskId&)>& is_over) {
    for (auto& [sha256, tasks] : in_hand_) {
        if (std::erase_if(tasks, std::cref(is_over)) > 0) {
            leftovers_.insert(sha256);
        }
    }
    std::erase_if(in_hand_, [](const auto& entry) { return entry.second.empty(); });
}

/// A task that has not ended has it, and may say yet that it is its result. With the lock held.
bool ObjectDesk::is_in_hand(const std::string& sha256) {
    const auto found = in_hand_.find(sha256);
    if (found == in_hand_.end()) {
        return false;
    }
    Endings endings(queue_);
    std::erase_if(found->second, [&](const TaskId& task) { return endings.has_ended(task); });
    if (!found->second.empty()) {
        return true;
    }
    in_hand_.erase(found);
    return false;
}

/// What no task has in hand: whatever its tasks refer to stands in the queue by now.
std::set<std::string> ObjectDesk::take_leftovers() {
    std::map<TaskId, std::string> ended;
    {
        const std::lock_guard lock(news_);
        ended.swap(ended_);
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(wanted_, [now = clock_.now()](const auto& entry) {
        return now - entry.second > kSettling;
    });
    for (const auto& [task, result] : ended) {
        if (const auto found = in_hand_.find(result); found != in_hand_.end()) {
            found->second.erase(task);  // its job refers to it, and names it when it goes
        }
    }
    // One that was retried has another end before it.
    let_go([&ended, endings = Endings(queue_)](const TaskId& task) mutable {
        return ended.contains(task) && endings.has_ended(task);
    });
    std::set<std::string> left = std::exchange(leftovers_, {});
    std::erase_if(left, [this](const std::string& sha256) { return is_in_hand(sha256); });
    return left;
}

void ObjectDesk::remove_unless_needed(const std::string& sha256) {
    const std::lock_guard lock(mutex_);
    if (in_hand_.contains(sha256) || wanted_.contains(sha256)) {
        leftovers_.insert(sha256);  // since the references were read, perhaps: so not now
    } else if (!is_uploaded(sha256)) {
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
