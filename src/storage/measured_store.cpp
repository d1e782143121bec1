#include "storage/measured_store.h"

#include "telemetry/farm_metrics.h"

#include <chrono>
#include <string_view>
#include <utility>

namespace tessera {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

/// "ok", or what kind of error it was.
template <class R>
std::string_view code_of(const R& result) {
    return result ? std::string_view("ok") : to_string(result.error().kind);
}

template <class R>
R noted(Metrics& metrics, std::string_view operation, SteadyTime begun, R result) {
    metrics.histogram(metric::kStoreSeconds, {operation, code_of(result)})
        .observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    return result;
}

class MeasuredWriter final : public ObjectWriter {
  public:
    MeasuredWriter(std::unique_ptr<ObjectWriter> writer, Metrics& metrics, SteadyTime begun)
        : writer_(std::move(writer)), metrics_(metrics), begun_(begun) {}

    Status write(ByteView bytes) override {
        auto written = writer_->write(bytes);
        return written ? written : noted(metrics_, "write", begun_, std::move(written));
    }
    Result<ObjectInfo> finish() override {
        return noted(metrics_, "write", begun_, writer_->finish());
    }

  private:
    const std::unique_ptr<ObjectWriter> writer_;
    Metrics& metrics_;
    const SteadyTime begun_;
};

}  // namespace

Result<std::unique_ptr<ObjectWriter>> MeasuredStore::create(
    const std::string& expected, std::uint64_t size, const std::string& media_type
) {
    const auto begun = std::chrono::steady_clock::now();
    auto writer = store_.create(expected, size, media_type);
    if (!writer) {
        return noted(metrics_, "write", begun, std::move(writer));
    }
    return std::make_unique<MeasuredWriter>(*std::move(writer), metrics_, begun);
}

Result<ObjectInfo> MeasuredStore::info(const std::string& sha256) const {
    const auto begun = std::chrono::steady_clock::now();
    return noted(metrics_, "info", begun, store_.info(sha256));
}

Result<ObjectInfo> MeasuredStore::touch(const std::string& sha256) {
    const auto begun = std::chrono::steady_clock::now();
    return noted(metrics_, "touch", begun, store_.touch(sha256));
}

Result<Bytes> MeasuredStore::read(
    const std::string& sha256, std::uint64_t offset, std::uint64_t size
) const {
    const auto begun = std::chrono::steady_clock::now();
    return noted(metrics_, "read", begun, store_.read(sha256, offset, size));
}

Status MeasuredStore::remove(const std::string& sha256) {
    const auto begun = std::chrono::steady_clock::now();
    return noted(metrics_, "remove", begun, store_.remove(sha256));
}

Status MeasuredStore::list(const std::function<bool(const ObjectInfo&)>& each) const {
    const auto begun = std::chrono::steady_clock::now();
    return noted(metrics_, "list", begun, store_.list(each));
}

}  // namespace tessera
