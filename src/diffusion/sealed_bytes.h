#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace tessera {

/// What a block of stored bytes is, checked before it is believed.
struct SealKind {
    /// Eight characters that begin the bytes.
    std::string_view magic;
    std::uint32_t version;
};

/// Layout: magic, version (32 bit), checksum (128-bit XXH3 as 32 hex digits), then the content. It
/// finds torn and damaged data, not forgery: the content is to be checked as well.
[[nodiscard]] Bytes seal(const SealKind& kind, ByteView content);

/// The content, a view into `sealed`. kCorrupt when the bytes are something else or damaged,
/// kUnsupported when they are of another version.
[[nodiscard]] Result<ByteView> unseal(const SealKind& kind, ByteView sealed);

}  // namespace tessera
