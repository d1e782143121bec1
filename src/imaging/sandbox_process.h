#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

class OwnedFd {
  public:
    explicit OwnedFd(int fd = -1) : fd_(fd) {}
    ~OwnedFd() { close(); }
    OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OwnedFd& operator=(OwnedFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    [[nodiscard]] int get() const { return fd_; }
    void close();

  private:
    int fd_;
};

/// How long somebody waits: until a point in time, or until a stop is asked for.
class Patience {
  public:
    /// kExhausted when the process has no file descriptor left to be woken by.
    [[nodiscard]] static Result<Patience> until(
        std::chrono::steady_clock::time_point deadline, const std::stop_token& stop
    );

    enum class Wait : std::uint8_t { kReady, kDeadline, kStopped };
    /// Until the file can be read from, or has ended.
    [[nodiscard]] Wait for_input(int fd) const;

  private:
    struct Wake {
        int fd;
        void operator()() const noexcept;
    };

    std::chrono::steady_clock::time_point deadline_;
    OwnedFd wakened_;
    std::unique_ptr<std::stop_callback<Wake>> callback_;  // ends before what it writes to
};

/// A child process that has nothing of ours: a memory file as standard input, a pipe to us as
/// standard output, no environment, no other file, a session of its own. Destroyed, it is killed.
/// For one thread, which must be the one that started it: with that thread the child dies.
class HelperProcess {
  public:
    /// The input is two blocks, one after the other; the helper cannot change it. kExhausted or
    /// kUnavailable when the system has no memory, process or file descriptor left, or cannot run
    /// the program.
    [[nodiscard]] static Result<HelperProcess> start(
        const std::filesystem::path& program,
        const std::vector<std::string>& arguments,
        ByteView input_head,
        ByteView input
    );
    HelperProcess(HelperProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
    HelperProcess& operator=(HelperProcess&&) = delete;
    ~HelperProcess();

    enum class Heard : std::uint8_t { kAll, kEnd, kDeadline, kStopped };
    /// Fills `bytes` from the helper's output; kEnd when there is less. Blocks.
    [[nodiscard]] Heard hear(std::span<std::byte> bytes, const Patience& patience);

    /// Kills the helper, unless it is ending already, and gives its wait status as waitpid() does;
    /// nothing where this program's parent has made it ignore its children's ends.
    std::optional<int> end();

  private:
    HelperProcess(pid_t pid, OwnedFd output) : pid_(pid), output_(std::move(output)) {}

    pid_t pid_;
    OwnedFd output_;
};

}  // namespace tessera
