#include "checkpoint/tensor_view.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>

namespace tessera {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

template <class T>
TensorView view_of(DType dtype, const std::vector<T>& values) {
    return {dtype, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

/// The definition in IEEE 754, in double arithmetic.
double half_value(std::uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const int fraction = half & 1023;
    const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                             : exponent == 31 ? static_cast<double>(kInfinity)
                                              : std::ldexp(1024 + fraction, exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(TensorView, WidensEveryHalfExactly) {
    std::vector<std::uint16_t> halves(65536);
    for (std::size_t i = 0; i < halves.size(); ++i) {
        halves[i] = static_cast<std::uint16_t>(i);
    }
    const auto floats = to_floats(view_of(DType::kF16, halves));
    ASSERT_TRUE(floats);
    for (std::size_t i = 0; i < halves.size(); ++i) {
        const auto bits = std::bit_cast<std::uint32_t>((*floats)[i]);
        if ((i & 0x7fffU) > 0x7c00U) {
            const auto payload = static_cast<std::uint32_t>(i & 0x3ffU) << 13U;
            const auto sign = static_cast<std::uint32_t>(i & 0x8000U) << 16U;
            ASSERT_EQ(bits, sign | 0x7f800000U | payload) << i;
        } else {
            const auto expected = static_cast<float>(half_value(halves[i]));
            ASSERT_EQ(bits, std::bit_cast<std::uint32_t>(expected)) << i;
        }
    }
}

TEST(TensorView, WidensBfloatsExactly) {
    const std::vector<std::uint16_t> bfloats{0x3f80, 0xc020, 0x7f80, 0x0001, 0x8000, 0x7fc1};
    const auto floats = to_floats(view_of(DType::kBF16, bfloats));
    ASSERT_TRUE(floats);
    for (std::size_t i = 0; i < bfloats.size(); ++i) {
        EXPECT_EQ(
            std::bit_cast<std::uint32_t>((*floats)[i]),
            static_cast<std::uint32_t>(bfloats[i]) << 16U
        );
    }
    EXPECT_EQ((*floats)[0], 1.0F);
    EXPECT_EQ((*floats)[1], -2.5F);
    EXPECT_EQ((*floats)[2], kInfinity);
}

TEST(TensorView, RoundsDoublesToTheNearestFloat) {
    const std::vector<double> doubles{0.1, -1.0, 1e300, 1e-300, static_cast<double>(kInfinity)};
    EXPECT_EQ(
        to_floats(view_of(DType::kF64, doubles)),
        (std::vector<float>{0.1F, -1.0F, kInfinity, 0.0F, kInfinity})
    );
}

TEST(TensorView, ReadsFloatsAtAnyAlignmentAndLength) {
    EXPECT_TRUE(rc::check([](const std::vector<float>& values) {
        Bytes shifted(1);
        const auto raw = std::as_bytes(std::span(values));
        shifted.insert(shifted.end(), raw.begin(), raw.end());
        const TensorView view{
            DType::kF32, {static_cast<std::int64_t>(values.size())}, ByteView(shifted).subspan(1)};
        const auto read = to_floats(view);
        RC_ASSERT(read.has_value());
        RC_ASSERT(std::ranges::equal(std::as_bytes(std::span(*read)), raw));
    }));
}

TEST(TensorView, WidensHalvesAtAnyAlignmentAndLength) {
    EXPECT_TRUE(rc::check([](const std::vector<std::uint16_t>& halves) {
        Bytes shifted(1);
        const auto raw = std::as_bytes(std::span(halves));
        shifted.insert(shifted.end(), raw.begin(), raw.end());
        const TensorView view{
            DType::kF16, {static_cast<std::int64_t>(halves.size())}, ByteView(shifted).subspan(1)};
        const auto read = to_floats(view);
        RC_ASSERT(read.has_value());
        for (std::size_t i = 0; i < halves.size(); ++i) {
            if ((halves[i] & 0x7fffU) <= 0x7c00U) {
                RC_ASSERT(static_cast<double>((*read)[i]) == half_value(halves[i]));
            }
        }
    }));
}

TEST(TensorView, AScalarHasOneValueAndAnEmptyTensorNone) {
    const std::vector<float> one{7.0F};
    EXPECT_EQ(to_floats({DType::kF32, {}, std::as_bytes(std::span(one))}), one);
    EXPECT_EQ(to_floats({DType::kF16, {3, 0}, {}}), std::vector<float>{});
}

TEST(TensorView, RefusesToWidenWhatIsNotFloatingPoint) {
    for (const DType dtype : {DType::kI64, DType::kU8, DType::kBool, DType::kF8E4M3, DType::kC64}) {
        const Bytes bytes(size_of(dtype));
        const auto floats = to_floats({dtype, {1}, bytes});
        ASSERT_FALSE(floats) << name_of(dtype);
        EXPECT_EQ(floats.error().kind, ErrorKind::kUnsupported);
        EXPECT_THAT(floats.error().message, testing::HasSubstr(std::string(name_of(dtype))));
    }
}

TEST(TensorView, RefusesTheWrongAmountOfRoom) {
    const std::vector<float> values{1, 2, 3};
    std::vector<float> small(2);
    const auto outcome = widen(view_of(DType::kF32, values), small);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(outcome.error().message, "a tensor of shape [3] has 3 values; there is room for 2");
}

TEST(TensorView, ReadsEveryIntegerType) {
    using Ids = std::vector<std::int64_t>;
    EXPECT_EQ(to_integers(view_of<std::int8_t>(DType::kI8, {-1, 127})), (Ids{-1, 127}));
    EXPECT_EQ(to_integers(view_of<std::uint8_t>(DType::kU8, {0, 255})), (Ids{0, 255}));
    EXPECT_EQ(to_integers(view_of<std::uint8_t>(DType::kBool, {0, 1})), (Ids{0, 1}));
    EXPECT_EQ(to_integers(view_of<std::int16_t>(DType::kI16, {-300})), (Ids{-300}));
    EXPECT_EQ(to_integers(view_of<std::uint16_t>(DType::kU16, {65535})), (Ids{65535}));
    EXPECT_EQ(to_integers(view_of<std::int32_t>(DType::kI32, {49407, -2})), (Ids{49407, -2}));
    EXPECT_EQ(to_integers(view_of<std::uint32_t>(DType::kU32, {4294967295U})), (Ids{4294967295}));
    EXPECT_EQ(to_integers(view_of<std::int64_t>(DType::kI64, {-5})), (Ids{-5}));
    EXPECT_EQ(to_integers(view_of<std::uint64_t>(DType::kU64, {5})), (Ids{5}));
    EXPECT_FALSE(to_integers(view_of<std::uint64_t>(DType::kU64, {~0ULL})));
    EXPECT_FALSE(to_integers(view_of<float>(DType::kF32, {1.0F})));
}

TEST(TensorView, EveryTypeIsKnownByItsName) {
    for (int i = 0; i <= static_cast<int>(DType::kU64); ++i) {
        const auto dtype = static_cast<DType>(i);
        EXPECT_EQ(dtype_named(name_of(dtype)), dtype);
    }
    EXPECT_EQ(size_of(DType::kBF16), 2U);
    EXPECT_EQ(size_of(DType::kI64), 8U);
    EXPECT_EQ(dtype_named("float16"), std::nullopt);
}

}  // namespace
}  // namespace tessera
