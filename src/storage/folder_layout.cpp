#include "base/entropy.h"
#include "base/file.h"
#include "storage/folder_layout_internal.h"
#include "storage/media_type.h"
#include "storage/object_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

namespace tessera {
namespace {

constexpr mode_t kOnlyUs = 0700;
constexpr mode_t kOnlyUsFile = 0600;
constexpr std::size_t kShardDigits = 2;
constexpr std::string_view kTypeSuffix = ".type";

std::string shard_name(const std::string& sha256) {
    return sha256.substr(0, kShardDigits);
}

std::string file_name(const std::string& sha256) {
    return sha256.substr(kShardDigits);
}

std::string type_name(const std::string& sha256) {
    return file_name(sha256).append(kTypeSuffix);
}

UniqueFd open_folder(int parent, const char* name) {
    return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Names in a folder but "." and "..". Nothing: errno says why.
std::optional<std::vector<std::string>> names_in(int folder) {
    struct Close {
        void operator()(DIR* open) const { ::closedir(open); }
    };
    UniqueFd own = open_folder(folder, ".");
    if (!own.valid()) {
        return std::nullopt;
    }
    const std::unique_ptr<DIR, Close> open(::fdopendir(own.get()));
    if (!open) {
        return std::nullopt;
    }
    static_cast<void>(own.release());  // closed with `open`
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(open.get())) {
        std::string name = static_cast<const char*>(entry->d_name);
        if (name != "." && name != "..") {
            names.push_back(std::move(name));
        }
        errno = 0;
    }
    return errno == 0 ? std::optional(std::move(names)) : std::nullopt;
}

/// Removes a process's folder of temporary files, if that process is gone: the lock on it goes with
/// its owner, however it ended.
void clear_if_abandoned(int all_temporaries, const std::string& name) {
    const UniqueFd folder = open_folder(all_temporaries, name.c_str());
    if (!folder.valid() || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
        return;
    }
    for (const std::string& file : names_in(folder.get()).value_or(std::vector<std::string>())) {
        ::unlinkat(folder.get(), file.c_str(), 0);
    }
    ::unlinkat(all_temporaries, name.c_str(), AT_REMOVEDIR);
}

WallTime wall_time(const timespec& time) {
    return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)
    ));
}

std::array<timespec, 2> file_times(WallTime stored) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(stored);
    timespec modified{};
    modified.tv_sec = seconds.time_since_epoch().count();
    modified.tv_nsec = std::chrono::nanoseconds(stored - seconds).count();
    timespec accessed{};
    accessed.tv_nsec = UTIME_OMIT;
    return {accessed, modified};
}

/// Renames, but never onto something. As errno.
int rename_without_replacing(int from_folder, const char* from, int to_folder, const char* to) {
    if (::renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    // Some file systems (NFS) do not know the flag, but no link replaces anything anywhere.
    if (::linkat(from_folder, from, to_folder, to, 0) != 0) {
        return errno;
    }
    ::unlinkat(from_folder, from, 0);
    return 0;
}

}  // namespace

void UniqueFd::close() {
    if (const int fd = std::exchange(fd_, -1); fd >= 0) {
        ::close(fd);
    }
}

bool write_all(int file, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

std::int64_t read_at(int file, std::uint64_t offset, std::span<std::byte> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(
            file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done)
        );
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return static_cast<std::int64_t>(done);
}

tl::unexpected<Error> FolderLayout::failed(const char* verb, int code) const {
    return fail(errno_kind(code), "cannot {} the store in {}: {}", verb, place_, errno_text(code));
}

