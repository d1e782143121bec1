#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace tessera {

/// An open file, closed with it.
class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    ~UniqueFd() { close(); }
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        close();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    /// Hands it over to somebody else who will close it.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void close();

  private:
    int fd_ = -1;
};

/// The files of a folder store:
///
///     sha256/ab/cdef…        an object: exactly its bytes; its time of modification is `stored`
///     sha256/ab/cdef….type   its media type, where the bytes do not show it
///     tmp/<name>/<n>         objects under construction, in a folder of each process, locked by it
///     damaged/<sha256>       what verify has taken out
///
/// All is reached from open folders by names made of checked hex, so no name leads out.
/// Thread-safe.
class FolderLayout {
  public:
    /// Makes what is missing and clears what dead processes have left in tmp.
    [[nodiscard]] static Result<FolderLayout> open(const std::filesystem::path& folder);

    struct Stat {
        std::uint64_t bytes = 0;
        WallTime stored;
    };
    struct OpenObject {
        UniqueFd file;
        Stat stat;
    };
    struct Temporary {
        std::string name;
        UniqueFd file;
    };

    // Every `sha256` below is_sha256; kNotFound where there is no such object.
    [[nodiscard]] Result<OpenObject> open_object(const std::string& sha256) const;
    [[nodiscard]] Result<std::string> media_type(const std::string& sha256, int file) const;
    [[nodiscard]] Status set_stored(const std::string& sha256, WallTime stored) const;

    [[nodiscard]] Result<Temporary> make_temporary();
    /// Closes it, durably with that time.
    [[nodiscard]] Status finish_temporary(Temporary& temporary, WallTime stored) const;
    void drop_temporary(const std::string& name) const;
    /// After the last temporary file.
    void leave() const;
    /// Gives a temporary file its place, and that with its media type first; an empty `type` says
    /// that the bytes show it. kConflict when the object is there already: both remain where they
    /// are then. Durable after sync. One at a time.
    [[nodiscard]] Status adopt(
        const std::string& temporary, const std::string& type, const std::string& sha256
    ) const;
    [[nodiscard]] Status sync(const std::string& sha256) const;

    [[nodiscard]] Status remove(const std::string& sha256) const;
    /// Moves it to damaged/.
    [[nodiscard]] Status set_aside(const std::string& sha256) const;

    /// Every object, in any order, until `each` says false; it may remove what it is told of. Files
    /// that are no store's go to `foreign`, by their path in the store.
    [[nodiscard]] Status list(
        const std::function<bool(const std::string& sha256, const Stat&)>& each,
        const std::function<void(const std::string& path)>& foreign
    ) const;

    [[nodiscard]] Result<std::uint64_t> free_bytes() const;
    [[nodiscard]] const std::string& place() const { return place_; }

    /// An errno of an operation on the store as an error.
    [[nodiscard]] tl::unexpected<Error> failed(const char* verb, int code) const;

  private:
    FolderLayout() = default;
    [[nodiscard]] Result<UniqueFd> shard(const std::string& sha256) const;

    std::string place_;
    UniqueFd objects_;
    UniqueFd temporaries_;  ///< this process's own; its lock says that we live
    std::string temporaries_name_;
    UniqueFd all_temporaries_;
    UniqueFd damaged_;
    std::uint64_t next_temporary_ = 0;
};

/// The whole of it, through interruptions and short writes. False: errno says why.
[[nodiscard]] bool write_all(int file, ByteView bytes);
/// As many bytes as there are, at most bytes.size(). Negative: errno says why.
[[nodiscard]] std::int64_t read_at(int file, std::uint64_t offset, std::span<std::byte> bytes);

}  // namespace tessera
