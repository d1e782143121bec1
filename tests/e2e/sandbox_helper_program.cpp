// A program that SandboxedDecoder can run in place of the real helper: the same, or one that a
// picture has taken over, in the way that its argument names.
#include "imaging/sandbox.h"
#include "imaging/sandbox_helper.h"
#include "imaging/sandbox_protocol.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <vector>

/// What AddressSanitizer is asked, where there is one: memory that is refused is no crash.
extern "C" const char* __asan_default_options();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
    return "allocator_may_return_null=1";
}

namespace {

using namespace tessera;

constexpr int kDone = 0;
constexpr int kFailed = 1;

void say(std::span<const std::byte> bytes) {
    [[maybe_unused]] const auto count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
}

template <class T>
void say_value(const T& value) {
    say(std::as_bytes(std::span(&value, 1)));
}

int answer(std::uint32_t verdict, int width, int height, int channels, std::size_t pixel_bytes) {
    say_value(HelperAnswer{verdict, width, height, channels});
    say(std::vector<std::byte>(pixel_bytes, std::byte{7}));
    return kDone;
}

int answer_whole() {
    return answer(HelperAnswer::kDecoded, 2, 2, 3, 12);
}

/// Where a call that is to kill has come back, with success or not.
int survive(long) {
    return answer_whole();
}

int loop() {
    const volatile bool is_endless = true;
    while (is_endless) {
    }
    return answer_whole();
}

[[noreturn]] int wait_for_ever() {
    int never = 0;
    while (true) {
        ::syscall(SYS_futex, &never, 0 /* FUTEX_WAIT */, 0, nullptr, nullptr, 0);
    }
}

int take_all_memory() {
    constexpr std::size_t kBlock = std::size_t{1} << 20U;
    constexpr int kPlenty = 1024;
    for (int block = 0; block < kPlenty; ++block) {
        void* memory =
            ::mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            return kHelperOutOfMemory;
        }
    }
    return answer_whole();
}

std::uint8_t count_open_files() {
    DIR* folder = ::opendir("/proc/self/fd");
    int count = -3;  // ".", "..", and the folder itself
    while (::readdir(folder) != nullptr) {
        ++count;
    }
    ::closedir(folder);
    return static_cast<std::uint8_t>(count);
}

/// A picture of what this process has been given.
int show_inheritance() {
    int settings = 0;
    for (char** setting = environ; *setting != nullptr; ++setting) {
        ++settings;
    }
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
    const bool is_alone = ::getsid(0) == ::getpid();
    const bool is_blocked = ::sigismember(&blocked, SIGINT) == 1;
    say_value(HelperGreeting{});
    say_value(HelperAnswer{HelperAnswer::kDecoded, 1, 1, 4});
    say_value(std::uint32_t{
        count_open_files() | static_cast<std::uint32_t>(settings) << 8U |
        static_cast<std::uint32_t>(is_alone) << 16U | static_cast<std::uint32_t>(is_blocked) << 24U}
    );
    return kDone;
}

/// The input cannot be changed, nor made larger.
int rewrite_input() {
    say_value(HelperGreeting{});
    const bool is_written = ::pwrite(STDIN_FILENO, "x", 1, 0) == 1;
    const bool is_grown = ::ftruncate(STDIN_FILENO, 1 << 20) == 0;
    return is_written || is_grown ? kFailed : answer_whole();
}

/// As in a container that forbids filters.
int serve_without_seccomp() {
    scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
    const int failed = ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) |
                       ::seccomp_rule_add(
                           filter,
                           SCMP_ACT_ERRNO(EPERM),
                           SCMP_SYS(prctl),
                           1,
                           scmp_arg_cmp{0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0}
                       ) |
                       ::seccomp_load(filter);
    ::seccomp_release(filter);
    return failed != 0 ? kFailed : serve_sandboxed_decoding();
}

/// Threads that are older than the filter are under it too.
int open_on_another_thread() {
    DecodeRequest request;
    if (::pread(STDIN_FILENO, &request, sizeof(request), 0) != sizeof(request)) {
        return kFailed;
    }
    std::atomic<bool> is_locked_in = false;
    std::thread other([&] {
        is_locked_in.wait(false);
        ::open("/etc/passwd", O_RDONLY);
        answer_whole();
        ::_exit(kDone);
    });
    if (!enter_sandbox(request.sandbox)) {
        return kFailed;
    }
    say_value(HelperGreeting{});
    is_locked_in = true;
    is_locked_in.notify_one();
    wait_for_ever();
}

