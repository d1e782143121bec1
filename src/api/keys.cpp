#include "api/keys.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::string_view kFirstLine = "tessera-keys 1";
constexpr std::uint64_t kMaxFileBytes = 16U << 20U;
constexpr std::size_t kIdLetters = 8;
constexpr std::size_t kSecretLetters = 32;
constexpr std::size_t kHashLetters = 64;
constexpr Duration kLookAgain = std::chrono::seconds(1);

constexpr std::array<std::pair<Role, std::string_view>, 3> kRoles = {{
    {Role::kUser, "user"},
    {Role::kAdmin, "admin"},
    {Role::kWorker, "worker"},
}};

bool is_name(std::string_view text) {
    const auto fits = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
    };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
}

Status check_name(std::string_view what, std::string_view text) {
    if (!is_name(text)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} must be 1 to 64 letters, digits, '.', '_' and '-'",
            what
        );
    }
    return {};
}

std::string line_of(const KeyRecord& record) {
    return fmt::format(
        "{} {} {} {} {} {} {}\n",
        record.id,
        to_string(record.role),
        record.tenant,
        record.name,
        record.sha256,
        record.created.time_since_epoch().count(),
        record.expires ? std::to_string(record.expires->time_since_epoch().count()) : "-"
    );
}

std::optional<WallTime> time_of(std::string_view text) {
    const auto count = read_number<std::int64_t>(text);
    return count ? std::optional(WallTime(std::chrono::milliseconds(*count))) : std::nullopt;
}

std::optional<KeyRecord> record_of(const std::string& line) {
    std::istringstream words(line);
    std::string role;
    std::string created;
    std::string expires;
    std::string more;
    KeyRecord record;
    words >> record.id >> role >> record.tenant >> record.name >> record.sha256 >> created >>
        expires;
    const auto found = find_role(role);
    const auto made = time_of(created);
    const bool is_sound = words && !(words >> more) && found && made && is_name(record.id) &&
                          is_name(record.tenant) && is_name(record.name) &&
                          record.sha256.size() == kHashLetters;
    if (!is_sound) {
        return std::nullopt;
    }
    record.role = *found;
    record.created = *made;
    if (expires != "-") {
        record.expires = time_of(expires);
        if (!record.expires) {
            return std::nullopt;
        }
    }
    return record;
}

/// Changes whenever the file is replaced; empty when there is none.
std::string identity_of(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return {};
    }
    return fmt::format(
        "{} {} {} {}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec
    );
}

Status errno_failure(const std::filesystem::path& file) {
    const int code = errno;
    return fail(errno_kind(code), "cannot write {}: {}", file.string(), errno_text(code));
}

/// As write_file_atomically, but nobody else may ever read it.
Status write_private_file(const std::filesystem::path& file, std::string_view content) {
    const std::filesystem::path temporary = file.string() + ".new";
    ::unlink(temporary.c_str());
    const int out = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) {
        return errno_failure(temporary);
    }
    bool is_written = true;
    while (is_written && !content.empty()) {
        const auto count = ::write(out, content.data(), content.size());
        is_written = count > 0 || (count < 0 && errno == EINTR);
        content.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    is_written = is_written && ::fsync(out) == 0;
    Status status = is_written ? Status() : errno_failure(temporary);
    ::close(out);
    if (status && std::rename(temporary.c_str(), file.c_str()) != 0) {
        status = errno_failure(file);
    }
    if (!status) {
        ::unlink(temporary.c_str());
        return status;
    }
    const auto parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        status = ::fsync(folder) == 0 ? Status() : errno_failure(file);
        ::close(folder);
    }
    return status;
}

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::open(
    std::filesystem::path file, const Clock& clock, Entropy& entropy
) {
    std::unique_ptr<KeyRing> ring(new KeyRing(std::move(file), clock, entropy));
    TESSERA_TRY(ring->read());
    return ring;
}

