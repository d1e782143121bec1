#pragma once

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tessera {

/// Big-endian numbers, as PNG, JPEG and EXIF hold them. The bytes must be there.
[[nodiscard]] inline std::uint16_t big_endian_16(ByteView bytes) {
    return static_cast<std::uint16_t>(
        (std::to_integer<unsigned>(bytes[0]) << 8U) | std::to_integer<unsigned>(bytes[1])
    );
}
[[nodiscard]] inline std::uint32_t big_endian_32(ByteView bytes) {
    return (std::uint32_t{big_endian_16(bytes)} << 16U) | big_endian_16(bytes.subspan(2));
}

inline void put_big_endian_16(Bytes& out, std::uint16_t value) {
    out.push_back(static_cast<std::byte>(value >> 8U));
    out.push_back(static_cast<std::byte>(value & 0xFFU));
}
inline void put_big_endian_32(Bytes& out, std::uint32_t value) {
    put_big_endian_16(out, static_cast<std::uint16_t>(value >> 16U));
    put_big_endian_16(out, static_cast<std::uint16_t>(value & 0xFFFFU));
}

/// Little-endian numbers, as WebP holds them.
[[nodiscard]] inline std::uint32_t little_endian_32(ByteView bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
}
inline void put_little_endian_32(Bytes& out, std::uint32_t value) {
    const auto* raw = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), raw, raw + sizeof(value));
}

inline void put_bytes(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace tessera
