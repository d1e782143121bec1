#pragma once

#include "base/result.h"

#include <onnxruntime_cxx_api.h>

#include <exception>
#include <memory>
#include <type_traits>

namespace tessera {

/// ONNX Runtime's own words and code as one of our errors.
[[nodiscard]] Error translate(const Ort::Exception& exception);
/// For anything else that flies out of it: out of memory, or our mistake.
[[nodiscard]] Error translate(const std::exception& exception);

/// Calls into ONNX Runtime and turns what it throws into an error. The one wall between its
/// exceptions and our values.
template <class Call>
[[nodiscard]] auto behind_wall(Call&& call) -> Result<std::invoke_result_t<Call>> {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
            call();
            return {};
        } else {
            return call();
        }
    } catch (const Ort::Exception& exception) {
        return tl::unexpected(translate(exception));
    } catch (const std::exception& exception) {
        return tl::unexpected(translate(exception));
    }
}

/// ONNX Runtime in this process: its environment with the one pool of threads and the one arena of
/// scratch memory that all sessions share.
class Runtime {
  public:
    /// The process's runtime; made by the first caller, gone with the last holder. kConflict while
    /// one with another number of threads is held.
    [[nodiscard]] static Result<std::shared_ptr<Runtime>> get(int threads);

    explicit Runtime(int threads);

    [[nodiscard]] Ort::Env& env() { return env_; }
    [[nodiscard]] int threads() const { return threads_; }

  private:
    int threads_;
    Ort::Env env_;
};

}  // namespace tessera
