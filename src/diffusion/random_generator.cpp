#include "diffusion/random_generator.h"

namespace tessera {

RandomGenerator::RandomGenerator(RandomKind kind, std::uint64_t seed)
    : generator_(TorchRandom(seed)) {
    if (kind == RandomKind::kCuda) {
        generator_ = PhiloxRandom(seed);
    }
}

void RandomGenerator::randn(std::span<float> values) {
    std::visit([&](auto& generator) { generator.randn(values); }, generator_);
}

void RandomGenerator::save(ByteWriter& out) const {
    std::visit([&](const auto& generator) { generator.save(out); }, generator_);
}

Result<RandomGenerator> RandomGenerator::load(RandomKind kind, ByteReader& in) {
    if (kind == RandomKind::kCuda) {
        TESSERA_ASSIGN(const auto generator, PhiloxRandom::load(in));
        return RandomGenerator(generator);
    }
    TESSERA_ASSIGN(const auto generator, TorchRandom::load(in));
    return RandomGenerator(generator);
}

}  // namespace tessera
