#include "checkpoint/tensor_view.h"

#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace tessera {
namespace {

/// IEEE 754 binary16 to binary32 without a branch, so that compilers can do many at once.
float half_to_float(std::uint16_t half) {
    constexpr std::uint32_t kRebias = (127U - 15U) << 23U;
    const std::uint32_t sign = (half & 0x8000U) << 16U;
    const std::uint32_t magnitude = half & 0x7fffU;
    const std::uint32_t normal = (magnitude << 13U) + kRebias;
    // A subnormal half is its integer times 2^-24, which is a normal float.
    const auto subnormal = std::bit_cast<std::uint32_t>(
        static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24F
    );
    // Selected by masks: a `?:` here keeps g++ from vectorising.
    const std::uint32_t is_subnormal = 0U - static_cast<std::uint32_t>(magnitude < 0x0400U);
    const std::uint32_t is_special = 0U - static_cast<std::uint32_t>(magnitude >= 0x7c00U);
    const std::uint32_t finite = (subnormal & is_subnormal) | (normal & ~is_subnormal);
    return std::bit_cast<float>(sign | (finite + (kRebias & is_special)));
}

float bfloat_to_float(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

float double_to_float(double value) {
    return static_cast<float>(value);
}

/// Applies `convert` to every stored element. Whole blocks go through arrays of constant length:
/// that is the form of loop which compilers vectorise without being asked to.
template <class Source, float (*convert)(Source)>
void convert_all(ByteView bytes, std::span<float> into) {
    constexpr std::size_t kBlock = 64;
    std::array<Source, kBlock> block{};
    const std::byte* from = bytes.data();
    std::size_t done = 0;
    for (; done + kBlock <= into.size(); done += kBlock) {
        std::memcpy(block.data(), from + done * sizeof(Source), sizeof(block));
        float* const target = into.data() + done;
        for (std::size_t i = 0; i < kBlock; ++i) {
            target[i] = convert(block[i]);
        }
    }
    for (; done < into.size(); ++done) {
        Source value;
        std::memcpy(&value, from + done * sizeof(Source), sizeof(Source));
        into[done] = convert(value);
    }
}

template <class Source>
Result<std::vector<std::int64_t>> integers(ByteView bytes) {
    std::vector<std::int64_t> values(bytes.size() / sizeof(Source));
    for (std::size_t i = 0; i < values.size(); ++i) {
        Source value;
        std::memcpy(&value, bytes.data() + i * sizeof(Source), sizeof(Source));
        if constexpr (std::is_same_v<Source, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                return fail(
                    ErrorKind::kUnsupported, "the value {} does not fit 64 signed bits", value
                );
            }
        }
        values[i] = static_cast<std::int64_t>(+value);
    }
    return values;
}

}  // namespace

std::string shape_text(const Shape& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

Status widen(const TensorView& tensor, std::span<float> into) {
    const std::size_t count = element_count(tensor.shape);
    if (into.size() != count || tensor.bytes.size() != count * size_of(tensor.dtype)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a tensor of shape {} has {} values; there is room for {}",
            shape_text(tensor.shape),
            count,
            into.size()
        );
    }
    switch (tensor.dtype) {
        case DType::kF32:
            if (count > 0) {
                std::memcpy(into.data(), tensor.bytes.data(), tensor.bytes.size());
            }
            return {};
        case DType::kF16:
            convert_all<std::uint16_t, half_to_float>(tensor.bytes, into);
            return {};
        case DType::kBF16:
            convert_all<std::uint16_t, bfloat_to_float>(tensor.bytes, into);
            return {};
        case DType::kF64:
            convert_all<double, double_to_float>(tensor.bytes, into);
            return {};
        default:
            return fail(
                ErrorKind::kUnsupported,
                "{} values cannot be used as floats; F32, F16, BF16 and F64 can",
                name_of(tensor.dtype)
            );
    }
}

Result<std::vector<float>> to_floats(const TensorView& tensor) {
    std::vector<float> values(element_count(tensor.shape));
    TESSERA_TRY(widen(tensor, values));
    return values;
}

Result<std::vector<std::int64_t>> to_integers(const TensorView& tensor) {
    switch (tensor.dtype) {
        case DType::kBool:
        case DType::kU8:
            return integers<std::uint8_t>(tensor.bytes);
        case DType::kI8:
            return integers<std::int8_t>(tensor.bytes);
        case DType::kI16:
            return integers<std::int16_t>(tensor.bytes);
        case DType::kU16:
            return integers<std::uint16_t>(tensor.bytes);
        case DType::kI32:
            return integers<std::int32_t>(tensor.bytes);
        case DType::kU32:
            return integers<std::uint32_t>(tensor.bytes);
        case DType::kI64:
            return integers<std::int64_t>(tensor.bytes);
        case DType::kU64:
            return integers<std::uint64_t>(tensor.bytes);
        default:
            return fail(
                ErrorKind::kUnsupported, "{} values are not integers", name_of(tensor.dtype)
            );
    }
}

}  // namespace tessera
