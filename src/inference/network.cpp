#include "inference/network.h"

#include "inference/session_internal.h"

namespace tessera {

Network::Network(std::string name, std::shared_ptr<const Session> session)
    : name_(std::move(name)),
      inputs_(session->inputs()),
      outputs_(session->outputs()),
      session_(std::move(session)) {}

const std::vector<Port>& Network::inputs() const {
    return inputs_;
}

const std::vector<Port>& Network::outputs() const {
    return outputs_;
}

Result<std::vector<Tensor>> Network::run(
    std::span<const Input> inputs, const std::stop_token& cancel
) const {
    const auto order = match_inputs(inputs_, inputs);
    if (!order) {
        return within(name_, order.error());
    }
    auto outputs = session()->run(inputs, *order, cancel);
    if (!outputs) {
        return within(name_, std::move(outputs).error());
    }
    return outputs;
}

bool Network::is_mapped() const {
    return session()->is_mapped();
}

void Network::replace_session(std::shared_ptr<const Session> session) {
    const std::lock_guard lock(mutex_);
    session_.swap(session);
}

std::shared_ptr<const Session> Network::session() const {
    const std::lock_guard lock(mutex_);
    return session_;
}

}  // namespace tessera
