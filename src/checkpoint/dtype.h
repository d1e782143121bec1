#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tessera {

/// The element types of the safetensors format that fill whole bytes. Its packed F4 and F6 types
/// are not here: files that use them are refused by name.
enum class DType : std::uint8_t {
    kBool,
    kU8,
    kI8,
    kF8E5M2,
    kF8E4M3,
    kF8E8M0,
    kI16,
    kU16,
    kF16,
    kBF16,
    kI32,
    kU32,
    kF32,
    kC64,
    kF64,
    kI64,
    kU64,
};

/// Bytes of one element.
[[nodiscard]] std::size_t size_of(DType dtype);

/// The type's name as files spell it: "F16", "BF16", "F8_E4M3".
[[nodiscard]] std::string_view name_of(DType dtype);

/// The type of that name; nullopt when there is none.
[[nodiscard]] std::optional<DType> dtype_named(std::string_view name);

}  // namespace tessera
