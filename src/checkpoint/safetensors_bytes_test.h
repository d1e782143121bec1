#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tessera {

/// A safetensors file by hand: the length of the header, the header, then so many bytes of data.
inline std::string safetensors_bytes(std::string_view header, std::size_t data_bytes = 0) {
    const auto length = static_cast<std::uint64_t>(header.size());
    std::string bytes(sizeof(length), '\0');
    std::memcpy(bytes.data(), &length, sizeof(length));
    return bytes.append(header).append(data_bytes, '\1');
}

}  // namespace tessera
