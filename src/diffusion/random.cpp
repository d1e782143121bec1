#include "diffusion/random.h"

#include <cmath>
#include <numbers>

namespace tessera {

MersenneTwister::MersenneTwister(std::uint32_t seed) {
    words_[0] = seed;
    for (std::size_t i = 1; i < kWords; ++i) {
        const std::uint32_t previous = words_[i - 1];
        words_[i] = 1812433253U * (previous ^ (previous >> 30U)) + static_cast<std::uint32_t>(i);
    }
}

void MersenneTwister::refill() {
    constexpr std::size_t kShift = 397;
    for (std::size_t i = 0; i < kWords; ++i) {
        const std::uint32_t joined =
            (words_[i] & 0x80000000U) | (words_[(i + 1) % kWords] & 0x7fffffffU);
        const std::uint32_t twist = (joined & 1U) != 0 ? 0x9908b0dfU : 0U;
        words_[i] = words_[(i + kShift) % kWords] ^ (joined >> 1U) ^ twist;
    }
    used_ = 0;
}

std::uint32_t MersenneTwister::next() {
    if (used_ == kWords) {
        refill();
    }
    std::uint32_t word = words_[used_++];
    word ^= word >> 11U;
    word ^= (word << 7U) & 0x9d2c5680U;
    word ^= (word << 15U) & 0xefc60000U;
    return word ^ (word >> 18U);
}

void MersenneTwister::save(ByteWriter& out) const {
    for (const std::uint32_t word : words_) {
        out.put(word);
    }
    out.put(static_cast<std::uint32_t>(used_));
}

Result<MersenneTwister> MersenneTwister::load(ByteReader& in) {
    MersenneTwister engine(0);
    for (std::uint32_t& word : engine.words_) {
        TESSERA_ASSIGN(word, in.get<std::uint32_t>());
    }
    TESSERA_ASSIGN(engine.used_, in.get<std::uint32_t>());
    if (engine.used_ > kWords) {
        return fail(
            ErrorKind::kCorrupt, "a random generator cannot have used {} words", engine.used_
        );
    }
    return engine;
}

TorchRandom::TorchRandom(std::uint64_t seed)
    : engine_(static_cast<std::uint32_t>(seed & 0xffffffffU)) {}

double TorchRandom::uniform24() {
    return static_cast<double>(engine_.next() & 0xffffffU) / 0x1p24;
}

double TorchRandom::uniform53() {
    const std::uint64_t high = engine_.next();
    const std::uint64_t low = engine_.next();
    return static_cast<double>(((high << 32U) | low) & 0x1fffffffffffffU) / 0x1p53;
}

void TorchRandom::fill_block(std::span<float, 16> block) {
    // Rounded to float where ATen's float arithmetic rounds; above all the angle matters.
    constexpr auto kTwoPi = static_cast<float>(2.0 * std::numbers::pi);
    for (std::size_t j = 0; j < 8; ++j) {
        const float log = static_cast<float>(std::log(1.0 - static_cast<double>(block[j])));
        const float radius = std::sqrt(-2.0F * log);
        const auto angle = static_cast<double>(kTwoPi * block[j + 8]);
        block[j] = radius * static_cast<float>(std::cos(angle));
        block[j + 8] = radius * static_cast<float>(std::sin(angle));
    }
}

double TorchRandom::next_normal() {
    if (spare_) {
        const double value = *spare_;
        spare_.reset();
        return value;
    }
    const double angle = 2.0 * std::numbers::pi * uniform53();
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform53()));
    spare_ = radius * std::sin(angle);
    return radius * std::cos(angle);
}

void TorchRandom::randn(std::span<float> values) {
    if (values.size() < 16) {
        for (float& value : values) {
            value = static_cast<float>(next_normal());
        }
        return;
    }
    for (float& value : values) {
        value = static_cast<float>(uniform24());
    }
    for (std::size_t i = 0; i + 16 <= values.size(); i += 16) {
        fill_block(values.subspan(i).first<16>());
    }
    if (values.size() % 16 != 0) {
        // ATen draws the last 16 anew rather than a part of a block.
        const auto tail = values.last<16>();
        for (float& value : tail) {
            value = static_cast<float>(uniform24());
        }
        fill_block(tail);
    }
}

void TorchRandom::save(ByteWriter& out) const {
    engine_.save(out);
    out.put(static_cast<std::uint8_t>(spare_ ? 1 : 0));
    out.put(spare_.value_or(0.0));
}

Result<TorchRandom> TorchRandom::load(ByteReader& in) {
    TESSERA_ASSIGN(const auto engine, MersenneTwister::load(in));
    TESSERA_ASSIGN(const auto has_spare, in.get<std::uint8_t>());
    TESSERA_ASSIGN(const auto spare, in.get<double>());
    if (has_spare > 1 || !std::isfinite(spare)) {
        return fail(ErrorKind::kCorrupt, "a random generator's spare value is not a number");
    }
    TorchRandom random(engine);
    if (has_spare == 1) {
        random.spare_ = spare;
    }
    return random;
}

}  // namespace tessera
