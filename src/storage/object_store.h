#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tessera {

/// What is known of a stored object without reading it.
struct ObjectInfo {
    std::string sha256;
    std::uint64_t bytes = 0;
    /// As the first who stored it said.
    std::string media_type;
    WallTime stored;  ///< or touched
};

/// An object that is being sent here. It appears under its hash when `finish` says so, or not at
/// all. One thread. After an error it is of no more use.
class ObjectWriter {
  public:
    virtual ~ObjectWriter() = default;
    /// kExhausted when the announced size is passed or the disk is full.
    [[nodiscard]] virtual Status write(ByteView bytes) = 0;
    /// Durable when it returns; once. kCorrupt when the bytes do not have the expected hash.
    /// Storing what is there already succeeds. kUnavailable: send it again.
    [[nodiscard]] virtual Result<ObjectInfo> finish() = 0;
};

/// Bytes by the SHA-256 of their content; nothing is ever overwritten. Thread-safe.
class ObjectStore {
  public:
    virtual ~ObjectStore() = default;

    /// `expected` is the content's SHA-256 in hex, or empty when only the bytes will tell; `size`
    /// is the most that will come, and is kept free until the writer is gone. An empty media type
    /// is application/octet-stream. kExhausted when there is no room for `size`.
    [[nodiscard]] virtual Result<std::unique_ptr<ObjectWriter>> create(
        const std::string& expected, std::uint64_t size, const std::string& media_type
    ) = 0;
    /// All at once.
    [[nodiscard]] Result<ObjectInfo> put(ByteView bytes, const std::string& media_type);

    /// kNotFound.
    [[nodiscard]] virtual Result<ObjectInfo> info(const std::string& sha256) const = 0;
    /// As info, and counts as stored now. To be called before something begins to refer to an
    /// object that is there: a sweep leaves alone what was stored lately. kNotFound.
    [[nodiscard]] virtual Result<ObjectInfo> touch(const std::string& sha256) = 0;
    /// Part of it: up to `size` bytes from `offset`. kNotFound.
    [[nodiscard]] virtual Result<Bytes> read(
        const std::string& sha256, std::uint64_t offset, std::uint64_t size
    ) const = 0;
    /// The whole of it, with its hash checked. kCorrupt when it is damaged.
    [[nodiscard]] Result<Bytes> get(const std::string& sha256) const;
    /// Succeeds when it is not there.
    [[nodiscard]] virtual Status remove(const std::string& sha256) = 0;
    /// Every object, in any order, until `each` says false.
    [[nodiscard]] virtual Status list(const std::function<bool(const ObjectInfo&)>& each) const = 0;
};

/// Whether it is 64 lower-case hex digits: nothing else is ever looked for.
[[nodiscard]] bool is_sha256(std::string_view text);

}  // namespace tessera
