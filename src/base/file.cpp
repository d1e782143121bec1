#include "base/file.h"

#include "base/hash.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace tessera {
namespace {

class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    ~FileDescriptor() { close(); }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;

    [[nodiscard]] int get() const { return fd_; }
    /// The result of close(2), which may be the first to tell of a full disk.
    int close() {
        const int fd = std::exchange(fd_, -1);
        return fd < 0 ? 0 : ::close(fd);
    }

  private:
    int fd_;
};

/// Removes the file unless told that it has become the real one.
class TemporaryName {
  public:
    explicit TemporaryName(std::string path) : path_(std::move(path)) {}
    ~TemporaryName() {
        if (!path_.empty()) {
            ::unlink(path_.c_str());
        }
    }
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;

    void keep() { path_.clear(); }

  private:
    std::string path_;
};

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

tl::unexpected<Error> fail_with_errno(std::string_view verb, const std::filesystem::path& path) {
    const int code = errno;
    return fail(errno_kind(code), "cannot {} {}: {}", verb, path.string(), errno_text(code));
}

}  // namespace

std::string errno_text(int code) {
    return std::system_category().message(code);
}

ErrorKind errno_kind(int code) {
    switch (code) {
        case ENOENT:
        case ENOTDIR:
            return ErrorKind::kNotFound;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case ENOMEM:
        case EMFILE:
        case ENFILE:
            return ErrorKind::kExhausted;
        case EEXIST:
            return ErrorKind::kConflict;
        case EACCES:
        case EPERM:
        case EROFS:
        case EISDIR:
        case ENAMETOOLONG:
        case EINVAL:
            return ErrorKind::kInvalidArgument;
        default:
            return ErrorKind::kUnavailable;
    }
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
        return fail_with_errno("open", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(ErrorKind::kInvalidArgument, "{} is not a regular file", path.string());
    }
    MappedFile mapped;
    mapped.identity_ = FastHash()
                           .add(static_cast<std::uint64_t>(info.st_size))
                           .add(static_cast<std::uint64_t>(info.st_dev))
                           .add(static_cast<std::uint64_t>(info.st_ino))
                           .add(static_cast<std::uint64_t>(info.st_mtim.tv_sec))
                           .add(static_cast<std::uint64_t>(info.st_mtim.tv_nsec))
                           .hex();
    if (info.st_size == 0) {
        return mapped;
    }
    const auto size = static_cast<std::size_t>(info.st_size);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) {
        return fail_with_errno("map", path);
    }
    mapped.mapping_ = std::shared_ptr<const void>(address, [size](const void* mapping) {
        ::munmap(const_cast<void*>(mapping), size);
    });
    mapped.bytes_ = {static_cast<const std::byte*>(address), size};
    return mapped;
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        return fail_with_errno("open", path);
    }
    std::string content;
    std::array<char, 65536> block{};
    while (true) {
        const ssize_t count = ::read(file.get(), block.data(), block.size());
        if (count < 0 && errno != EINTR) {
            return fail_with_errno("read", path);
        }
        if (count == 0) {
            return content;
        }
        content.append(block.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        if (content.size() > limit_bytes) {
            return fail(
                ErrorKind::kExhausted,
                "{} is longer than the {} bytes that are expected there at most",
                path.string(),
                limit_bytes
            );
        }
    }
}

struct AtomicFileWriter::Open {
    std::filesystem::path path;
    std::string temporary_path;
    FileDescriptor file;
    TemporaryName temporary;
    std::uint64_t written = 0;
};

AtomicFileWriter::AtomicFileWriter() = default;
AtomicFileWriter::~AtomicFileWriter() = default;

Status AtomicFileWriter::open(const std::filesystem::path& path) {
    static std::atomic<unsigned> counter{0};
    const std::string name =
        fmt::format(".{}.{}-{}", path.filename().string(), ::getpid(), counter++);
    const auto temporary = folder_of(path) / name;
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        return fail_with_errno("write", path);
    }
    open_.reset(new Open{path, temporary, FileDescriptor(file), TemporaryName(temporary)});
    return {};
}

Status AtomicFileWriter::write(ByteView bytes) {
    open_->written += bytes.size();
    while (!bytes.empty()) {
        const ssize_t count = ::write(open_->file.get(), bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return fail_with_errno("write", open_->path);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return {};
}

Status AtomicFileWriter::pad_to(std::uint64_t offset) {
    if (offset < open_->written) {
        return fail(ErrorKind::kInternal, "offset {} of {} is taken", offset, open_->path.string());
    }
    return write(Bytes(offset - open_->written));
}

Status AtomicFileWriter::commit() {
    if (::fsync(open_->file.get()) != 0 || open_->file.close() != 0 ||
        ::rename(open_->temporary_path.c_str(), open_->path.c_str()) != 0) {
        return fail_with_errno("write", open_->path);
    }
    open_->temporary.keep();
    const FileDescriptor directory(
        ::open(folder_of(open_->path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    );
    if (directory.get() >= 0) {
        ::fsync(directory.get());
    }
    return {};
}

Status write_file_atomically(const std::filesystem::path& path, ByteView content) {
    AtomicFileWriter file;
    TESSERA_TRY(file.open(path));
    TESSERA_TRY(file.write(content));
    return file.commit();
}

}  // namespace tessera
