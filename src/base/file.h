#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace tessera {

/// A whole file mapped read-only. The view lives as long as the object; copies share it.
/// Another process that truncates the file meanwhile makes reads fault (SIGBUS): map only files
/// that their owners replace rather than rewrite.
class MappedFile {
  public:
    /// kNotFound, kInvalidArgument (not a regular file) or kUnavailable. An empty file maps to an
    /// empty view.
    [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);

    [[nodiscard]] ByteView bytes() const { return bytes_; }
    /// Changes whenever the file is replaced or rewritten: from its size, device, inode and time of
    /// modification, not from its content.
    [[nodiscard]] const std::string& identity() const { return identity_; }

  private:
    std::shared_ptr<const void> mapping_;
    ByteView bytes_;
    std::string identity_;
};

/// Reads a small file whole. kExhausted when it is larger than `limit_bytes`.
[[nodiscard]] Result<std::string> read_file(
    const std::filesystem::path& path, std::uint64_t limit_bytes
);

/// A file under construction that readers see whole or not at all: it has a temporary name in the
/// same folder until `commit`. Destroyed before that, it leaves nothing behind.
class AtomicFileWriter {
  public:
    AtomicFileWriter();
    ~AtomicFileWriter();
    AtomicFileWriter(const AtomicFileWriter&) = delete;
    AtomicFileWriter& operator=(const AtomicFileWriter&) = delete;

    [[nodiscard]] Status open(const std::filesystem::path& path);
    [[nodiscard]] Status write(ByteView bytes);
    /// Appends zeros up to that offset from the start. kInternal if it is passed already.
    [[nodiscard]] Status pad_to(std::uint64_t offset);
    /// fsync, rename, fsync of the folder: durable when it returns.
    [[nodiscard]] Status commit();

  private:
    struct Open;
    std::unique_ptr<Open> open_;
};

/// Writes a file so that readers see the old content or the new, never a part: temporary name in
/// the same folder, fsync, rename, fsync of the folder. On failure nothing is left behind.
[[nodiscard]] Status write_file_atomically(const std::filesystem::path& path, ByteView content);

/// The system's words for an errno value, such as "No space left on device".
[[nodiscard]] std::string errno_text(int code);

/// The kind that fits an errno value from a file operation.
[[nodiscard]] ErrorKind errno_kind(int code);

}  // namespace tessera
