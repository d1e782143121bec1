#include "base/hash.h"
#include "storage/folder_store.h"
#include "storage/folder_store_internal.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

namespace tessera {
namespace {

/// What is wrong with an object, in a sentence; nothing when it is whole, or gone by now. An error
/// when that could not be found out. `buffer` is scratch.
Result<std::optional<std::string>> damage_of(
    const FolderLayout& layout, const std::string& sha256, Bytes& buffer
) {
    const auto object = layout.open_object(sha256);
    if (!object && object.error().kind == ErrorKind::kNotFound) {
        return std::nullopt;
    }
    if (!object) {
        return tl::unexpected(object.error());
    }
    Sha256 hash;
    std::uint64_t offset = 0;
    for (;;) {
        const std::int64_t got = read_at(object->file.get(), offset, buffer);
        if (got < 0 && errno == EIO) {
            return "the disk cannot read it";
        }
        if (got < 0) {
            return layout.failed("read", errno);
        }
        hash.add(std::span(buffer).first(static_cast<std::size_t>(got)));
        offset += static_cast<std::uint64_t>(got);
        if (static_cast<std::size_t>(got) < buffer.size()) {
            break;
        }
    }
    const std::string found = hash.hex();
    return found == sha256 ? std::nullopt
                           : std::optional(fmt::format("its bytes have the SHA-256 {}", found));
}

}  // namespace

Result<VerifyReport> FolderStore::verify(const std::function<bool(const VerifyProgress&)>& progress
) {
    constexpr std::size_t kBufferBytes = 1U << 20U;
    Bytes buffer(kBufferBytes);
    VerifyReport report;
    const auto look_at = [&](const std::string& sha256, const FolderLayout::Stat& stat) -> Status {
        report.seen.objects += 1;
        report.seen.bytes += stat.bytes;
        TESSERA_ASSIGN(const auto suspicion, damage_of(parts_->layout, sha256, buffer));
        if (!suspicion) {
            return {};
        }
        // Once more while nobody can put a good one in its place.
        const std::lock_guard lock(parts_->names);
        TESSERA_ASSIGN(const auto damage, damage_of(parts_->layout, sha256, buffer));
        if (!damage) {
            return {};
        }
        report.seen.damaged += 1;
        report.damaged.push_back({sha256, *damage});
        return parts_->set_aside(sha256, stat.bytes);
    };
    Status status;
    const auto each = [&](const std::string& sha256, const FolderLayout::Stat& stat) {
        status = look_at(sha256, stat);
        return status && progress(report.seen);
    };
    TESSERA_TRY(parts_->layout.list(each, [&report](const std::string& path) {
        report.foreign.push_back(path);
    }));
    TESSERA_TRY(status);
    return report;
}

Result<SweepReport> FolderStore::sweep(std::vector<std::string> referenced, Duration grace) {
    std::sort(referenced.begin(), referenced.end());
    SweepReport report;
    Status status;
    const auto look_at = [&](const std::string& sha256, const FolderLayout::Stat& seen) {
        if (parts_->clock.wall() - seen.stored <= grace ||
            std::binary_search(referenced.begin(), referenced.end(), sha256)) {
            return true;
        }
        const std::lock_guard lock(parts_->names);
        const auto there = parts_->layout.open_object(sha256);
        if (!there || parts_->clock.wall() - there->stat.stored <= grace) {
            return true;  // gone, or wanted again
        }
        status = parts_->layout.remove(sha256);
        if (status) {
            parts_->budget.remove(there->stat.bytes);
            report.objects += 1;
            report.bytes += there->stat.bytes;
        }
        return status.has_value();
    };
    TESSERA_TRY(parts_->layout.list(look_at, [](const std::string&) {}));
    TESSERA_TRY(status);
    return report;
}

}  // namespace tessera
