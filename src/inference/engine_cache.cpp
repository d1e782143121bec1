#include "inference/engine_cache.h"

#include "base/file.h"
#include "base/hash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <tuple>

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kLock = ".lock";
// Drafts and entries on their way out. No key starts with a dot.
constexpr const char* kDraftPrefix = ".draft-";
constexpr std::uint64_t kLargestManifest = 64 * 1024;

bool is_key(const std::string& name) {
    return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::uint64_t file_bytes(const fs::path& path) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    return error ? 0 : size;
}

std::uint64_t entry_bytes(const fs::path& entry) {
    return file_bytes(entry / kCachedGraphFile) + file_bytes(entry / kCachedWeightsFile) +
           file_bytes(entry / kManifest);
}

std::chrono::system_clock::time_point last_used(const fs::path& entry) {
    struct stat info {};
    if (::stat((entry / kManifest).c_str(), &info) != 0) {
        return {};
    }
    return std::chrono::system_clock::time_point(
        std::chrono::seconds(info.st_mtim.tv_sec) +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::nanoseconds(info.st_mtim.tv_nsec)
        )
    );
}

void mark_used(const fs::path& entry) {
    // A cache that may only be read is still good for reading; its order of use just stands still.
    ::utimensat(AT_FDCWD, (entry / kManifest).c_str(), nullptr, 0);
}

/// Flushes a file or folder to disk; the first to tell of a full one on some file systems.
Status sync(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int code = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    if (!synced) {
        return fail(errno_kind(code), "cannot write {}: {}", path.string(), errno_text(code));
    }
    return {};
}

Result<fs::path> make_draft_folder(const fs::path& cache) {
    std::string name = (cache / (std::string(kDraftPrefix) + "XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) {
        const int code = errno;
        return fail(errno_kind(code), "cannot write to {}: {}", cache.string(), errno_text(code));
    }
    // mkdtemp makes it private; entries are for every process that may read the cache.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::chmod(name.c_str(), 0777 & ~mask);
    return fs::path(name);
}

void remove_quietly(const fs::path& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

/// Moves an entry out of the way in one step, so that no reader sees half of it.
Result<fs::path> set_aside(const fs::path& cache, const std::string& key) {
    TESSERA_ASSIGN(const fs::path aside, make_draft_folder(cache));
    if (::rename((cache / key).c_str(), aside.c_str()) != 0) {
        const int code = errno;
        remove_quietly(aside);
        if (code == ENOENT) {
            return fail(ErrorKind::kNotFound, "the engine cache has no entry {}", key);
        }
        return fail(
            errno_kind(code), "cannot remove {}: {}", (cache / key).string(), errno_text(code)
        );
    }
    return aside;
}

std::vector<fs::path> children(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        found.push_back(it->path());
    }
    return found;
}

/// Call with the cache locked, so that no draft is just between being made and being locked.
void remove_dead_drafts(const fs::path& cache) {
    for (const fs::path& path : children(cache)) {
        if (path.filename().string().rfind(kDraftPrefix, 0) != 0) {
            continue;
        }
        if (const auto lock = FileLock::try_take(path, FileLock::Mode::kExclusive)) {
            remove_quietly(path);
        }
    }
}

Result<CacheManifest> read_manifest(const fs::path& entry) {
    TESSERA_ASSIGN(const auto text, read_file(entry / kManifest, kLargestManifest));
    return CacheManifest::parse(text);
}

Status check_identity(const EngineIdentity& found, const EngineIdentity& wanted) {
    if (found.fingerprint != wanted.fingerprint) {
        return fail(
            ErrorKind::kCorrupt,
            "it was written by a foreign engine ({}), this one is {}",
            found.fingerprint,
            wanted.fingerprint
        );
    }
    if (found != wanted) {
        return fail(ErrorKind::kCorrupt, "it holds another network or other weights");
    }
    return {};
}

/// The graph of an entry whose files are what the manifest says.
Result<std::string> read_checked(const fs::path& entry, const EngineIdentity& identity) {
    TESSERA_ASSIGN(const auto manifest, read_manifest(entry));
    TESSERA_TRY(check_identity(manifest.identity, identity));
    if (file_bytes(entry / kCachedWeightsFile) != manifest.weights_bytes) {
        return fail(ErrorKind::kCorrupt, "its weights file has another size than it should");
    }
    TESSERA_ASSIGN(auto graph, read_file(entry / kCachedGraphFile, kLargestGraph));
    if (graph.size() != manifest.graph_bytes ||
        FastHash().add(graph).hex() != manifest.graph_checksum) {
        return fail(ErrorKind::kCorrupt, "its graph file differs from its checksum");
    }
    return graph;
}

}  // namespace

CacheDraft::CacheDraft(fs::path folder, FileLock lock)
    : folder_(std::move(folder)), lock_(std::move(lock)) {}

CacheDraft::~CacheDraft() {
    if (!folder_.empty()) {
        remove_quietly(folder_);
    }
}

EngineCache::EngineCache(fs::path folder, std::uint64_t budget_bytes)
    : folder_(std::move(folder)), budget_bytes_(budget_bytes) {}

Result<EngineCache> EngineCache::open(fs::path folder, std::uint64_t budget_bytes) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error || !fs::is_directory(folder, error)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "cannot use {} as engine cache: {}",
            folder.string(),
            error ? error.message() : "it is not a folder"
        );
    }
    const int lock_file = ::open((folder / kLock).c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
    if (lock_file >= 0) {
        ::close(lock_file);
    }
    return EngineCache(std::move(folder), budget_bytes);
}

