#include "queue/reader_pool_internal.h"

namespace tessera {

Result<std::unique_ptr<ReaderPool::Lent>> ReaderPool::borrow() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto lent = std::move(idle_.back());
            idle_.pop_back();
            return lent;
        }
    }
    auto lent = std::make_unique<Lent>();
    TESSERA_ASSIGN(lent->connection, connect(path_, SQLITE_OPEN_READONLY, vfs_));
    TESSERA_ASSIGN(lent->reader, JobReader::prepare(lent->connection.get()));
    return lent;
}

void ReaderPool::give_back(std::unique_ptr<Lent> lent) {
    constexpr std::size_t kKept = 4;
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kKept) {
        idle_.push_back(std::move(lent));
    }
}

}  // namespace tessera
