#pragma once

#include <string>

namespace tessera {

/// What ONNX Runtime's CPU kernels choose their code and block sizes by, in words: maker, family,
/// model, instruction sets and level-2 cache. Equal texts run equal code.
[[nodiscard]] std::string cpu_features();

}  // namespace tessera
