#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/codec.h"
#include "imaging/format.h"
#include "imaging/image.h"

#include <tl/expected.hpp>

#include <cstdint>

namespace tessera {

/// Why a picture cannot be decoded, in numbers only: they come from a process that the picture may
/// have taken over, and no word of such a process reaches a person.
struct DecodeFailure {
    enum class Kind : std::uint32_t { kDamaged = 1, kTooLarge = 2, kNoMemory = 3 };
    Kind kind = Kind::kDamaged;
    int width = 0;  ///< of kTooLarge: what the header claims
    int height = 0;
};

/// All that decode() can tell of a file by our own parsers, before a library sees it; its errors
/// are decode()'s.
[[nodiscard]] Result<PictureFormat> check_picture_file(ByteView file, const DecodeLimits& limits);

/// The rest of decode(). set_up_vips() comes first, in the same thread.
[[nodiscard]] tl::expected<Image, DecodeFailure> decode_checked_file(
    ByteView file, PictureFormat format, const DecodeLimits& limits
);

/// The failure as decode() words it.
[[nodiscard]] Error describe(
    const DecodeFailure& failure, PictureFormat format, const DecodeLimits& limits
);

/// Sizes are taken as any number at all.
[[nodiscard]] bool is_size_within(int width, int height, const DecodeLimits& limits);

}  // namespace tessera