Result<FileLock> EngineCache::lock(FileLock::Mode mode) const {
    return FileLock::take(folder_ / kLock, mode);
}

std::vector<CacheEntry> EngineCache::list() const {
    std::vector<CacheEntry> entries;
    for (const fs::path& path : children(folder_)) {
        std::string key = path.filename().string();
        if (!is_key(key)) {
            continue;
        }
        const auto manifest = read_manifest(path);
        entries.push_back(
            {.key = std::move(key),
             .name = manifest ? manifest->identity.name : "",
             .bytes = entry_bytes(path),
             .last_used = last_used(path)}
        );
    }
    std::sort(entries.begin(), entries.end(), [](const CacheEntry& a, const CacheEntry& b) {
        return std::tie(b.last_used, a.key) < std::tie(a.last_used, b.key);
    });
    return entries;
}

std::uint64_t EngineCache::total_bytes() const {
    std::uint64_t total = 0;
    for (const CacheEntry& entry : list()) {
        total += entry.bytes;
    }
    return total;
}

Status EngineCache::remove(const std::string& key) const {
    if (!is_key(key)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "\"{}\" is not the key of a cache entry; keys are 32 hex digits",
            key
        );
    }
    TESSERA_ASSIGN(auto held, lock(FileLock::Mode::kExclusive));
    TESSERA_ASSIGN(const auto aside, set_aside(folder_, key));
    remove_quietly(aside);
    return {};
}

Status EngineCache::clear() const {
    return prune(0);
}

Status EngineCache::prune(std::uint64_t budget_bytes) const {
    TESSERA_ASSIGN(auto held, lock(FileLock::Mode::kExclusive));
    remove_dead_drafts(folder_);
    for (const fs::path& aside : set_aside_to_fit(budget_bytes)) {
        remove_quietly(aside);
    }
    return {};
}

std::vector<fs::path> EngineCache::set_aside_to_fit(std::uint64_t budget) const {
    std::vector<fs::path> removed;
    std::uint64_t kept = 0;
    bool is_full = false;
    for (const CacheEntry& entry : list()) {
        is_full = is_full || entry.bytes > budget - kept;
        if (!is_full) {
            kept += entry.bytes;
        } else if (auto aside = set_aside(folder_, entry.key)) {
            removed.push_back(*std::move(aside));
        }
    }
    return removed;
}

Result<CachedEngine> EngineCache::find(const EngineIdentity& identity) const {
    CachedEngine found;
    found.folder = folder_ / identity.key();
    if (auto held = lock(FileLock::Mode::kShared)) {
        found.lock = *std::move(held);
    }
    std::error_code error;
    if (!fs::exists(found.folder, error)) {
        return fail(ErrorKind::kNotFound, "the engine cache has no entry for {}", identity.name);
    }
    auto graph = read_checked(found.folder, identity);
    if (!graph) {
        return fail(ErrorKind::kCorrupt, "{}", graph.error().message);
    }
    found.graph = *std::move(graph);
    mark_used(found.folder);
    return found;
}

std::uint64_t EngineCache::free_disk_bytes() const {
    struct statvfs info {};
    if (::statvfs(folder_.c_str(), &info) != 0) {
        return 0;
    }
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<CacheDraft> EngineCache::begin() const {
    TESSERA_ASSIGN(auto held, lock(FileLock::Mode::kExclusive));
    remove_dead_drafts(folder_);
    TESSERA_ASSIGN(const auto draft, make_draft_folder(folder_));
    auto alive = FileLock::try_take(draft, FileLock::Mode::kExclusive);
    if (!alive) {
        remove_quietly(draft);
        return tl::unexpected(std::move(alive).error());
    }
    return CacheDraft(draft, *std::move(alive));
}

Status EngineCache::commit(CacheDraft draft, const EngineIdentity& identity) const {
    const fs::path& folder = draft.folder();
    TESSERA_ASSIGN(const auto graph, read_file(folder / kCachedGraphFile, kLargestGraph));
    const CacheManifest manifest{
        .identity = identity,
        .graph_bytes = graph.size(),
        .graph_checksum = FastHash().add(graph).hex(),
        .weights_bytes = file_bytes(folder / kCachedWeightsFile),
    };
    if (manifest.weights_bytes > 0) {
        TESSERA_TRY(sync(folder / kCachedWeightsFile));
    }
    TESSERA_TRY(sync(folder / kCachedGraphFile));
    TESSERA_TRY(write_file_atomically(folder / kManifest, as_bytes(manifest.to_json())));

    const std::uint64_t bytes = entry_bytes(folder);
    if (bytes > budget_bytes_) {
        return fail(
            ErrorKind::kExhausted,
            "it takes {} MiB, more than the cache's budget of {} MiB",
            bytes >> 20U,
            budget_bytes_ >> 20U
        );
    }
    TESSERA_ASSIGN(auto held, lock(FileLock::Mode::kExclusive));
    const fs::path entry = folder_ / identity.key();
    std::error_code error;
    if (fs::exists(entry, error)) {
        return {};
    }
    const auto removed = set_aside_to_fit(budget_bytes_ - bytes);
    if (::rename(folder.c_str(), entry.c_str()) != 0) {
        const int code = errno;
        return fail(errno_kind(code), "cannot write {}: {}", entry.string(), errno_text(code));
    }
    draft.folder_.clear();
    for (const fs::path& aside : removed) {
        remove_quietly(aside);
    }
    return sync(folder_);
}

}  // namespace tessera