Result<FolderLayout> FolderLayout::open(const std::filesystem::path& folder) {
    FolderLayout layout;
    layout.place_ = folder.string();
    std::error_code error;
    if (folder.has_parent_path()) {
        std::filesystem::create_directories(folder.parent_path(), error);
    }
    ::mkdir(folder.c_str(), kOnlyUs);
    const UniqueFd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root.valid()) {
        return layout.failed("open", errno);
    }
    const auto own_folder = [&root](const char* name) {
        ::mkdirat(root.get(), name, kOnlyUs);
        return open_folder(root.get(), name);
    };
    layout.objects_ = own_folder("sha256");
    layout.all_temporaries_ = own_folder("tmp");
    layout.damaged_ = own_folder("damaged");
    if (!layout.objects_.valid() || !layout.all_temporaries_.valid() || !layout.damaged_.valid()) {
        return layout.failed("open", errno);
    }
    // Under one lock, so that nobody takes our new folder for an abandoned one.
    const UniqueFd gate = open_folder(layout.all_temporaries_.get(), ".");
    if (!gate.valid() || ::flock(gate.get(), LOCK_EX) != 0) {
        return layout.failed("lock", errno);
    }
    const auto others = names_in(gate.get());
    if (!others) {
        return layout.failed("read", errno);
    }
    for (const std::string& name : *others) {
        clear_if_abandoned(gate.get(), name);
    }
    layout.temporaries_name_ = random_base62(16, Entropy::system());
    if (::mkdirat(gate.get(), layout.temporaries_name_.c_str(), kOnlyUs) != 0) {
        return layout.failed("make folders in", errno);
    }
    layout.temporaries_ = open_folder(gate.get(), layout.temporaries_name_.c_str());
    if (!layout.temporaries_.valid() ||
        ::flock(layout.temporaries_.get(), LOCK_EX | LOCK_NB) != 0) {
        return layout.failed("lock", errno);
    }
    if (::fsync(layout.objects_.get()) != 0 || ::fsync(root.get()) != 0) {
        return layout.failed("sync", errno);
    }
    return layout;
}

Result<UniqueFd> FolderLayout::shard(const std::string& sha256) const {
    UniqueFd folder = open_folder(objects_.get(), shard_name(sha256).c_str());
    if (!folder.valid() && errno == ENOENT) {
        return fail(ErrorKind::kNotFound, "no object {} in the store", sha256);
    }
    if (!folder.valid()) {
        return failed("open a folder of", errno);
    }
    return folder;
}

Result<FolderLayout::OpenObject> FolderLayout::open_object(const std::string& sha256) const {
    TESSERA_ASSIGN(const UniqueFd folder, shard(sha256));
    OpenObject object;
    object.file = UniqueFd(::openat(
        folder.get(), file_name(sha256).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    ));
    if (!object.file.valid() && errno == ENOENT) {
        return fail(ErrorKind::kNotFound, "no object {} in the store", sha256);
    }
    struct stat found {};
    if (!object.file.valid() || ::fstat(object.file.get(), &found) != 0) {
        return failed("open an object of", errno);
    }
    if (!S_ISREG(found.st_mode)) {
        return fail(
            ErrorKind::kCorrupt, "{} in the store in {} is not a regular file", sha256, place_
        );
    }
    object.stat = {static_cast<std::uint64_t>(found.st_size), wall_time(found.st_mtim)};
    return object;
}

