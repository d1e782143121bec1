#include "diffusion/philox.h"

#include <cmath>
#include <utility>

namespace tessera {

namespace {

/// Upper and lower word of a product.
std::pair<std::uint32_t, std::uint32_t> multiply(std::uint32_t a, std::uint32_t b) {
    const std::uint64_t product = std::uint64_t{a} * b;
    return {static_cast<std::uint32_t>(product >> 32U), static_cast<std::uint32_t>(product)};
}

/// cuRAND's: the sine half of Box-Muller, with its factors as they are in float32.
float normal(std::uint32_t radius_word, std::uint32_t angle_word) {
    constexpr double kScale = 0x1p-32;
    constexpr auto kAngleScale = static_cast<double>(2.3283064e-10F * 6.2831855F);
    const double uniform = radius_word * kScale + kScale / 2.0;
    const double angle = angle_word * kAngleScale + kAngleScale / 2.0;
    return static_cast<float>(std::sqrt(-2.0 * std::log(uniform)) * std::sin(angle));
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
    constexpr int kRounds = 10;
    auto low_key = static_cast<std::uint32_t>(key);
    auto high_key = static_cast<std::uint32_t>(key >> 32U);
    for (int round = 0; round < kRounds; ++round) {
        const auto [high0, low0] = multiply(0xd2511f53U, counter[0]);
        const auto [high1, low1] = multiply(0xcd9e8d57U, counter[2]);
        counter = {high1 ^ counter[1] ^ low_key, low1, high0 ^ counter[3] ^ high_key, low0};
        low_key += 0x9e3779b9U;
        high_key += 0xbb67ae85U;
    }
    return counter;
}

void PhiloxRandom::randn(std::span<float> values) {
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    for (std::uint64_t i = 0; i < values.size(); ++i) {
        const auto words =
            philox4x32({low(offset_), low(offset_ >> 32U), low(i), low(i >> 32U)}, seed_);
        values[i] = normal(words[0], words[1]);
    }
    ++offset_;
}

void PhiloxRandom::save(ByteWriter& out) const {
    out.put(seed_);
    out.put(offset_);
}

Result<PhiloxRandom> PhiloxRandom::load(ByteReader& in) {
    TESSERA_ASSIGN(const auto seed, in.get<std::uint64_t>());
    PhiloxRandom random(seed);
    TESSERA_ASSIGN(random.offset_, in.get<std::uint64_t>());
    return random;
}

}  // namespace tessera
