#include "tessera/batch_journal.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = ".tessera-batch.jsonl";
constexpr int kVersion = 1;
constexpr std::uint64_t kMostBytes = 64ULL << 20U;
constexpr std::uint64_t kMostPictureBytes = 4ULL << 30U;

std::string hash_of(ByteView content) {
    return FastHash().add(content).hex();
}

/// A line of the journal: JSON, and in front of it the hash that tells whether it is whole.
std::string line_of(const nlohmann::ordered_json& json) {
    const std::string text = json.dump();
    return hash_of(as_bytes(text)) + " " + text + "\n";
}

/// The JSON of a line; discarded when it is damaged.
nlohmann::json json_of(std::string_view line) {
    const auto gap = line.find(' ');
    if (gap == std::string_view::npos ||
        line.substr(0, gap) != hash_of(as_bytes(line.substr(gap + 1)))) {
        return nlohmann::json(nlohmann::json::value_t::discarded);
    }
    return nlohmann::json::parse(line.substr(gap + 1), nullptr, false);
}

std::string text_in(const nlohmann::json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

tl::unexpected<Error> fail_with_errno(std::string_view verb, const fs::path& path) {
    const int code = errno;
    return fail(errno_kind(code), "cannot {} {}: {}", verb, path.string(), errno_text(code));
}

/// Opens the file and locks it; nothing when it was removed meanwhile by the process that held it.
Result<std::optional<int>> open_locked(const fs::path& folder) {
    const fs::path path = folder / kFileName;
    const int fd = ::open(
        path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666
    );
    struct stat info {};
    if (fd < 0 || ::fstat(fd, &info) != 0) {
        auto error = fail_with_errno("open", path);
        ::close(fd);
        return error;
    }
    if (!S_ISREG(info.st_mode)) {
        ::close(fd);
        return fail(
            ErrorKind::kInvalidArgument, "{} is not a regular file; remove it", path.string()
        );
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const bool is_busy = errno == EWOULDBLOCK;
        auto error = fail_with_errno("lock", path);
        ::close(fd);
        if (is_busy) {
            return fail(
                ErrorKind::kUnavailable,
                "another tessera works on a batch in {}; wait until it has ended, or choose "
                "another folder with --out",
                folder.string()
            );
        }
        return error;
    }
    struct stat named {};
    if (::fstat(fd, &info) != 0 || ::lstat(path.c_str(), &named) != 0 ||
        info.st_ino != named.st_ino || info.st_dev != named.st_dev) {
        ::close(fd);
        return std::nullopt;
    }
    return fd;
}

}  // namespace

std::string BatchKeys::line(std::string_view text) {
    const auto found = seen_.find(text);
    auto& times = found == seen_.end() ? seen_[std::string(text)] : found->second;
    return FastHash().add(options_).add(text).add(std::uint64_t{times++}).hex();
}

std::string BatchKeys::picture(std::string_view line, int number) {
    return fmt::format("{}-{}", line, number);
}

Result<BatchJournal> BatchJournal::open(const fs::path& folder) {
    constexpr int kTries = 100;
    for (int attempt = 0; attempt < kTries; ++attempt) {
        TESSERA_ASSIGN(const auto fd, open_locked(folder));
        if (fd) {
            BatchJournal journal(folder, *fd);
            TESSERA_TRY(journal.load());
            return journal;
        }
    }
    return fail(
        ErrorKind::kUnavailable,
        "other processes begin and end batches in {} all the time; choose another folder with "
        "--out",
        folder.string()
    );
}

BatchJournal::BatchJournal(BatchJournal&& other) noexcept
    : folder_(std::move(other.folder_)),
      fd_(std::exchange(other.fd_, -1)),
      entries_(std::move(other.entries_)),
      owners_(std::move(other.owners_)),
      last_key_(std::move(other.last_key_)),
      warnings_(std::move(other.warnings_)) {}

BatchJournal::~BatchJournal() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Status BatchJournal::load() {
    const fs::path path = folder_ / kFileName;
    const auto content = read_file(path, kMostBytes);
    if (!content) {
        return content.error().kind == ErrorKind::kExhausted
                   ? begin_anew("is longer than any can be")
                   : tl::unexpected(content.error());
    }
    const std::string header = line_of({{"tessera_batch", kVersion}});
    if (content->starts_with(header)) {
        TESSERA_TRY(read_entries(*content));
        return check_last();
    }
    if (header.starts_with(*content)) {
        return begin_anew("");  // new, or its process died at once
    }
    const auto json = json_of(std::string_view(*content).substr(0, content->find('\n')));
    if (json.is_object() && json.contains("tessera_batch")) {
        return fail(
            ErrorKind::kUnsupported,
            "{} is of a newer tessera; take that one, or remove the file to begin anew",
            path.string()
        );
    }
    return begin_anew("is damaged");
}

