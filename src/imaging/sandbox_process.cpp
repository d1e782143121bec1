#include "imaging/sandbox_process.h"

#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>

namespace tessera {
namespace {

tl::unexpected<Error> cannot(std::string_view what, int code) {
    const bool is_full = code == ENOMEM || code == ENOSPC || code == EMFILE || code == ENFILE;
    return fail(
        is_full ? ErrorKind::kExhausted : ErrorKind::kUnavailable,
        "cannot {} to decode a picture: {}",
        what,
        errno_text(code)
    );
}

/// Where standard input or output are closed, a new file may get their number, and the child's
/// would be put on top of it.
Result<OwnedFd> above_standard_files(OwnedFd fd) {
    if (fd.get() > STDERR_FILENO) {
        return fd;
    }
    OwnedFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (moved.get() < 0) {
        return cannot("open a file", errno);
    }
    return moved;
}

int write_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return 0;
}

Result<OwnedFd> sealed_file(ByteView head, ByteView rest) {
    TESSERA_ASSIGN(
        OwnedFd file,
        above_standard_files(OwnedFd(::memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING)))
    );
    if (file.get() < 0) {
        return cannot("make a memory file", errno);
    }
    for (const ByteView part : {head, rest}) {
        if (const int code = write_all(file.get(), part); code != 0) {
            return cannot("fill a memory file", code);
        }
    }
    constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
        return cannot("seal a memory file", errno);
    }
    return file;
}

struct Pipe {
    OwnedFd to_read;
    OwnedFd to_write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return cannot("make a pipe", errno);
    }
    OwnedFd reading(ends[0]);
    OwnedFd writing(ends[1]);
    TESSERA_ASSIGN(reading, above_standard_files(std::move(reading)));
    TESSERA_ASSIGN(writing, above_standard_files(std::move(writing)));
    if (::fcntl(reading.get(), F_SETFL, O_NONBLOCK) != 0) {
        return cannot("set a pipe up", errno);
    }
    // Fewer turns between the processes; the system may well refuse, with no harm.
    constexpr int kPipeBytes = 1 << 20;
    ::fcntl(writing.get(), F_SETPIPE_SZ, kPipeBytes);
    return Pipe{std::move(reading), std::move(writing)};
}

/// posix_spawn's two descriptions of a child, for the time of a call.
class SpawnPlan {
  public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawnattr_init(&attributes_);
    }
    ~SpawnPlan() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&files_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    /// 0 or an errno.
    int arrange(int input, int output) {
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        constexpr short kFlags =
            POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        for (const int code : {
                 ::posix_spawnattr_setflags(&attributes_, kFlags),
                 ::posix_spawnattr_setsigmask(&attributes_, &none),
                 ::posix_spawnattr_setsigdefault(&attributes_, &all),
                 ::posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO),
                 ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO),
                 ::posix_spawn_file_actions_addopen(
                     &files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0
                 ),
                 ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1),
             }) {
            if (code != 0) {
                return code;
            }
        }
        return 0;
    }

    int spawn(pid_t& pid, const char* program, char** arguments, char** environment) {
        return ::posix_spawn(&pid, program, &files_, &attributes_, arguments, environment);
    }

  private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// What finds the shared libraries that this process has found, and nothing else.
std::vector<std::string> helper_environment() {
    const char* libraries = std::getenv("LD_LIBRARY_PATH");
    return libraries == nullptr
               ? std::vector<std::string>()
               : std::vector<std::string>{std::string("LD_LIBRARY_PATH=") + libraries};
}

}  // namespace

void OwnedFd::close() {
    if (const int fd = std::exchange(fd_, -1); fd >= 0) {
        ::close(fd);
    }
}

void Patience::Wake::operator()() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd, &one, sizeof(one));
}

Result<Patience> Patience::until(
    std::chrono::steady_clock::time_point deadline, const std::stop_token& stop
) {
    Patience patience;
    patience.deadline_ = deadline;
    if (stop.stop_possible()) {
        patience.wakened_ = OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (patience.wakened_.get() < 0) {
            return cannot("make an event file", errno);
        }
        patience.callback_ =
            std::make_unique<std::stop_callback<Wake>>(stop, Wake{patience.wakened_.get()});
    }
    return patience;
}

Patience::Wait Patience::for_input(int fd) const {
    using std::chrono::milliseconds;
    std::array<pollfd, 2> events{{{fd, POLLIN, 0}, {wakened_.get(), POLLIN, 0}}};
    while (true) {
        const auto left =
            std::chrono::ceil<milliseconds>(deadline_ - std::chrono::steady_clock::now());
        if (left <= milliseconds::zero()) {
            return Wait::kDeadline;
        }
        const auto wait = std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max());
        const int count = ::poll(events.data(), events.size(), static_cast<int>(wait));
        if (count > 0 && events[1].revents != 0) {
            return Wait::kStopped;
        }
        if (count > 0) {
            return Wait::kReady;
        }
    }
}

Result<HelperProcess> HelperProcess::start(
    const std::filesystem::path& program,
    const std::vector<std::string>& arguments,
    ByteView input_head,
    ByteView input
) {
    TESSERA_ASSIGN(const OwnedFd file, sealed_file(input_head, input));
    if (::lseek(file.get(), 0, SEEK_SET) != 0) {
        return cannot("rewind a memory file", errno);
    }
    TESSERA_ASSIGN(Pipe pipe, make_pipe());
    auto texts = arguments;
    auto settings = helper_environment();
    SpawnPlan plan;
    pid_t pid = -1;
    int code = plan.arrange(file.get(), pipe.to_write.get());
    if (code == 0) {
        code = plan.spawn(
            pid, program.c_str(), pointers_to(texts).data(), pointers_to(settings).data()
        );
    }
    if (code != 0) {
        return cannot(fmt::format("start {}", program.string()), code);
    }
    return HelperProcess(pid, std::move(pipe.to_read));
}

HelperProcess::~HelperProcess() {
    end();
}

HelperProcess::Heard HelperProcess::hear(std::span<std::byte> bytes, const Patience& patience) {
    while (!bytes.empty()) {
        switch (patience.for_input(output_.get())) {
            case Patience::Wait::kReady:
                break;
            case Patience::Wait::kDeadline:
                return Heard::kDeadline;
            case Patience::Wait::kStopped:
                return Heard::kStopped;
        }
        const ssize_t count = ::read(output_.get(), bytes.data(), bytes.size());
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
            return Heard::kEnd;
        }
        bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return Heard::kAll;
}

std::optional<int> HelperProcess::end() {
    const pid_t pid = std::exchange(pid_, -1);
    if (pid < 0) {
        return std::nullopt;
    }
    // A process that is ending, as one is whose output has ended, keeps the status it ends with.
    // The group are those that a helper has made where no filter stops it.
    ::kill(pid, SIGKILL);
    ::kill(-pid, SIGKILL);
    int status = 0;
    pid_t reaped = -1;
    do {
        reaped = ::waitpid(pid, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    return reaped == pid ? std::optional(status) : std::nullopt;
}

}  // namespace tessera
