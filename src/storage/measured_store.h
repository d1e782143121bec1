#pragma once

#include "storage/object_store.h"
#include "telemetry/metrics.h"

namespace tessera {

/// Another store with the time of each operation written down, by outcome. Thread-safe.
class MeasuredStore final : public ObjectStore {
  public:
    /// Both outlive it.
    MeasuredStore(ObjectStore& store, Metrics& metrics) : store_(store), metrics_(metrics) {}

    /// Writing is measured from here to the end of finish.
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

  private:
    ObjectStore& store_;
    Metrics& metrics_;
};

}  // namespace tessera
