#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "inference/port.h"

#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

class Session;

/// A network ready to run. Made by Engine::load; thread-safe; may outlive the engine. Equal inputs
/// give equal bytes on equal engine fingerprints, and each row of a batch comes out as it would
/// alone.
class Network {
  public:
    Network(std::string name, std::shared_ptr<const Session> session);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<Port>& inputs() const;
    [[nodiscard]] const std::vector<Port>& outputs() const;

    /// All outputs, in the graph's order. Inputs may come in any order; they are not copied.
    /// kInvalidArgument for inputs that do not match the ports, kCancelled soon after a stop is
    /// asked for (between two operators, well within a second), kExhausted when memory runs out.
    [[nodiscard]] Result<std::vector<Tensor>> run(
        std::span<const Input> inputs, const std::stop_token& cancel = {}
    ) const;

    /// Whether the weights are mapped from the engine cache, where other processes share them,
    /// rather than a private copy in memory.
    [[nodiscard]] bool is_mapped() const;

    /// Goes on with another session of the same network; calls under way end on the old one.
    void replace_session(std::shared_ptr<const Session> session);

  private:
    [[nodiscard]] std::shared_ptr<const Session> session() const;

    std::string name_;
    std::vector<Port> inputs_;
    std::vector<Port> outputs_;
    mutable std::mutex mutex_;  // guards session_
    std::shared_ptr<const Session> session_;
};

}  // namespace tessera
