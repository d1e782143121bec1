#include "queue/owner_lock.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace tessera {
namespace {

std::string written_by_owner(int file) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(file, text.data(), text.size(), 0);
    return size <= 0 ? "another process" : std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

Result<OwnerLock> OwnerLock::take(const std::filesystem::path& database) {
    const std::string path = database.string() + ".owner";
    OwnerLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.file_ < 0) {
        return fail(ErrorKind::kUnavailable, "cannot open {}: {}", path, errno_text(errno));
    }
    if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail(ErrorKind::kUnavailable, "cannot lock {}: {}", path, errno_text(errno));
        }
        return fail(
            ErrorKind::kConflict,
            "another server owns {} ({}); stop it, or give this one a folder of its own",
            database.string(),
            written_by_owner(lock.file_)
        );
    }
    // For the message above alone, so that it does not matter whether it succeeds.
    const std::string owner = "process " + std::to_string(::getpid());
    if (::ftruncate(lock.file_, 0) == 0) {
        std::ignore = ::pwrite(lock.file_, owner.data(), owner.size(), 0);
    }
    return lock;
}

OwnerLock::~OwnerLock() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

OwnerLock::OwnerLock(OwnerLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

OwnerLock& OwnerLock::operator=(OwnerLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
}

}  // namespace tessera
