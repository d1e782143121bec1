#pragma once

#include "api/keys.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "queue/task_queue.h"
#include "storage/object_store.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

/// What the API does with stored objects: who may refer to which, and which go when a job goes.
/// Objects are shared by content, so nothing else may remove them while the farm runs, but for a
/// sweep with a grace of at least kSettling.
///
/// Who uploaded what stands in a folder of empty files, <hash of the tenant's name>/<hash of the
/// object>: a mark is durable before the upload is answered. Thread-safe.
class ObjectDesk {
  public:
    /// So long a stored object may wait for the job that refers to it.
    static constexpr Duration kSettling = std::chrono::minutes(10);

    ObjectDesk(
        TaskQueue& queue, ObjectStore& store, const Clock& clock, std::filesystem::path uploads
    )
        : queue_(queue), store_(store), clock_(clock), uploads_(std::move(uploads)) {}

    /// Stores bytes that the tenant may refer to from now on, and that are kept while it does.
    [[nodiscard]] Result<ObjectInfo> upload(
        const std::string& tenant, ByteView bytes, const std::string& media_type
    );
    /// Stores what a task has made. kCorrupt when the bytes have another hash.
    [[nodiscard]] Result<ObjectInfo> store_result(
        const TaskId& task, const std::string& sha256, ByteView bytes, const std::string& media_type
    );

    /// The hash of what a request refers to: that of an upload of the caller's, or "<job>/<unit>"
    /// for a picture of its jobs. kNotFound, too, for what is somebody else's. The object is safe
    /// from sweeps for long enough to submit a job.
    [[nodiscard]] Result<std::string> find(const Caller& caller, const std::string& reference);

    /// Forgets an ended job, and removes what it made and nobody else refers to. Blocks on the
    /// queue. kNotFound; kConflict while it has not ended.
    [[nodiscard]] Status remove_job(const JobId& job);

  private:
    static constexpr std::size_t kRememberedResults = 10'000;

    [[nodiscard]] std::filesystem::path mark(const std::string& tenant, const std::string& sha256)
        const;
    [[nodiscard]] bool is_uploaded(const std::string& sha256) const;
    void forget_settled();
    [[nodiscard]] bool is_awaited(const std::string& sha256);
    void remove_unless_needed(const std::string& sha256, WallTime ended);

    TaskQueue& queue_;
    ObjectStore& store_;
    const Clock& clock_;
    const std::filesystem::path uploads_;

    std::mutex mutex_;  // guards what follows, and removing against beginning to store
    /// Tasks that have stored an object and have perhaps not said yet that it is their result.
    std::map<std::string, std::set<TaskId>> awaiting_;
    std::size_t forget_at_ = kRememberedResults;
};

/// What tenants have uploaded and a sweep must leave alone. Marks older than `forget_after` are
/// removed and their objects not named; `uploads` as in ObjectDesk.
[[nodiscard]] std::vector<std::string> uploaded_objects(
    const std::filesystem::path& uploads, Duration forget_after
);

/// The job, if it is the caller's or the caller is an administrator; else kNotFound.
[[nodiscard]] Result<JobView> find_job(
    const TaskQueue& queue, const Caller& caller, const std::string& id
);

/// The committed picture of a unit; kNotFound when there is none yet, or never will be.
[[nodiscard]] Result<TaskResult> find_picture(const JobView& job, std::string_view unit);

}  // namespace tessera::api