Result<std::string> FolderLayout::media_type(const std::string& sha256, int file) const {
    TESSERA_ASSIGN(const UniqueFd folder, shard(sha256));
    const UniqueFd type(
        ::openat(folder.get(), type_name(sha256).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    );
    std::array<std::byte, 128> bytes{};
    if (type.valid()) {
        const std::int64_t size = read_at(type.get(), 0, bytes);
        const auto text =
            as_text(std::span(bytes).first(static_cast<std::size_t>(size < 0 ? 0 : size)));
        if (is_media_type(text)) {
            return std::string(text);
        }
    }
    const std::int64_t size = read_at(file, 0, std::span(bytes).first(kMediaTypeBytes));
    if (size < 0) {
        return failed("read", errno);
    }
    return std::string(media_type_of(std::span(bytes).first(static_cast<std::size_t>(size))));
}

Status FolderLayout::set_stored(const std::string& sha256, WallTime stored) const {
    TESSERA_ASSIGN(const OpenObject object, open_object(sha256));
    if (::futimens(object.file.get(), file_times(stored).data()) != 0 ||
        ::fsync(object.file.get()) != 0) {
        return failed("write to", errno);
    }
    return {};
}

Result<FolderLayout::Temporary> FolderLayout::make_temporary() {
    Temporary temporary;
    temporary.name =
        fmt::format("{}", std::atomic_ref(next_temporary_).fetch_add(1, std::memory_order_relaxed));
    temporary.file = UniqueFd(::openat(
        temporaries_.get(),
        temporary.name.c_str(),
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
        kOnlyUsFile
    ));
    if (!temporary.file.valid()) {
        return failed("write to", errno);
    }
    return temporary;
}

Status FolderLayout::finish_temporary(Temporary& temporary, WallTime stored) const {
    const int file = temporary.file.get();
    if (::futimens(file, file_times(stored).data()) != 0 || ::fsync(file) != 0 ||
        ::close(temporary.file.release()) != 0) {
        return failed("write to", errno);
    }
    return {};
}

void FolderLayout::leave() const {
    ::unlinkat(all_temporaries_.get(), temporaries_name_.c_str(), AT_REMOVEDIR);
}

void FolderLayout::drop_temporary(const std::string& name) const {
    ::unlinkat(temporaries_.get(), name.c_str(), 0);
}

Status FolderLayout::adopt(
    const std::string& temporary, const std::string& type, const std::string& sha256
) const {
    const int made = ::mkdirat(objects_.get(), shard_name(sha256).c_str(), kOnlyUs);
    if ((made != 0 && errno != EEXIST) || (made == 0 && ::fsync(objects_.get()) != 0)) {
        return failed("make a folder in", errno);
    }
    TESSERA_ASSIGN(const UniqueFd folder, shard(sha256));
    if (::faccessat(folder.get(), file_name(sha256).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return fail(ErrorKind::kConflict, "the object {} is there already", sha256);
    }
    // A type without its object may have been left behind by a crash: it is replaced.
    if (type.empty()) {
        ::unlinkat(folder.get(), type_name(sha256).c_str(), 0);
    } else if (::renameat(temporaries_.get(), type.c_str(), folder.get(), type_name(sha256).c_str()) != 0) {
        return failed("write to", errno);
    }
    const int code = rename_without_replacing(
        temporaries_.get(), temporary.c_str(), folder.get(), file_name(sha256).c_str()
    );
    if (code == EEXIST) {
        return fail(ErrorKind::kConflict, "the object {} is there already", sha256);
    }
    if (code != 0) {
        return failed("write to", code);
    }
    return {};
}

Status FolderLayout::sync(const std::string& sha256) const {
    TESSERA_ASSIGN(const UniqueFd folder, shard(sha256));
    if (::fsync(folder.get()) != 0) {
        return failed("sync", errno);
    }
    return {};
}

Status FolderLayout::remove(const std::string& sha256) const {
    TESSERA_ASSIGN(const UniqueFd folder, shard(sha256));
    if (::unlinkat(folder.get(), file_name(sha256).c_str(), 0) != 0 && errno != ENOENT) {
        return failed("remove from", errno);
    }
    if (::unlinkat(folder.get(), type_name(sha256).c_str(), 0) != 0 && errno != ENOENT) {
        return failed("remove from", errno);
    }
    return {};
}

Status FolderLayout::set_aside(const std::string& sha256) const {
    TESSERA_ASSIGN(const UniqueFd folder, shard(sha256));
    if (::renameat(folder.get(), file_name(sha256).c_str(), damaged_.get(), sha256.c_str()) != 0) {
        return failed("move an object of", errno);
    }
    ::unlinkat(folder.get(), type_name(sha256).c_str(), 0);
    if (::fsync(folder.get()) != 0 || ::fsync(damaged_.get()) != 0) {
        return failed("sync", errno);
    }
    return {};
}

Status FolderLayout::list(
    const std::function<bool(const std::string& sha256, const Stat&)>& each,
    const std::function<void(const std::string& path)>& foreign
) const {
    const auto shards = names_in(objects_.get());
    if (!shards) {
        return failed("read", errno);
    }
    for (const std::string& shard : *shards) {
        const UniqueFd folder = open_folder(objects_.get(), shard.c_str());
        const auto files = folder.valid() ? names_in(folder.get()) : std::nullopt;
        if (!files) {
            foreign(fmt::format("sha256/{}", shard));
            continue;
        }
        for (const std::string& file : *files) {
            std::string sha256 = shard + file;
            const bool is_type = sha256.ends_with(kTypeSuffix);
            if (is_type) {
                sha256.resize(sha256.size() - kTypeSuffix.size());
            }
            struct stat found {};
            if (shard.size() != kShardDigits || !is_sha256(sha256)) {
                foreign(fmt::format("sha256/{}/{}", shard, file));
                continue;
            }
            if (is_type ||
                ::fstatat(folder.get(), file.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
                continue;  // known with its object; or removed meanwhile
            }
            if (!S_ISREG(found.st_mode)) {
                foreign(fmt::format("sha256/{}/{}", shard, file));
                continue;
            }
            const Stat stat{static_cast<std::uint64_t>(found.st_size), wall_time(found.st_mtim)};
            if (!each(sha256, stat)) {
                return {};
            }
        }
    }
    return {};
}

Result<std::uint64_t> FolderLayout::free_bytes() const {
    struct statvfs disk {};
    if (::fstatvfs(objects_.get(), &disk) != 0) {
        return failed("ask the disk of", errno);
    }
    return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace tessera