const std::map<std::string, std::function<int()>> kFromTheStart = {
    {"serve", serve_sandboxed_decoding},
    {"serve without seccomp", serve_without_seccomp},
    {"fail to start", [] { return kFailed; }},
    {"be another program",
     [] {
         say(as_bytes("Usage: another [options]"));
         return kDone;
     }},
    {"show inheritance", show_inheritance},
    {"open on another thread", open_on_another_thread},
    {"rewrite the input", rewrite_input},
};

const std::map<std::string, std::function<int()>> kOnceLockedIn = {
    {"answer", answer_whole},
    {"open", [] { return survive(::open("/etc/passwd", O_RDONLY)); }},
    {"socket", [] { return survive(::socket(AF_INET, SOCK_STREAM, 0)); }},
    {"execve",
     [] {
         char* const none[] = {nullptr};
         return survive(::execve("/bin/true", none, none));
     }},
    {"fork", [] { return survive(::syscall(SYS_fork)); }},
    {"clone", [] { return survive(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }},
    {"kill the parent", [] { return survive(::kill(::getppid(), SIGTERM)); }},
    {"signal another process", [] { return survive(::syscall(SYS_tgkill, 1, 1, 0)); }},
    {"make code",
     [] {
         void* memory =
             ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return survive(memory == MAP_FAILED ? -1 : 0);
     }},
    {"turn data into code",
     [] {
         static std::byte page[8192];
         auto* start =
             reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(page) + 4095) / 4096 * 4096);
         return survive(::mprotect(start, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
     }},
    {"write elsewhere", [] { return survive(::write(STDERR_FILENO, "x", 1)); }},
    {"trace", [] { return survive(::syscall(SYS_ptrace, 16, ::getppid(), 0, 0)); }},
    {"loosen the limits", [] { return survive(::syscall(SYS_prlimit64, 0, 7, nullptr, nullptr)); }},
    {"take all memory", take_all_memory},
    {"loop", loop},
    {"wait", wait_for_ever},
    {"crash",
     [] {
         void* forbidden = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         *static_cast<volatile int*>(forbidden) = 1;
         return kDone;
     }},
    {"abort", []() -> int { std::abort(); }},
    {"exit", [] { return kDone; }},
    {"exit with a code", [] { return 77; }},
    {"answer, then crash",
     []() -> int {
         answer_whole();
         std::abort();
     }},
    {"claim an unknown verdict", [] { return answer(99, 2, 2, 3, 12); }},
    {"claim no width", [] { return answer(0, 0, 2, 3, 0); }},
    {"claim a negative size", [] { return answer(0, -2, -2, 3, 12); }},
    {"claim a huge picture", [] { return answer(0, 0x7FFFFFFF, 0x7FFFFFFF, 4, 12); }},
    {"claim a picture over the limit", [] { return answer(0, 16384, 16384, 3, 12); }},
    {"claim seven channels", [] { return answer(0, 2, 2, 7, 28); }},
    {"claim one channel", [] { return answer(0, 2, 2, 1, 4); }},
    {"claim that a small picture is too large", [] { return answer(2, 2, 2, 0, 0); }},
    {"give too many pixels", [] { return answer(0, 2, 2, 3, 13); }},
    {"give too few pixels", [] { return answer(0, 2, 2, 3, 11); }},
};

}  // namespace

int main(int argc, char** argv) {
    const std::string role = argc > 1 ? argv[1] : "";
    if (const auto found = kFromTheStart.find(role); found != kFromTheStart.end()) {
        ::_exit(found->second());
    }
    const auto found = kOnceLockedIn.find(role);
    DecodeRequest request;
    if (found == kOnceLockedIn.end() || ::pread(STDIN_FILENO, &request, sizeof(request), 0) !=
                                            static_cast<ssize_t>(sizeof(request))) {
        ::_exit(kFailed);
    }
    const auto strength = enter_sandbox(request.sandbox);
    if (!strength) {
        ::_exit(kFailed);
    }
    say_value(HelperGreeting{HelperGreeting::kMagic, *strength});
    ::_exit(found->second());
}
