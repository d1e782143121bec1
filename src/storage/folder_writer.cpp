#include "base/hash.h"
#include "storage/folder_store_internal.h"
#include "storage/media_type.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace tessera {
namespace {

/// What a writer holds of the disk; nothing when the object is there already, and its bytes are
/// only hashed.
struct Room {
    std::unique_ptr<StoreBudget::Reservation> reservation;
    FolderLayout::Temporary temporary;
};

class FolderWriter final : public ObjectWriter {
  public:
    FolderWriter(
        std::shared_ptr<FolderStoreParts> parts,
        std::string expected,
        std::uint64_t size,
        std::string media_type,
        std::optional<Room> room
    )
        : parts_(std::move(parts)),
          expected_(std::move(expected)),
          size_(size),
          media_type_(std::move(media_type)),
          room_(std::move(room)) {}

    ~FolderWriter() override { end(); }
    FolderWriter(const FolderWriter&) = delete;
    FolderWriter& operator=(const FolderWriter&) = delete;

    Status write(ByteView bytes) override;
    Result<ObjectInfo> finish() override;

  private:
    [[nodiscard]] Result<ObjectInfo> finish_as(const std::string& sha256);
    [[nodiscard]] Result<ObjectInfo> confirm(const std::string& sha256);
    [[nodiscard]] Result<ObjectInfo> store(const std::string& sha256);
    [[nodiscard]] Status write_type();
    /// Leaves nothing behind but what has become an object.
    void end();

    std::shared_ptr<FolderStoreParts> parts_;
    std::string expected_;
    std::uint64_t size_;
    std::string media_type_;
    std::optional<Room> room_;
    /// Holds the media type, where the bytes do not show it.
    std::optional<FolderLayout::Temporary> type_;
    Sha256 hash_;
    Bytes beginning_;
    std::uint64_t written_ = 0;
    bool over_ = false;
};

Status FolderWriter::write(ByteView bytes) {
    if (over_) {
        return fail(ErrorKind::kInternal, "this object is finished or has failed");
    }
    if (bytes.size() > size_ - written_) {
        end();
        return fail(ErrorKind::kExhausted, "more than the announced {} bytes came", size_);
    }
    if (room_) {
        if (!write_all(room_->temporary.file.get(), bytes)) {
            const int code = errno;
            end();
            return parts_->layout.failed("write to", code);
        }
        room_->reservation->wrote(bytes.size());
    }
    const std::size_t missing = kMediaTypeBytes - beginning_.size();
    const ByteView more = bytes.first(std::min(missing, bytes.size()));
    beginning_.insert(beginning_.end(), more.begin(), more.end());
    hash_.add(bytes);
    written_ += bytes.size();
    return {};
}

Result<ObjectInfo> FolderWriter::finish() {
    if (over_) {
        return fail(ErrorKind::kInternal, "this object is finished or has failed");
    }
    auto stored = finish_as(hash_.hex());
    end();
    return stored;
}

Result<ObjectInfo> FolderWriter::finish_as(const std::string& sha256) {
    if (!expected_.empty() && sha256 != expected_) {
        return fail(
            ErrorKind::kCorrupt, "the bytes have the SHA-256 {}, not {}", sha256, expected_
        );
    }
    return room_ ? store(sha256) : confirm(sha256);
}

Result<ObjectInfo> FolderWriter::confirm(const std::string& sha256) {
    auto there = parts_->touch(sha256);
    if (there && there->bytes == written_) {
        return there;
    }
    if (there) {
        const std::lock_guard lock(parts_->names);
        TESSERA_TRY(parts_->set_aside(sha256, there->bytes));
    } else if (there.error().kind != ErrorKind::kNotFound) {
        return there;
    }
    return fail(
        ErrorKind::kUnavailable, "the object {} went away meanwhile; send it again", sha256
    );
}

Result<ObjectInfo> FolderWriter::store(const std::string& sha256) {
    FolderLayout& layout = parts_->layout;
    const WallTime now = parts_->clock.wall();
    TESSERA_TRY(layout.finish_temporary(room_->temporary, now));
    if (media_type_ != media_type_of(beginning_)) {
        TESSERA_TRY(write_type());
        TESSERA_TRY(layout.finish_temporary(*type_, now));
    }
    {
        const std::lock_guard lock(parts_->names);
        if (const auto there = layout.open_object(sha256); there && there->stat.bytes != written_) {
            TESSERA_TRY(parts_->set_aside(sha256, there->stat.bytes));
        }
        const Status adopted =
            layout.adopt(room_->temporary.name, type_ ? type_->name : std::string(), sha256);
        if (adopted) {
            room_->reservation->keep();
        } else if (adopted.error().kind == ErrorKind::kConflict) {
            TESSERA_TRY(layout.set_stored(sha256, now));
        } else {
            return tl::unexpected(adopted.error());
        }
    }
    TESSERA_TRY(layout.sync(sha256));
    return parts_->info(sha256);
}

Status FolderWriter::write_type() {
    TESSERA_ASSIGN(type_, parts_->layout.make_temporary());
    if (!write_all(type_->file.get(), as_bytes(media_type_))) {
        return parts_->layout.failed("write to", errno);
    }
    return {};
}

void FolderWriter::end() {
    over_ = true;
    // Names that were adopted are gone from there, and never used again.
    if (room_) {
        parts_->layout.drop_temporary(room_->temporary.name);
        room_.reset();
    }
    if (type_) {
        parts_->layout.drop_temporary(type_->name);
        type_.reset();
    }
}

}  // namespace

Result<std::unique_ptr<ObjectWriter>> make_folder_writer(
    std::shared_ptr<FolderStoreParts> parts,
    const std::string& expected,
    std::uint64_t size,
    const std::string& media_type
) {
    std::optional<Room> room;
    const auto there = expected.empty() ? Result<ObjectInfo>(fail(ErrorKind::kNotFound, "unknown"))
                                        : parts->touch(expected);
    if (!there) {
        if (there.error().kind != ErrorKind::kNotFound) {
            return tl::unexpected(there.error());
        }
        TESSERA_ASSIGN(auto reservation, parts->budget.reserve(size));
        TESSERA_ASSIGN(auto temporary, parts->layout.make_temporary());
        room.emplace(Room{std::move(reservation), std::move(temporary)});
    }
    return std::make_unique<FolderWriter>(
        std::move(parts), expected, size, media_type, std::move(room)
    );
}

}  // namespace tessera
