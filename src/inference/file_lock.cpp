#include "inference/file_lock.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace tessera {
namespace {

int operation(FileLock::Mode mode) {
    return mode == FileLock::Mode::kShared ? LOCK_SH : LOCK_EX;
}

}  // namespace

FileLock::~FileLock() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<FileLock> FileLock::take(const std::filesystem::path& path, Mode mode) {
    return lock(path, operation(mode));
}

Result<FileLock> FileLock::try_take(const std::filesystem::path& path, Mode mode) {
    return lock(path, operation(mode) | LOCK_NB);
}

Result<FileLock> FileLock::lock(const std::filesystem::path& path, int operation) {
    FileLock file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    int outcome = file.fd_ < 0 ? -1 : ::flock(file.fd_, operation);
    while (file.fd_ >= 0 && outcome != 0 && errno == EINTR) {
        outcome = ::flock(file.fd_, operation);
    }
    if (outcome != 0) {
        const int code = errno;
        return fail(errno_kind(code), "cannot lock {}: {}", path.string(), errno_text(code));
    }
    return file;
}

}  // namespace tessera
