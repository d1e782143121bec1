#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/codec.h"
#include "imaging/image.h"
#include "imaging/sandbox.h"

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

/// decode() for pictures of strangers: in a child process of its own for each picture, which has
/// nothing, may do nothing but compute, and is not believed. Thread-safe.
class SandboxedDecoder {
  public:
    /// The program, run with these arguments (the first is argv[0]), calls
    /// serve_sandboxed_decoding(). A path with a slash; PATH is not searched.
    SandboxedDecoder(
        std::filesystem::path helper_program,
        std::vector<std::string> helper_arguments,
        const SandboxLimits& limits = {}
    );

    /// The same picture or error as imaging's decode(). Besides: kExhausted when it takes more
    /// memory than the limits, or the system can give no process; kDeadline when it takes more
    /// time; kCorrupt when it crashes the decoder or makes it try what is forbidden; kCancelled;
    /// kInternal or kUnavailable when the helper cannot run at all. Nothing of the child is left
    /// when it returns. Blocks; the child takes some 2 GB and 60 s at most (SandboxLimits).
    [[nodiscard]] Result<Image> decode(
        ByteView file, const DecodeLimits& limits = {}, const std::stop_token& stop = {}
    ) const;

    /// How a helper can be locked in on this system; from a helper that was.
    [[nodiscard]] Result<SandboxStrength> strength() const;

  private:
    std::filesystem::path program_;
    std::vector<std::string> arguments_;
    SandboxLimits limits_;
};

}  // namespace tessera
