#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

enum class Role : std::uint8_t { kUser, kAdmin, kWorker };

/// Who asks.
struct Caller {
    std::string key_id;  ///< empty: nobody gave a key, and none was needed
    std::string tenant;
    Role role = Role::kUser;
};

struct KeyRecord {
    std::string id;
    std::string name;  ///< for people
    std::string tenant;
    Role role = Role::kUser;
    std::string sha256;  ///< of the whole key, in hex
    WallTime created;
    std::optional<WallTime> expires;
};

/// The farm's API keys, "tsr_<id>_<32 letters and digits>": random, kept as SHA-256 in a file of
/// mode 0600 that is replaced atomically. What another process (`tessera keys`) writes to the file
/// is seen within a second. Thread-safe.
class KeyRing {
  public:
    /// Reads the file, or begins with none. kCorrupt names the line and the mend; so do the calls
    /// that change something, if it has become so since.
    [[nodiscard]] static Result<std::unique_ptr<KeyRing>> open(
        std::filesystem::path file, const Clock& clock, Entropy& entropy
    );

    struct NewKey {
        std::string key;  ///< shown once, kept nowhere
        KeyRecord record;
    };
    /// Durable when it returns. kConflict when the name is taken; kInvalidArgument for names that
    /// are none: 1 to 64 letters, digits, '.', '_' and '-'.
    [[nodiscard]] Result<NewKey> add(
        const std::string& name,
        const std::string& tenant,
        Role role,
        std::optional<Duration> lifetime = std::nullopt
    );
    /// By id or name. kNotFound.
    [[nodiscard]] Status remove(const std::string& which);
    [[nodiscard]] std::vector<KeyRecord> list() const;
    [[nodiscard]] bool empty() const;

    /// Nothing when it is unknown or has expired. Takes the same time for every wrong key.
    [[nodiscard]] std::optional<Caller> check(std::string_view key) const;

  private:
    KeyRing(std::filesystem::path file, const Clock& clock, Entropy& entropy)
        : file_(std::move(file)), clock_(clock), entropy_(entropy) {}
    [[nodiscard]] Status save(std::vector<KeyRecord> records);
    [[nodiscard]] Status read() const;
    void look_again() const;

    const std::filesystem::path file_;
    const Clock& clock_;
    Entropy& entropy_;
    mutable std::mutex mutex_;  // guards what follows
    mutable std::vector<KeyRecord> records_;
    mutable std::string identity_;  ///< of the file that they were read from
    mutable Instant looked_;
};

/// "user", "admin", "worker".
[[nodiscard]] std::string_view to_string(Role role);
[[nodiscard]] Result<Role> find_role(std::string_view name);

}  // namespace tessera::api
