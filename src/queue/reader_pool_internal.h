#pragma once

#include "queue/database_internal.h"
#include "queue/job_reader_internal.h"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

/// Connections for reading, as many as are in use at once; a few are kept. Thread-safe.
class ReaderPool {
  public:
    ReaderPool(std::filesystem::path path, std::string vfs)
        : path_(std::move(path)), vfs_(std::move(vfs)) {}

    /// Calls `read` with a JobReader that sees one state of the database throughout.
    template <class F>
    auto with(F read) -> decltype(read(std::declval<JobReader&>())) {
        TESSERA_ASSIGN(std::unique_ptr<Lent> lent, borrow());
        if (auto begun = lent->reader.begin(); !begun) {
            return tl::unexpected(std::move(begun).error());
        }
        auto result = read(lent->reader);
        lent->reader.end();
        give_back(std::move(lent));
        return result;
    }

  private:
    struct Lent {
        ConnectionHandle connection;
        JobReader reader;
    };
    [[nodiscard]] Result<std::unique_ptr<Lent>> borrow();
    void give_back(std::unique_ptr<Lent> lent);

    std::filesystem::path path_;
    std::string vfs_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Lent>> idle_;
};

}  // namespace tessera
