// The queue alone, in process: submit, claim, complete, with full durability, beside what the disk
// can do in the same minute. Usage: queue_bench FOLDER [seconds]
#include "queue/sqlite_task_queue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

constexpr Duration kLease = std::chrono::seconds(30);

double now() {
    return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Appends of a page, each followed by fdatasync: what a commit waits for at least.
double syncs_per_second(const fs::path& folder, double seconds) {
    const fs::path path = folder / "sync.probe";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return 0.0;
    }
    std::array<char, 4096> page{};
    const double begin = now();
    int syncs = 0;
    for (; now() - begin < seconds; ++syncs) {
        if (::pwrite(file, page.data(), page.size(), 4096L * syncs) < 0 || ::fdatasync(file) != 0) {
            break;
        }
    }
    const double rate = syncs / (now() - begin);
    ::close(file);
    fs::remove(path);
    return rate;
}

/// A plan as the planner makes it: one picture, with a recipe of 1.5 kB.
JobPlan picture_plan() {
    JobPlan plan;
    plan.spec.tenant = "bench";
    plan.spec.render.prompt =
        "a beautiful landscape, snowy mountains under a purple sunset sky, 35 mm photograph";
    plan.recipe = std::string(1500, 'r');
    plan.affinity = "demo:0123456789abcdef";
    plan.units.resize(1);
    TaskPlan task;
    task.cost = 5.0;
    task.publishes = true;
    plan.tasks.push_back(task);
    return plan;
}

TaskResult picture_result() {
    TaskResult result;
    result.object = {std::string(64, 'a'), 400'000, "image/png"};
    result.fingerprint = std::string(32, 'f');
    result.times = {{"text", 0.01}, {"steps", 0.5}, {"decoding", 0.1}};
    result.recipe = std::string(1500, 'r');
    result.width = 512;
    result.height = 512;
    return result;
}

/// Keeps a number of jobs in flight: each is claimed when it is ready, completed when it is
/// claimed, and followed by a new one when it is done.
class Load {
  public:
    Load(SqliteTaskQueue& queue, int in_flight) : queue_(queue), in_flight_(in_flight) {}

    double run(double seconds) {
        const auto handle = queue_.watch([this](const QueueEvent& event) { hear(event); });
        for (int i = 0; i < in_flight_; ++i) {
            submit();
        }
        const double begin = now();
        std::unique_lock lock(mutex_);
        while (now() - begin < seconds) {
            changed_.wait_for(lock, std::chrono::milliseconds(100), [this] {
                return !ready_.empty() || to_submit_ > 0;
            });
            std::deque<TaskId> ready;
            ready.swap(ready_);
            const int submits = std::exchange(to_submit_, 0);
            lock.unlock();
            for (const TaskId& task : ready) {
                serve(task);
            }
            for (int i = 0; i < submits; ++i) {
                submit();
            }
            lock.lock();
        }
        const double rate = static_cast<double>(done_) / (now() - begin);
        lock.unlock();
        queue_.flush();
        return rate;
    }

  private:
    void hear(const QueueEvent& event) {
        const std::lock_guard lock(mutex_);
        if (event.kind == QueueEvent::Kind::kTaskReady) {
            ready_.push_back(event.task);
        } else if (event.kind == QueueEvent::Kind::kJobEnded) {
            ++done_;
            ++to_submit_;
        } else {
            return;
        }
        changed_.notify_one();
    }
    void submit() {
        const JobId id{new_ulid(Clock::system().wall(), Entropy::system())};
        queue_.enqueue(id, plan_, [](const Result<Enqueued>& done) { check(done.has_value()); });
    }
    void serve(const TaskId& task) {
        const auto claim = queue_.claim(task, {"bench-worker"}, kLease);
        check(claim.has_value());
        queue_.complete(task, claim->epoch, result_, [](const Status& done) {
            check(done.has_value());
        });
    }
    static void check(bool is_fine) {
        if (!is_fine) {
            fmt::print(stderr, "the queue refused\n");
            std::abort();
        }
    }

    SqliteTaskQueue& queue_;
    int in_flight_;
    JobPlan plan_ = picture_plan();
    TaskResult result_ = picture_result();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<TaskId> ready_;
    int to_submit_ = 0;
    long done_ = 0;
};

int bench(const fs::path& folder, double seconds) {
    fs::create_directories(folder);
    for (const int in_flight : {1, 16, 256}) {
        for (const char* const suffix : {"", "-wal", "-shm", ".owner"}) {
            fs::remove(folder / (std::string("queue.db") + suffix));
        }
        const double syncs = syncs_per_second(folder, 1.0);
        SqliteQueueOptions options;
        options.path = folder / "queue.db";
        auto queue = SqliteTaskQueue::open(options, Clock::system(), Entropy::system());
        if (!queue) {
            fmt::print(stderr, "{}\n", queue.error().message);
            return 1;
        }
        const double cpu = cpu_seconds();
        const double begin = now();
        const double rate = Load(**queue, in_flight).run(seconds);
        const double cpu_per_task = (cpu_seconds() - cpu) / (rate * (now() - begin));
        fmt::print(
            "  {:>4} in flight: {:>8.0f} tasks/s, {:>5.1f} us of processor each; {:>6.0f} "
            "fdatasync/s beside it\n",
            in_flight,
            rate,
            cpu_per_task * 1e6,
            syncs
        );
    }
    return 0;
}

/// A backlog as after a bad day: how long until a restarted server can hand it out.
int bench_restart(const fs::path& folder, int jobs) {
    SqliteQueueOptions options;
    options.path = folder / "backlog.db";
    for (const char* const suffix : {"", "-wal", "-shm", ".owner"}) {
        fs::remove(folder / (std::string("backlog.db") + suffix));
    }
    {
        auto queue = SqliteTaskQueue::open(options, Clock::system(), Entropy::system()).value();
        const JobPlan plan = picture_plan();
        for (int i = 0; i < jobs; ++i) {
            const JobId id{new_ulid(Clock::system().wall(), Entropy::system())};
            queue->enqueue(id, plan, [](const Result<Enqueued>& /*done*/) {});
        }
        queue->flush();
    }
    const double begin = now();
    auto queue = SqliteTaskQueue::open(options, Clock::system(), Entropy::system()).value();
    fmt::print(
        "  {} queued tasks: open again after {:.2f} s, {} ready\n",
        jobs,
        now() - begin,
        queue->counts("").ready
    );
    return 0;
}

}  // namespace
}  // namespace tessera

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: {} FOLDER [seconds]\n", argv[0]);
        return 2;
    }
    const double seconds = argc > 2 ? std::atof(argv[2]) : 5.0;
    const int failed = tessera::bench(argv[1], seconds);
    return failed != 0 ? failed : tessera::bench_restart(argv[1], 100'000);
}
