#include "diffusion/noise.h"

namespace tessera {

PictureNoise::PictureNoise(std::span<const std::uint64_t> seeds) {
    generators_.reserve(seeds.size());
    for (const std::uint64_t seed : seeds) {
        generators_.emplace_back(seed);
    }
}

Tensor PictureNoise::draw(const Shape& shape) {
    Tensor noise(shape);
    const std::size_t per_picture = noise.values.size() / generators_.size();
    std::span<float> rest(noise.values);
    for (TorchRandom& generator : generators_) {
        generator.randn(rest.first(per_picture));
        rest = rest.subspan(per_picture);
    }
    return noise;
}

void PictureNoise::save(ByteWriter& out) const {
    for (const TorchRandom& generator : generators_) {
        generator.save(out);
    }
}

Result<PictureNoise> PictureNoise::load(ByteReader& in, std::size_t pictures) {
    PictureNoise noise({});
    for (std::size_t i = 0; i < pictures; ++i) {
        TESSERA_ASSIGN(const auto generator, TorchRandom::load(in));
        noise.generators_.push_back(generator);
    }
    return noise;
}

}  // namespace tessera
