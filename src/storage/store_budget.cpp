#include "storage/store_budget.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

/// Whether a + b goes beyond the limit, also where the sum would not fit.
bool beyond(std::uint64_t a, std::uint64_t b, std::uint64_t limit) {
    return a > limit || b > limit - a;
}

std::string size_text(std::uint64_t bytes) {
    constexpr double kMiB = 1U << 20U;
    return bytes < (1U << 20U) ? fmt::format("{} bytes", bytes)
                               : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMiB);
}

}  // namespace

StoreBudget::StoreBudget(
    const StoreLimits& limits, std::string place, std::function<Result<std::uint64_t>()> free_bytes
)
    : limits_(limits), place_(std::move(place)), free_bytes_(std::move(free_bytes)) {}

Result<std::unique_ptr<StoreBudget::Reservation>> StoreBudget::reserve(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t taken = account_.used + account_.reserved;
    if (limits_.max_bytes != 0 && beyond(taken, bytes, limits_.max_bytes)) {
        return fail(
            ErrorKind::kExhausted,
            "the store in {} has no room for {}: {} of {} are taken; remove jobs, shorten the "
            "retention or raise store.max_size",
            place_,
            size_text(bytes),
            size_text(taken),
            size_text(limits_.max_bytes)
        );
    }
    if (limits_.min_free_bytes != 0) {
        TESSERA_ASSIGN(const std::uint64_t free, free_bytes_());
        const std::uint64_t promised = account_.reserved - written_;
        const std::uint64_t left = free > promised ? free - promised : 0;
        if (beyond(limits_.min_free_bytes, bytes, left)) {
            return fail(
                ErrorKind::kExhausted,
                "the disk of the store in {} has no room for {}: {} are free and {} are to stay "
                "so; free some, or lower store.min_free",
                place_,
                size_text(bytes),
                size_text(left),
                size_text(limits_.min_free_bytes)
            );
        }
    }
    account_.reserved += bytes;
    return std::make_unique<Reservation>(*this, bytes);
}

Result<std::uint64_t> StoreBudget::room() const {
    const auto above = [](std::uint64_t bytes, std::uint64_t taken) {
        return bytes > taken ? bytes - taken : 0;
    };
    const std::lock_guard lock(mutex_);
    TESSERA_ASSIGN(const std::uint64_t free, free_bytes_());
    const std::uint64_t promised = account_.reserved - written_;
    const std::uint64_t on_disk = above(above(free, promised), limits_.min_free_bytes);
    if (limits_.max_bytes == 0) {
        return on_disk;
    }
    return std::min(on_disk, above(limits_.max_bytes, account_.used + account_.reserved));
}

StoreBudget::Reservation::~Reservation() {
    const std::lock_guard lock(budget_->mutex_);
    budget_->account_.reserved -= bytes_;
    budget_->written_ -= written_;
}

void StoreBudget::Reservation::wrote(std::uint64_t bytes) {
    const std::lock_guard lock(budget_->mutex_);
    written_ += bytes;
    budget_->written_ += bytes;
}

void StoreBudget::Reservation::keep() {
    const std::lock_guard lock(budget_->mutex_);
    budget_->account_.used += written_;
    budget_->account_.reserved -= bytes_;
    budget_->written_ -= written_;
    bytes_ = 0;
    written_ = 0;
}

void StoreBudget::add(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    account_.used += bytes;
}

void StoreBudget::remove(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    // Another process may have removed what this one counted, and the other way round.
    account_.used -= std::min(bytes, account_.used);
}

StoreBudget::Account StoreBudget::account() const {
    const std::lock_guard lock(mutex_);
    return account_;
}

}  // namespace tessera
