#pragma once

#include <cstdint>
#include <string>

namespace tessera {

/// What computes: ONNX Runtime's execution provider.
enum class Provider : std::uint8_t {
    kCpu,
    kCuda,  ///< the first NVIDIA GPU, in fp32 without TF32
};

/// Everything besides model and inputs that decides the bytes of a result. Equal fingerprints give
/// equal bytes; an optimised graph of a foreign one must not be loaded, for it may compute garbage.
struct Fingerprint {
    std::string graph_writer;  ///< version of the code that writes graphs
    std::string runtime;       ///< ONNX Runtime's version and build
    std::string session;       ///< the options that sessions are made with
    std::string shapes;        ///< shape policy
    std::string precision;     ///< of weights and arithmetic
    std::string provider;      ///< execution provider
    std::string cpu;           ///< what kernels choose their code by

    bool operator==(const Fingerprint&) const = default;

    /// One line with all of it, for manifests and `tessera doctor`.
    [[nodiscard]] std::string text() const;
    /// 32 hex digits that stand for the text.
    [[nodiscard]] std::string hash() const;
};

/// That of this build on this machine.
[[nodiscard]] Fingerprint this_fingerprint(Provider provider = Provider::kCpu);

}  // namespace tessera
