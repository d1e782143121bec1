#pragma once

#include "storage/object_store.h"
#include "storage/store_budget.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tessera {

struct VerifyProgress {
    std::uint64_t objects = 0;  ///< looked at so far
    std::uint64_t bytes = 0;
    std::uint64_t damaged = 0;
};

struct DamagedObject {
    std::string sha256;
    std::string reason;  ///< a sentence
};

struct VerifyReport {
    VerifyProgress seen;
    std::vector<DamagedObject> damaged;
    /// Files that are none of ours, by their path in the store; left alone.
    std::vector<std::string> foreign;
};

struct SweepReport {
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
};

/// Objects as files of one folder; see docs/adr/0016. Bytes are durable before their name is
/// visible, and the name is durable before `finish` returns. Several processes may use one folder
/// (a server and `tessera store verify`); each keeps account of the budget for itself.
class FolderStore final : public ObjectStore {
  public:
    /// Makes the folder (for its owner alone) if there is none, clears what dead writers left, and
    /// counts what is there.
    [[nodiscard]] static Result<std::unique_ptr<FolderStore>> open(
        const std::filesystem::path& folder,
        const StoreLimits& limits,
        const Clock& clock = Clock::system()
    );
    ~FolderStore() override;

    /// The writer may outlive the store.
    [[nodiscard]] Result<std::unique_ptr<ObjectWriter>> create(
        const std::string& expected, std::uint64_t size, const std::string& media_type
    ) override;
    [[nodiscard]] Result<ObjectInfo> info(const std::string& sha256) const override;
    [[nodiscard]] Result<ObjectInfo> touch(const std::string& sha256) override;
    [[nodiscard]] Result<Bytes> read(
        const std::string& sha256, std::uint64_t offset, std::uint64_t size
    ) const override;
    [[nodiscard]] Status remove(const std::string& sha256) override;
    [[nodiscard]] Status list(const std::function<bool(const ObjectInfo&)>& each) const override;

    [[nodiscard]] StoreBudget::Account account() const;
    /// What may still be stored: within the limits, on the disk as it is now.
    [[nodiscard]] Result<std::uint64_t> room() const;

    /// Reads everything. Objects whose bytes have another hash or cannot be read are moved to
    /// damaged/, so that nobody is given them and they can be stored anew. Told after each object;
    /// `progress` ends it early by false.
    [[nodiscard]] Result<VerifyReport> verify(
        const std::function<bool(const VerifyProgress&)>& progress
    );

    /// Removes what is not in `referenced` and was stored or touched longer than `grace` ago. What
    /// is put or touched meanwhile stays, so a list that is a little old does no harm as long as
    /// everybody touches what he is about to refer to.
    [[nodiscard]] Result<SweepReport> sweep(std::vector<std::string> referenced, Duration grace);

  private:
    explicit FolderStore(std::shared_ptr<struct FolderStoreParts> parts);

    std::shared_ptr<FolderStoreParts> parts_;
};

}  // namespace tessera
