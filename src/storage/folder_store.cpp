#include "storage/folder_store.h"

#include "storage/folder_store_internal.h"
#include "storage/media_type.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tessera {

Status check_sha256(const std::string& text) {
    if (!is_sha256(text)) {
        return fail(
            ErrorKind::kInvalidArgument, "'{}' is no SHA-256 in 64 lower-case hex digits", text
        );
    }
    return {};
}

FolderStoreParts::FolderStoreParts(
    FolderLayout opened, const StoreLimits& limits, const Clock& time
)
    : layout(std::move(opened)),
      budget(limits, layout.place(), [this] { return layout.free_bytes(); }),
      clock(time) {}

FolderStoreParts::~FolderStoreParts() {
    layout.leave();
}

Result<ObjectInfo> FolderStoreParts::info(const std::string& sha256) const {
    TESSERA_TRY(check_sha256(sha256));
    TESSERA_ASSIGN(const FolderLayout::OpenObject object, layout.open_object(sha256));
    TESSERA_ASSIGN(std::string type, layout.media_type(sha256, object.file.get()));
    return ObjectInfo{sha256, object.stat.bytes, std::move(type), object.stat.stored};
}

Result<ObjectInfo> FolderStoreParts::touch(const std::string& sha256) {
    TESSERA_TRY(check_sha256(sha256));
    {
        const std::lock_guard lock(names);
        TESSERA_TRY(layout.set_stored(sha256, clock.wall()));
    }
    // Another writer may have put it there a moment ago and still be about to make it durable.
    TESSERA_TRY(layout.sync(sha256));
    return info(sha256);
}

Status FolderStoreParts::set_aside(const std::string& sha256, std::uint64_t bytes) {
    TESSERA_TRY(layout.set_aside(sha256));
    budget.remove(bytes);
    return {};
}

FolderStore::FolderStore(std::shared_ptr<FolderStoreParts> parts) : parts_(std::move(parts)) {}
FolderStore::~FolderStore() = default;

Result<std::unique_ptr<FolderStore>> FolderStore::open(
    const std::filesystem::path& folder, const StoreLimits& limits, const Clock& clock
) {
    TESSERA_ASSIGN(FolderLayout layout, FolderLayout::open(folder));
    auto parts = std::make_shared<FolderStoreParts>(std::move(layout), limits, clock);
    std::uint64_t used = 0;
    TESSERA_TRY(parts->layout.list(
        [&used](const std::string&, const FolderLayout::Stat& stat) {
            used += stat.bytes;
            return true;
        },
        [](const std::string&) {}
    ));
    parts->budget.add(used);
    return std::unique_ptr<FolderStore>(new FolderStore(std::move(parts)));
}

Result<std::unique_ptr<ObjectWriter>> FolderStore::create(
    const std::string& expected, std::uint64_t size, const std::string& media_type
) {
    if (!expected.empty()) {
        TESSERA_TRY(check_sha256(expected));
    }
    const std::string type = media_type.empty() ? std::string(kUnknownMediaType) : media_type;
    if (!is_media_type(type)) {
        return fail(ErrorKind::kInvalidArgument, "'{}' is no media type", media_type);
    }
    return make_folder_writer(parts_, expected, size, type);
}

Result<ObjectInfo> FolderStore::info(const std::string& sha256) const {
    return parts_->info(sha256);
}

Result<ObjectInfo> FolderStore::touch(const std::string& sha256) {
    return parts_->touch(sha256);
}

Result<Bytes> FolderStore::read(const std::string& sha256, std::uint64_t offset, std::uint64_t size)
    const {
    TESSERA_TRY(check_sha256(sha256));
    TESSERA_ASSIGN(const FolderLayout::OpenObject object, parts_->layout.open_object(sha256));
    const std::uint64_t left = object.stat.bytes - std::min(offset, object.stat.bytes);
    Bytes bytes(std::min(size, left));
    const std::int64_t got = read_at(object.file.get(), offset, bytes);
    if (got < 0) {
        return parts_->layout.failed("read", errno);
    }
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
}

Status FolderStore::remove(const std::string& sha256) {
    TESSERA_TRY(check_sha256(sha256));
    {
        const std::lock_guard lock(parts_->names);
        const auto there = parts_->layout.open_object(sha256);
        if (!there && there.error().kind == ErrorKind::kNotFound) {
            return {};
        }
        TESSERA_TRY(parts_->layout.remove(sha256));
        parts_->budget.remove(there ? there->stat.bytes : 0);
    }
    return parts_->layout.sync(sha256);
}

Status FolderStore::list(const std::function<bool(const ObjectInfo&)>& each) const {
    return parts_->layout.list(
        [this, &each](const std::string& sha256, const FolderLayout::Stat&) {
            const auto found = parts_->info(sha256);
            return !found || each(*found);
        },
        [](const std::string&) {}
    );
}

Result<std::uint64_t> FolderStore::room() const {
    return parts_->budget.room();
}

StoreBudget::Account FolderStore::account() const {
    return parts_->budget.account();
}

}  // namespace tessera
