#include "program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> settings_of(const std::map<std::string, std::string>& environment) {
    std::vector<std::string> settings;
    for (const auto& [name, value] : environment) {
        settings.push_back(name + "=" + value);
    }
    return settings;
}

/// Waits for the process; -1 when a signal has killed it.
int exit_code_of(pid_t process) {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) {
            throw std::runtime_error("the program is lost");
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

fs::path make_folder() {
    std::string name = (fs::temp_directory_path() / "tessera-e2e-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    return name;
}

}  // namespace

ProgramTest::ProgramTest()
    : root(make_folder()), work(root / "work"), models(root / "models"), cache(root / "cache") {
    fs::create_directories(work);
    fs::create_directories(models);
    const char* path = std::getenv("PATH");
    environment = {
        {"PATH", path == nullptr ? "/usr/bin:/bin" : path},
        {"HOME", (root / "home").string()},
        {"LANG", "C.UTF-8"},
        {"TESSERA_CACHE_DIR", cache.string()},
        {"TESSERA_MODELS", models.string()},
    };
}

ProgramTest::~ProgramTest() {
    std::error_code error;
    fs::remove_all(root, error);
}

Outcome ProgramTest::run(std::vector<std::string> arguments) {
    return finish(start(std::move(arguments)));
}

Outcome ProgramTest::run_other(std::vector<std::string> command) {
    return finish(spawn(std::move(command)));
}

pid_t ProgramTest::start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TESSERA_BINARY);
    return spawn(std::move(arguments));
}

pid_t ProgramTest::spawn(std::vector<std::string> command) {
    auto settings = settings_of(environment);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addchdir_np(&files, work.c_str());
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, 1, (root / "stdout").c_str(), kWrite, 0600);
    posix_spawn_file_actions_addopen(&files, 2, (root / "stderr").c_str(), kWrite, 0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t process = -1;
    const int error = ::posix_spawnp(
        &process,
        command.front().c_str(),
        &files,
        &attributes,
        pointers_to(command).data(),
        pointers_to(settings).data()
    );
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
        throw std::runtime_error("cannot start " + command.front());
    }
    return process;
}

Outcome ProgramTest::finish(pid_t process) {
    const int code = exit_code_of(process);
    return {code, read_text(root / "stdout"), read_text(root / "stderr")};
}

Outcome ProgramTest::run_on_terminal(
    std::vector<std::string> arguments, const std::string& cue, const std::string& keys
) {
    const winsize size{24, 80, 0, 0};
    int master = -1;
    const pid_t process = ::forkpty(&master, nullptr, nullptr, &size);
    if (process == 0) {
        arguments.insert(arguments.begin(), TESSERA_BINARY);
        auto settings = settings_of(environment);
        settings.emplace_back("TERM=xterm");
        if (::chdir(work.c_str()) == 0) {
            ::execve(TESSERA_BINARY, pointers_to(arguments).data(), pointers_to(settings).data());
        }
        ::_exit(127);
    }
    std::string shown;
    bool typed = false;
    std::array<char, 4096> block{};
    // A terminal whose last user has gone reads as an error.
    for (ssize_t count = 0; (count = ::read(master, block.data(), block.size())) > 0;) {
        shown.append(block.data(), static_cast<std::size_t>(count));
        if (!typed && shown.find(cue) != std::string::npos) {
            typed = ::write(master, keys.data(), keys.size()) > 0;
        }
    }
    ::close(master);
    return {exit_code_of(process), shown, ""};
}

void ProgramTest::wait_for_text(pid_t process, const fs::path& file, const std::string& text) {
    const int changes = ::inotify_init1(IN_CLOEXEC);
    const int end = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (changes < 0 || end < 0 || ::inotify_add_watch(changes, file.c_str(), IN_MODIFY) < 0) {
        throw std::runtime_error("cannot watch " + file.string());
    }
    std::array<pollfd, 2> events{{{changes, POLLIN, 0}, {end, POLLIN, 0}}};
    while (read_text(file).find(text) == std::string::npos && (events[1].revents & POLLIN) == 0) {
        ::poll(events.data(), events.size(), -1);
        if ((events[0].revents & POLLIN) != 0) {
            std::array<char, 4096> told{};
            [[maybe_unused]] const auto count = ::read(changes, told.data(), told.size());
        }
    }
    ::close(changes);
    ::close(end);
}

fs::path ProgramTest::copy_model(const std::string& name) {
    const auto folder = models / name;
    fs::copy(fs::path(TESSERA_WEIGHTS) / "tessera-tiny", folder, fs::copy_options::recursive);
    return folder;
}

std::vector<std::string> ProgramTest::work_files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(work)) {
        names.push_back(entry.path().lexically_relative(work).string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return std::move(content).str();
}

void write_text(const fs::path& path, const std::string& content) {
    std::ofstream file(path, std::ios::binary);
    file << content;
    file.close();
    if (!file) {
        throw std::runtime_error("cannot write " + path.string());
    }
}

void expect_complaint(
    const Outcome& outcome, int exit_code, const std::vector<std::string>& words
) {
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    std::istringstream lines(outcome.err);
    std::vector<std::string> sentences;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("tessera: ")) {
            sentences.push_back(line);
        }
    }
    ASSERT_EQ(sentences.size(), 1U) << outcome.err;
    for (const std::string& word : words) {
        EXPECT_THAT(sentences.front(), ::testing::HasSubstr(word));
    }
    EXPECT_TRUE(outcome.err.ends_with(sentences.front() + "\n")) << outcome.err;
}

}  // namespace tessera::e2e
