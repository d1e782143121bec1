#pragma once

#include "api/keys.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "queue/task_queue.h"
#include "storage/object_store.h"

#include <filesystem>
#include <functional>
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
    /// What a task needs: an input, or the checkpoint that it goes on from.
    [[nodiscard]] Result<Bytes> read_input(const TaskId& task, const std::string& sha256);

    /// The hash of what a request refers to: that of an upload of the caller's, or "<job>/<unit>"
    /// for a picture of its jobs. kNotFound, too, for what is somebody else's. The object is safe
    /// from sweeps for long enough to submit a job.
    [[nodiscard]] Result<std::string> find(const Caller& caller, const std::string& reference);

    /// Forgets an ended job. The next `tidy` removes what only it referred to. Blocks on the queue.
    /// kNotFound; kConflict while it has not ended.
    [[nodiscard]] Status forget_job(const JobId& job);
    /// Removes what tasks that have ended and forgotten jobs leave behind, checkpoints above all,
    /// unless somebody refers to it or is about to: that waits for the next time. Reads every
    /// reference of the queue's when there is anything.
    [[nodiscard]] Status tidy();
    /// For every event of the queue's: `tidy` learns from it which tasks have ended.
    void hear(const QueueEvent& event);

  private:
    static constexpr std::size_t kRememberedObjects = 10'000;

    [[nodiscard]] std::filesystem::path mark(const std::string& tenant, const std::string& sha256)
        const;
    [[nodiscard]] bool is_uploaded(const std::string& sha256) const;
    void take_in_hand(const TaskId& task, const std::string& sha256);
    void let_go(const std::function<bool(const TaskId&)>& is_over);
    [[nodiscard]] bool is_in_hand(const std::string& sha256);
    [[nodiscard]] std::set<std::string> take_leftovers();
    void remove_unless_needed(const std::string& sha256);

    TaskQueue& queue_;
    ObjectStore& store_;
    const Clock& clock_;
    const std::filesystem::path uploads_;

    std::mutex tidying_;  // by one thread at a time
    std::mutex mutex_;    // guards what follows, and removing against beginning to store
    /// Tasks that have stored or read an object and have perhaps not ended.
    std::map<std::string, std::set<TaskId>> in_hand_;
    std::size_t forget_at_ = kRememberedObjects;
    /// What `find` has named, and when: a job that refers to it may be on its way.
    std::map<std::string, Instant> wanted_;
    /// Perhaps nobody's.
    std::set<std::string> leftovers_;

    std::mutex news_;  // guards what follows
    /// Tasks that have ended since the last `tidy`, with their results' hashes.
    std::map<TaskId, std::string> ended_;
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
