#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "inference/fingerprint.h"
#include "inference/port.h"
#include "inference/runtime_internal.h"
#include "models/onnx_model.h"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// The settings that every session is made with, in words: they belong to the engine fingerprint.
[[nodiscard]] std::string session_settings();

/// Gives the system back what the heap holds but does not use: making or ending a session, or a
/// model, leaves holes as large as its weights.
void return_free_memory();

/// A session of ONNX Runtime with what it says about itself read once. Thread-safe.
class Session {
  public:
    /// Optimises the graph now and copies the weights, so `model` may go afterwards.
    /// kUnsupported when the provider, or a library that it needs, is not installed.
    [[nodiscard]] static Result<std::shared_ptr<const Session>> from_memory(
        const std::shared_ptr<Runtime>& runtime, const OnnxModel& model, Provider provider
    );

    /// Maps what write_optimised() wrote into `folder`; `graph` is the content of its graph file.
    [[nodiscard]] static Result<std::shared_ptr<const Session>> from_cache(
        const std::shared_ptr<Runtime>& runtime,
        std::string_view graph,
        const std::filesystem::path& folder
    );

    Session(std::shared_ptr<Runtime> runtime, Ort::Session session, bool is_mapped);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] const std::vector<Port>& inputs() const { return inputs_; }
    [[nodiscard]] const std::vector<Port>& outputs() const { return outputs_; }
    [[nodiscard]] bool is_mapped() const { return is_mapped_; }

    /// `order[i]` is the index of the input for port i, as match_inputs() gives it.
    [[nodiscard]] Result<std::vector<Tensor>> run(
        std::span<const Input> inputs,
        std::span<const std::size_t> order,
        const std::stop_token& cancel
    ) const;

  private:
    std::shared_ptr<Runtime> runtime_;
    mutable Ort::Session session_;  // Run() of the C++ API is not const, though thread-safe
    bool is_mapped_;
    std::vector<Port> inputs_;
    std::vector<Port> outputs_;
};

/// Writes the optimised graph and its weights, laid out for this CPU, as two files into an existing
/// folder; on the calling thread alone. Neither is synced to disk. kCancelled on a stop.
[[nodiscard]] Status write_optimised(
    const std::shared_ptr<Runtime>& runtime,
    const OnnxModel& model,
    const std::filesystem::path& folder,
    const std::stop_token& cancel
);

}  // namespace tessera
