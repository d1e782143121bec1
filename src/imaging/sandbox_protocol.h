#pragma once

#include "imaging/codec.h"
#include "imaging/picture_decoding.h"
#include "imaging/sandbox.h"

#include <cstdint>
#include <type_traits>

/// What a SandboxedDecoder and its helper process, which is the same build of the same program, say
/// to each other. The helper's standard input is a sealed memory file: a DecodeRequest, then the
/// picture's file. To standard output it writes a HelperGreeting before it looks at the picture,
/// then a HelperAnswer, then the pixels if there are any, and exits with 0.
namespace tessera {

struct DecodeRequest {
    DecodeLimits decode;
    SandboxLimits sandbox;
};

struct HelperGreeting {
    static constexpr std::uint32_t kMagic = 0x54534752;
    std::uint32_t magic = kMagic;
    SandboxStrength strength = SandboxStrength::kLimitsOnly;
};

struct HelperAnswer {
    static constexpr std::uint32_t kDecoded = 0;
    std::uint32_t verdict = kDecoded;  ///< or a DecodeFailure::Kind
    std::int32_t width = 0;            ///< of kDecoded and kTooLarge
    std::int32_t height = 0;
    std::int32_t channels = 0;  ///< of kDecoded
};

/// The exit code of a helper that memory has run out for.
constexpr int kHelperOutOfMemory = 3;

static_assert(std::is_trivially_copyable_v<DecodeRequest>);
static_assert(std::is_trivially_copyable_v<HelperGreeting>);
static_assert(std::is_trivially_copyable_v<HelperAnswer>);

}  // namespace tessera
