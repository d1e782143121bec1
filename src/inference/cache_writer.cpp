#include "inference/cache_writer.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tessera {
namespace {

void lower_priority_of_this_thread() {
    constexpr int kLowest = 19;
    constexpr int kOfThread = 1;         // IOPRIO_WHO_PROCESS, which means one thread
    constexpr int kIdleClass = 3 << 13;  // IOPRIO_CLASS_IDLE: the disk only when nobody wants it
    const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
    ::setpriority(PRIO_PROCESS, thread, kLowest);
    ::syscall(SYS_ioprio_set, kOfThread, thread, kIdleClass);
}

}  // namespace

CacheWriter::CacheWriter() : thread_([this] { work(); }) {}

CacheWriter::~CacheWriter() {
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void CacheWriter::add(Job job) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(job));
    }
    changed_.notify_all();
}

void CacheWriter::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !is_busy_ && waiting_.empty(); });
}

void CacheWriter::abandon() {
    std::stop_source current;
    {
        const std::lock_guard lock(mutex_);
        waiting_.clear();
        std::swap(current, abandoned_);
    }
    current.request_stop();
    changed_.notify_all();
}

void CacheWriter::work() {
    lower_priority_of_this_thread();
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return is_closing_ || !waiting_.empty(); });
        if (waiting_.empty()) {
            return;
        }
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        is_busy_ = true;
        const std::stop_token stop = abandoned_.get_token();
        lock.unlock();
        job(stop);
        job = nullptr;  // the model it holds goes before anybody is told that it is done
        lock.lock();
        is_busy_ = false;
        changed_.notify_all();
    }
}

}  // namespace tessera
