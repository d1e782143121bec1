// A server is killed again and again: whatever it had answered is there afterwards.
#include "queue/conformance_test.h"
#include "queue/sqlite_task_queue.h"
#include "queue/temporary_folder_test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>

namespace tessera {
namespace {

constexpr Duration kLease = std::chrono::seconds(30);

SqliteQueueOptions options_at(const std::filesystem::path& folder) {
    SqliteQueueOptions options;
    options.path = folder / "queue.db";
    options.grace = std::chrono::milliseconds(1);
    return options;
}

void say(int pipe, char what, const JobId& id) {
    const std::string line = what + id.value + "\n";
    std::ignore = ::write(pipe, line.data(), line.size());
}

/// Enqueues and completes until it is killed, and says through the pipe what was answered.
[[noreturn]] void serve(const std::filesystem::path& folder, int pipe) {
    auto queue =
        SqliteTaskQueue::open(options_at(folder), Clock::system(), Entropy::system()).value();
    std::mutex mutex;
    std::vector<TaskId> ready;
    const auto handle = queue->watch([&](const QueueEvent& event) {
        if (event.kind == QueueEvent::Kind::kTaskReady) {
            const std::lock_guard lock(mutex);
            ready.push_back(event.task);
        }
    });
    while (true) {
        for (int i = 0; i < 8; ++i) {
            const JobId id{new_ulid(Clock::system().wall(), Entropy::system())};
            queue->enqueue(id, test_plan(), [pipe, id](const Result<Enqueued>& done) {
                if (done) {
                    say(pipe, '+', id);
                }
            });
        }
        queue->tick();
        queue->flush();
        std::vector<TaskId> tasks;
        {
            const std::lock_guard lock(mutex);
            tasks.swap(ready);
        }
        for (std::size_t i = 0; i < tasks.size(); i += 2) {
            if (const auto claim = queue->claim(tasks[i], {"w1"}, kLease)) {
                queue->complete(
                    tasks[i],
                    claim->epoch,
                    test_result(),
                    [pipe, id = tasks[i].job](const Status& done) {
                        if (done) {
                            say(pipe, '!', id);
                        }
                    }
                );
            }
        }
    }
}

TEST(KilledServer, KeepsWhatItHadAnswered) {
    const TemporaryFolder folder;
    std::set<std::string> enqueued;
    std::set<std::string> done;
    for (int kill = 0; kill < 10; ++kill) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            serve(folder.path(), ends[1]);
        }
        ::close(ends[1]);
        // It dies in the middle of something, at a different moment each time.
        const std::size_t enough = enqueued.size() + 20 + static_cast<std::size_t>(kill) * 7;
        std::string heard;
        std::array<char, 4096> buffer{};
        bool is_killed = false;
        while (true) {
            const ssize_t size = ::read(ends[0], buffer.data(), buffer.size());
            if (size <= 0) {
                break;
            }
            heard.append(buffer.data(), static_cast<std::size_t>(size));
            for (auto end = heard.find('\n'); end != std::string::npos; end = heard.find('\n')) {
                (heard[0] == '+' ? enqueued : done).insert(heard.substr(1, end - 1));
                heard.erase(0, end + 1);
            }
            if (!is_killed && enqueued.size() >= enough) {
                is_killed = true;
                ::kill(child, SIGKILL);
            }
        }
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;

        auto queue =
            SqliteTaskQueue::open(options_at(folder.path()), Clock::system(), Entropy::system())
                .value();
        for (const std::string& id : enqueued) {
            const auto job = queue->job({id});
            ASSERT_TRUE(job) << "lost";
            if (done.contains(id)) {
                ASSERT_EQ(job->state, JobState::kDone) << "undone";
            }
        }
    }
    EXPECT_GT(enqueued.size(), 200U);
    EXPECT_GT(done.size(), 20U);
}

}  // namespace
}  // namespace tessera
