#pragma once

#include "base/result.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tessera {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// The bytes of a text, and back; no copy, no encoding.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends little-endian values to a growing buffer. The counterpart of ByteReader.
class ByteWriter {
  public:
    template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
    void put(T value) {
        const auto* raw = reinterpret_cast<const std::byte*>(&value);
        bytes_.insert(bytes_.end(), raw, raw + sizeof(T));
    }
    /// A 64-bit length, then the bytes.
    void put_block(ByteView block);
    void put_text(std::string_view text) { put_block(as_bytes(text)); }
    void put_floats(std::span<const float> values) { put_block(std::as_bytes(values)); }

    [[nodiscard]] Bytes take() { return std::move(bytes_); }

  private:
    Bytes bytes_;
};

/// Reads what ByteWriter wrote. Every read is checked: kCorrupt once the bytes run out.
class ByteReader {
  public:
    explicit ByteReader(ByteView bytes) : rest_(bytes) {}

    template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
    [[nodiscard]] Result<T> get() {
        if (rest_.size() < sizeof(T)) {
            return fail(ErrorKind::kCorrupt, "the data ends too early");
        }
        T value;
        std::memcpy(&value, rest_.data(), sizeof(T));
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }
    /// A view into the reader's own bytes.
    [[nodiscard]] Result<ByteView> get_block();
    [[nodiscard]] Result<std::string> get_text();
    [[nodiscard]] Result<std::vector<float>> get_floats();

    [[nodiscard]] bool at_end() const { return rest_.empty(); }

  private:
    ByteView rest_;
};

static_assert(std::endian::native == std::endian::little, "Tessera's formats are little-endian");

}  // namespace tessera
