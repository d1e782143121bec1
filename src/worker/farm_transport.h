#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "link/messages.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace tessera {

/// An open link to the farm's server. Thread-safe.
class FarmLink {
  public:
    virtual ~FarmLink() = default;
    /// False when it is closed.
    virtual bool send(const WorkerMessage& message) = 0;
};

/// How a worker reaches its farm: WebSocket in the product, a virtual network in the simulation.
class FarmTransport {
  public:
    struct Events {
        std::function<void(ServerMessage)> on_message;
        std::function<void(Error)> on_closed;  ///< once, last
    };

    virtual ~FarmTransport() = default;
    /// kUnavailable when the server cannot be reached, kDenied when it refuses the worker's token.
    [[nodiscard]] virtual Result<std::unique_ptr<FarmLink>> connect(Events events) = 0;
};

/// How a worker moves bytes, each task with its own token. A call ends by itself, whatever becomes
/// of the server, and soon after `stop`. Thread-safe.
class TaskObjects {
  public:
    virtual ~TaskObjects() = default;
    /// With the hash checked: kCorrupt when it is another.
    [[nodiscard]] virtual Result<Bytes> fetch(
        const ObjectRef& object, const std::string& token, const std::stop_token& stop
    ) = 0;
    /// Durable when it returns.
    [[nodiscard]] virtual Result<ObjectRef> store(
        ByteView bytes,
        const std::string& media_type,
        const std::string& token,
        const std::stop_token& stop
    ) = 0;
};

}  // namespace tessera
