#include "worker/supervisor.h"

#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

namespace tessera {
namespace {

bool is_crash(int signal) {
    constexpr std::array kCrashes{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS};
    return std::find(kCrashes.begin(), kCrashes.end(), signal) != kCrashes.end();
}

/// For posix_spawn: they live as long as the texts.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
    std::vector<std::string> settings;
    for (char** own = environ; *own != nullptr; ++own) {
        const std::string setting = *own;
        if (!more.contains(setting.substr(0, setting.find('=')))) {
            settings.push_back(setting);
        }
    }
    for (const auto& [name, value] : more) {
        settings.push_back(fmt::format("{}={}", name, value));
    }
    return settings;
}

Result<pid_t> spawn(
    const std::vector<std::string>& command, const std::map<std::string, std::string>& environment
) {
    const std::vector<std::string> settings = environment_with(environment);
    // Signals are blocked in the threads of this process; the child starts with a clean slate.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    // Ctrl-C in a terminal reaches us alone; what it means for a child is for us to say.
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    );
    pid_t child = 0;
    const int error = posix_spawn(
        &child,
        command.front().c_str(),
        nullptr,
        &attributes,
        pointers_to(command).data(),
        pointers_to(settings).data()
    );
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return fail(
            ErrorKind::kInternal, "cannot start {}: {}", command.front(), errno_text(error)
        );
    }
    return child;
}

/// One of the places for a process, with a thread of its own.
class ProcessKeeper {
  public:
    ProcessKeeper(const SupervisorOptions& options, int number, std::function<void(Error)> give_up)
        : options_(options), number_(number), give_up_(std::move(give_up)) {}

    void run() {
        ProcessStart start{number_, options_.new_worker(), {}, {}};
        Duration pause{};
        while (true) {
            const auto begun = std::chrono::steady_clock::now();
            const auto status = live(start);
            if (!status) {
                return;
            }
            const auto lived = std::chrono::steady_clock::now() - begun;
            std::string crash;
            if (!judge(start, *status, crash)) {
                return;
            }
            pause = lived >= options_.steady_after
                        ? Duration::zero()
                        : std::clamp(pause * 2, options_.first_pause, options_.longest_pause);
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, pause, [&] { return draining_; })) {
                return;
            }
            lock.unlock();
            start = {number_, options_.new_worker(), start.worker, std::move(crash)};
        }
    }

    void drain() {
        const std::lock_guard lock(mutex_);
        draining_ = true;
        signal_child(SIGTERM);
        changed_.notify_all();
    }
    void kill() {
        const std::lock_guard lock(mutex_);
        signal_child(SIGKILL);
    }

  private:
    /// Starts a process and waits for its end; nothing when none is wanted any more.
    std::optional<int> live(const ProcessStart& start) {
        pid_t child = 0;
        {
            const std::lock_guard lock(mutex_);
            if (draining_) {
                return std::nullopt;
            }
            auto spawned = spawn(options_.command(start), options_.environment);
            if (!spawned) {
                give_up_(std::move(spawned).error());
                return std::nullopt;
            }
            child = child_ = *spawned;
        }
        // Wait without reaping, so that the number stays this child's while it may be signalled.
        siginfo_t info{};
        while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0 &&
               errno == EINTR) {
        }
        const std::lock_guard lock(mutex_);
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        child_ = 0;
        return status;
    }

    /// Whether to start another; tells what happened.
    bool judge(const ProcessStart& start, int status, std::string& crash) {
        const std::lock_guard lock(mutex_);
        if (WIFSIGNALED(status)) {
            const std::string how =
                fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
            options_.say(fmt::format("worker process {} ended by {}", number_, how));
            if (is_crash(WTERMSIG(status))) {
                crash = how;
            }
            return !draining_;
        }
        const int code = WEXITSTATUS(status);
        if (code == static_cast<int>(WorkerExit::kRefused)) {
            give_up_({ErrorKind::kUnavailable, "the server refuses this worker"});
            return false;
        }
        // One that takes another's place may fail for lack of memory, and not the next time.
        const bool is_first = start.predecessor.value.empty();
        const bool cannot_start = code == static_cast<int>(WorkerExit::kFailed) ||
                                  code == static_cast<int>(WorkerExit::kWrongUse);
        if (is_first && cannot_start) {
            give_up_({ErrorKind::kInternal, "a worker process could not start; see above"});
            return false;
        }
        if (code != static_cast<int>(WorkerExit::kLeft)) {
            options_.say(fmt::format("worker process {} ended with code {}", number_, code));
        }
        return !draining_;
    }

    void signal_child(int signal) const {
        if (child_ > 0) {
            ::kill(child_, signal);
        }
    }

    const SupervisorOptions& options_;
    const int number_;
    const std::function<void(Error)> give_up_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    pid_t child_ = 0;
    bool draining_ = false;
};

}  // namespace

Status supervise(
    const SupervisorOptions& options, const std::stop_token& drain, const std::stop_token& abandon
) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::optional<Error> failure;
    int alive = options.processes;
    std::vector<std::unique_ptr<ProcessKeeper>> keepers;
    for (int number = 0; number < options.processes; ++number) {
        keepers.push_back(std::make_unique<ProcessKeeper>(options, number, [&](Error error) {
            const std::lock_guard lock(mutex);
            failure = std::move(error);
            changed.notify_all();
        }));
    }
    std::vector<std::jthread> threads;
    for (const auto& keeper : keepers) {
        threads.emplace_back([&, place = keeper.get()] {
            place->run();
            const std::lock_guard lock(mutex);
            --alive;
            changed.notify_all();
        });
    }
    const auto drain_all = [&] {
        for (const auto& keeper : keepers) {
            keeper->drain();
        }
    };
    std::unique_lock lock(mutex);
    changed.wait(lock, drain, [&] { return alive == 0 || failure; });
    lock.unlock();
    drain_all();
    lock.lock();
    changed.wait_for(lock, abandon, options.drain_timeout, [&] { return alive == 0; });
    if (alive > 0) {
        lock.unlock();
        drain_all();
        lock.lock();
        changed.wait_for(lock, options.last_grace, [&] { return alive == 0; });
        lock.unlock();
        for (const auto& keeper : keepers) {
            keeper->kill();
        }
        lock.lock();
        changed.wait(lock, [&] { return alive == 0; });
    }
    lock.unlock();
    threads.clear();
    return failure ? Status(tl::unexpected(*std::move(failure))) : Status();
}

}  // namespace tessera
