#include "diffusion/noise.h"

#include "diffusion/noise_mixing.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tessera {

namespace {

/// Latents of a picture of some 16000 pixels.
constexpr std::int64_t kLargestSide = 2048;

Tensor noise_of(RandomGenerator& generator, const Shape& shape) {
    Tensor noise(shape);
    generator.randn(noise.values);
    return noise;
}

Tensor noise_of(RandomKind kind, std::uint64_t seed, const Shape& shape) {
    RandomGenerator generator(kind, seed);
    return noise_of(generator, shape);
}

/// One picture's starting noise; draws once from its generator whatever is asked.
Tensor starting_noise(
    const NoiseRequest& request,
    const PictureSeed& seed,
    RandomGenerator& generator,
    const Shape& shape
) {
    Shape source = shape;
    if (request.resize_from) {
        source = {shape[0], request.resize_from->height, request.resize_from->width};
    }
    Tensor ground = noise_of(generator, shape);
    Tensor noise = source == shape ? ground : noise_of(request.random, seed.seed, source);
    if (seed.variation_strength != 0.0) {
        const Tensor variation = noise_of(request.random, seed.variation_seed, source);
        noise = slerp_columns(seed.variation_strength, noise, variation);
    }
    if (source == shape) {
        return noise;
    }
    paste_centred(noise, ground);
    return ground;
}

}  // namespace

Status check(const NoiseRequest& request) {
    for (const PictureSeed& seed : request.seeds) {
        if (!(seed.variation_strength >= 0.0 && seed.variation_strength <= 1.0)) {
            return fail(
                ErrorKind::kInvalidArgument,
                "variation strength {}: the variation strength must lie between 0 and 1",
                seed.variation_strength
            );
        }
    }
    if (request.resize_from) {
        for (const std::int64_t side : {request.resize_from->height, request.resize_from->width}) {
            if (side < 1 || side > kLargestSide) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "seed resize from latents of {} x {}: each side must lie between 1 and {}",
                    request.resize_from->width,
                    request.resize_from->height,
                    kLargestSide
                );
            }
        }
    }
    return {};
}

PictureNoise::PictureNoise(NoiseRequest request) : request_(std::move(request)) {
    generators_.reserve(request_.seeds.size());
    for (const PictureSeed& seed : request_.seeds) {
        generators_.emplace_back(request_.random, seed.seed);
    }
}

Tensor PictureNoise::first(const Shape& shape) {
    const Shape of_picture(shape.begin() + 1, shape.end());
    Tensor noise(shape);
    auto rest = noise.values.begin();
    for (std::size_t i = 0; i < generators_.size(); ++i) {
        const PictureSeed& seed = request_.seeds[i];
        const Tensor start = starting_noise(request_, seed, generators_[i], of_picture);
        rest = std::copy(start.values.begin(), start.values.end(), rest);
        if (request_.later_seed_offset != 0) {
            const std::uint64_t later = seed.seed + request_.later_seed_offset;
            generators_[i] = RandomGenerator(request_.random, later);
        }
    }
    return noise;
}

Tensor PictureNoise::draw(const Shape& shape) {
    Tensor noise(shape);
    const std::size_t per_picture = noise.values.size() / generators_.size();
    std::span<float> rest(noise.values);
    for (RandomGenerator& generator : generators_) {
        generator.randn(rest.first(per_picture));
        rest = rest.subspan(per_picture);
    }
    return noise;
}

void PictureNoise::save(ByteWriter& out) const {
    out.put(request_.random);
    for (const RandomGenerator& generator : generators_) {
        generator.save(out);
    }
}

Result<PictureNoise> PictureNoise::load(ByteReader& in, std::size_t pictures) {
    TESSERA_ASSIGN(const auto kind, in.get<std::uint8_t>());
    if (kind > static_cast<std::uint8_t>(RandomKind::kCuda)) {
        return fail(ErrorKind::kCorrupt, "there is no random generator of kind {}", kind);
    }
    PictureNoise noise;
    noise.request_.random = static_cast<RandomKind>(kind);
    for (std::size_t i = 0; i < pictures; ++i) {
        TESSERA_ASSIGN(auto generator, RandomGenerator::load(noise.request_.random, in));
        noise.generators_.push_back(generator);
    }
    return noise;
}

}  // namespace tessera