Status KeyRing::read() const {
    std::string identity = identity_of(file_);
    std::vector<KeyRecord> records;
    if (!identity.empty()) {
        TESSERA_ASSIGN(const std::string text, read_file(file_, kMaxFileBytes));
        std::istringstream lines(text);
        std::string line;
        std::getline(lines, line);
        if (line != kFirstLine) {
            return fail(
                ErrorKind::kCorrupt,
                "{} does not begin with \"{}\": it is no file of keys of this version; move it "
                "away to begin with none",
                file_.string(),
                kFirstLine
            );
        }
        for (int number = 2; std::getline(lines, line); ++number) {
            auto record = record_of(line);
            if (!record) {
                return fail(
                    ErrorKind::kCorrupt,
                    "{}, line {} is no key: remove the line, or restore the file",
                    file_.string(),
                    number
                );
            }
            records.push_back(*std::move(record));
        }
    }
    records_ = std::move(records);
    identity_ = std::move(identity);
    looked_ = clock_.now();
    return {};
}

void KeyRing::look_again() const {
    const Instant now = clock_.now();
    if (now - looked_ < kLookAgain) {
        return;
    }
    looked_ = now;
    if (identity_of(file_) != identity_) {
        // What cannot be read leaves the keys as they were; whoever opens or changes it is told.
        (void)read();
    }
}

Status KeyRing::save(std::vector<KeyRecord> records) {
    std::string text = fmt::format("{}\n", kFirstLine);
    for (const KeyRecord& record : records) {
        text += line_of(record);
    }
    TESSERA_TRY(write_private_file(file_, text));
    records_ = std::move(records);
    identity_ = identity_of(file_);
    return {};
}

Result<KeyRing::NewKey> KeyRing::add(
    const std::string& name, const std::string& tenant, Role role, std::optional<Duration> lifetime
) {
    TESSERA_TRY(check_name("name", name));
    TESSERA_TRY(check_name("tenant", tenant));
    const std::lock_guard lock(mutex_);
    TESSERA_TRY(read());
    if (std::ranges::find(records_, name, &KeyRecord::name) != records_.end()) {
        return fail(ErrorKind::kConflict, "there is a key named {} already", name);
    }
    NewKey made;
    made.record.id = random_base62(kIdLetters, entropy_);
    made.key = fmt::format("tsr_{}_{}", made.record.id, random_base62(kSecretLetters, entropy_));
    made.record.name = name;
    made.record.tenant = tenant;
    made.record.role = role;
    made.record.sha256 = sha256_hex(as_bytes(made.key));
    made.record.created = clock_.wall();
    if (lifetime) {
        made.record.expires =
            made.record.created + std::chrono::duration_cast<std::chrono::milliseconds>(*lifetime);
    }
    std::vector<KeyRecord> records = records_;
    records.push_back(made.record);
    TESSERA_TRY(save(std::move(records)));
    return made;
}

Status KeyRing::remove(const std::string& which) {
    const std::lock_guard lock(mutex_);
    TESSERA_TRY(read());
    auto found = std::ranges::find(records_, which, &KeyRecord::id);
    if (found == records_.end()) {
        found = std::ranges::find(records_, which, &KeyRecord::name);
    }
    if (found == records_.end()) {
        return fail(ErrorKind::kNotFound, "there is no key of that id or name");
    }
    std::vector<KeyRecord> records = records_;
    records.erase(records.begin() + (found - records_.begin()));
    return save(std::move(records));
}

std::vector<KeyRecord> KeyRing::list() const {
    const std::lock_guard lock(mutex_);
    look_again();
    return records_;
}

bool KeyRing::empty() const {
    return list().empty();
}

std::optional<Caller> KeyRing::check(std::string_view key) const {
    const std::string hash = sha256_hex(as_bytes(key));
    const std::lock_guard lock(mutex_);
    look_again();
    const KeyRecord* found = nullptr;
    for (const KeyRecord& record : records_) {
        if (CRYPTO_memcmp(record.sha256.data(), hash.data(), kHashLetters) == 0) {
            found = &record;
        }
    }
    if (found == nullptr || (found->expires && *found->expires <= clock_.wall())) {
        return std::nullopt;
    }
    return Caller{found->id, found->tenant, found->role};
}

std::string_view to_string(Role role) {
    return std::ranges::find(kRoles, role, &std::pair<Role, std::string_view>::first)->second;
}

Result<Role> find_role(std::string_view name) {
    for (const auto& [role, its_name] : kRoles) {
        if (its_name == name) {
            return role;
        }
    }
    return fail(ErrorKind::kInvalidArgument, "role must be user, admin or worker");
}

}  // namespace tessera::api
