#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace tessera {

/// How much a store may take of a disk, so that it is refused before it is full.
struct StoreLimits {
    /// Of all objects, with those that are being written; 0: no limit.
    std::uint64_t max_bytes = 0;
    /// What is to stay free on the disk for others (the queue above all).
    std::uint64_t min_free_bytes = 0;
};

/// Keeps account of what is stored and of what running writers may still write. Thread-safe.
class StoreBudget {
  public:
    /// `free_bytes` asks the disk; `place` names the store in messages.
    StoreBudget(
        const StoreLimits& limits,
        std::string place,
        std::function<Result<std::uint64_t>()> free_bytes
    );

    /// Room for one object until it is stored or given up. One thread.
    class Reservation {
      public:
        Reservation(StoreBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
        ~Reservation();
        Reservation(const Reservation&) = delete;
        Reservation& operator=(const Reservation&) = delete;

        /// So many more bytes of it are on the disk now.
        void wrote(std::uint64_t bytes);
        /// What was written is an object now, and stays.
        void keep();

      private:
        StoreBudget* budget_;
        std::uint64_t bytes_;
        std::uint64_t written_ = 0;
    };

    /// kExhausted, naming the limit and the mend. The budget must outlive it.
    [[nodiscard]] Result<std::unique_ptr<Reservation>> reserve(std::uint64_t bytes);

    void add(std::uint64_t bytes);
    void remove(std::uint64_t bytes);

    struct Account {
        std::uint64_t used = 0;      ///< by objects
        std::uint64_t reserved = 0;  ///< by running writers, written or not
    };
    [[nodiscard]] Account account() const;
    /// So many bytes could be reserved now.
    [[nodiscard]] Result<std::uint64_t> room() const;
    [[nodiscard]] const StoreLimits& limits() const { return limits_; }

  private:
    StoreLimits limits_;
    std::string place_;
    std::function<Result<std::uint64_t>()> free_bytes_;
    mutable std::mutex mutex_;
    Account account_;
    std::uint64_t written_ = 0;  ///< of the reserved bytes
};

}  // namespace tessera
