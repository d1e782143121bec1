#pragma once

#include "base/clock.h"
#include "http/client.h"
#include "worker/farm_transport.h"

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace tessera::cli {

/// Where a worker's farm is, and what opens its door.
struct FarmAddress {
    std::string url;  ///< "http://127.0.0.1:7801"
    std::string key;
    std::filesystem::path authorities;  ///< see http::ClientOptions
};

/// A worker's link to the server as a WebSocket.
class WebSocketTransport final : public FarmTransport {
  public:
    explicit WebSocketTransport(FarmAddress address) : address_(std::move(address)) {}

    [[nodiscard]] Result<std::unique_ptr<FarmLink>> connect(Events events) override;

  private:
    const FarmAddress address_;
};

/// Objects over HTTP, a few connections shared by all slots. What fails because the server is away
/// or busy is tried again for as long as `patience`: a finished render is worth more than the time
/// in which a server starts anew.
class HttpTaskObjects final : public TaskObjects {
  public:
    explicit HttpTaskObjects(FarmAddress address, Duration patience = std::chrono::seconds(60))
        : address_(std::move(address)), patience_(patience) {}

    [[nodiscard]] Result<Bytes> fetch(
        const ObjectRef& object, const std::string& token, const std::stop_token& stop
    ) override;
    [[nodiscard]] Result<ObjectRef> store(
        ByteView bytes,
        const std::string& media_type,
        const std::string& token,
        const std::stop_token& stop
    ) override;

  private:
    Result<http::Response> ask(http::Request request, const std::stop_token& stop);
    Result<http::Response> ask_once(const http::Request& request, const std::stop_token& stop);

    const FarmAddress address_;
    const Duration patience_;
    std::mutex mutex_;
    std::vector<http::Client> idle_;
};

}  // namespace tessera::cli