Status BatchJournal::begin_anew(std::string_view why) {
    const fs::path path = folder_ / kFileName;
    if (!why.empty()) {
        warnings_.push_back(fmt::format(
            "{} {}; all pictures are made, and those that are there are kept", path.string(), why
        ));
    }
    if (::ftruncate(fd_, 0) != 0) {
        return fail_with_errno("write", path);
    }
    return append(line_of({{"tessera_batch", kVersion}}));
}

Status BatchJournal::read_entries(std::string_view content) {
    const fs::path path = folder_ / kFileName;
    // A last line without its end was being written when the process died: nothing was promised.
    const std::size_t whole = content.find_last_of('\n') + 1;
    if (whole < content.size() && ::ftruncate(fd_, static_cast<off_t>(whole)) != 0) {
        return fail_with_errno("write", path);
    }
    std::size_t damaged = 0;
    std::string_view rest = content.substr(0, whole);
    rest.remove_prefix(rest.find('\n') + 1);  // the header
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        damaged += read_entry(rest.substr(0, end)) ? 0U : 1U;
        rest.remove_prefix(end + 1);
    }
    if (damaged > 0) {
        warnings_.push_back(fmt::format(
            "{} entries of {} are damaged; their pictures are made again, and those that are there "
            "are kept",
            damaged,
            path.string()
        ));
    }
    return {};
}

bool BatchJournal::read_entry(std::string_view line) {
    const auto json = json_of(line);
    const std::string key = json.is_object() ? text_in(json, "key") : std::string();
    const std::string file = json.is_object() ? text_in(json, "file") : std::string();
    // A name in this folder, whatever the journal says.
    const bool is_name = fs::path(file).filename() == fs::path(file) && file != "." && file != "..";
    if (key.empty() || !is_name || file.find('\0') != std::string::npos) {
        return false;
    }
    remember(key, {file, text_in(json, "hash")});
    return true;
}

/// Whether the last promise was kept: if not, the file of that name, if any, is an older one.
Status BatchJournal::check_last() {
    const auto last = entries_.find(last_key_);
    if (last == entries_.end() || last->second.file.empty()) {
        return {};
    }
    const auto content = read_file(folder_ / last->second.file, kMostPictureBytes);
    if (content && hash_of(as_bytes(*content)) == last->second.hash) {
        return {};
    }
    return withdraw(std::string(last_key_));
}

std::optional<fs::path> BatchJournal::find(std::string_view key) const {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.file.empty()) {
        return std::nullopt;
    }
    fs::path path = folder_ / found->second.file;
    std::error_code error;
    return fs::is_regular_file(path, error) ? std::optional(std::move(path)) : std::nullopt;
}

Status BatchJournal::promise(std::string_view key, const fs::path& file, ByteView content) {
    const std::string name = file.filename().string();
    if (!check_utf8(name)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a file name that is not UTF-8 cannot be remembered; choose another with --out"
        );
    }
    Entry entry{name, hash_of(content)};
    TESSERA_TRY(append(line_of({{"key", key}, {"file", entry.file}, {"hash", entry.hash}})));
    remember(key, std::move(entry));
    return {};
}

Status BatchJournal::withdraw(std::string_view key) {
    TESSERA_TRY(append(line_of({{"key", key}})));
    remember(key, {});
    return {};
}

void BatchJournal::remember(std::string_view key, Entry entry) {
    if (!entry.file.empty()) {
        // A file that is replaced is no longer the picture that it was.
        const auto [owner, is_new] = owners_.try_emplace(entry.file, key);
        if (!is_new && owner->second != key) {
            entries_.erase(owner->second);
            owner->second = key;
        }
    }
    last_key_ = key;
    entries_[last_key_] = std::move(entry);
}

Status BatchJournal::append(std::string_view line) {
    const fs::path path = folder_ / kFileName;
    const off_t before = ::lseek(fd_, 0, SEEK_END);
    while (!line.empty()) {
        const ssize_t count = ::write(fd_, line.data(), line.size());
        if (count < 0 && errno != EINTR) {
            auto error = fail_with_errno("write", path);
            // Of half a line the next one would be spoilt; if this fails too, that one is reported.
            [[maybe_unused]] const int cut = ::ftruncate(fd_, before);
            return error;
        }
        line.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    if (::fsync(fd_) != 0) {
        return fail_with_errno("write", path);
    }
    return {};
}

Status BatchJournal::complete() {
    const fs::path path = folder_ / kFileName;
    if (::unlink(path.c_str()) != 0) {
        return fail_with_errno("remove", path);
    }
    entries_.clear();
    owners_.clear();
    return {};
}

}  // namespace tessera::cli
