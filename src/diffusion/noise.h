#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/random_generator.h"
#include "diffusion/random_kind.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tessera {

/// Where samplers get unit Gaussian noise for a whole batch.
class NoiseSource {
  public:
    NoiseSource() = default;
    NoiseSource(const NoiseSource&) = default;
    NoiseSource& operator=(const NoiseSource&) = default;
    NoiseSource(NoiseSource&&) = default;
    NoiseSource& operator=(NoiseSource&&) = default;
    virtual ~NoiseSource() = default;

    /// The next draw for every picture, {pictures, channels, height, width}.
    [[nodiscard]] virtual Tensor draw(const Shape& shape) = 0;
};

/// What a picture's noise comes from.
struct PictureSeed {
    std::uint64_t seed = 0;
    /// Turns the starting noise towards that of variation_seed: 0 leaves it, 1 goes all the way.
    std::uint64_t variation_seed = 0;
    double variation_strength = 0.0;

    bool operator==(const PictureSeed&) const = default;
};

/// Sides of one picture's latents.
struct LatentSize {
    std::int64_t height = 0;
    std::int64_t width = 0;

    bool operator==(const LatentSize&) const = default;
};

/// All the noise of a batch.
struct NoiseRequest {
    RandomKind random = RandomKind::kCpu;
    /// One per picture. All 64 bits of a seed count for kCuda, the low 32 for kCpu.
    std::vector<PictureSeed> seeds{};
    /// Seed resize: the starting noise is that of a picture of this size, its middle put in the
    /// middle, so that a picture keeps its composition at another size.
    std::optional<LatentSize> resize_from{};
    /// Added to the seed for every draw after the first (A1111's "ENSD"), modulo 2^64.
    std::uint64_t later_seed_offset = 0;

    bool operator==(const NoiseRequest&) const = default;
};

/// kInvalidArgument naming the field, its value and its range.
[[nodiscard]] Status check(const NoiseRequest& request);

/// One generator per picture, so that a picture's noise never depends on its neighbours. The
/// arithmetic and the order of draws are those of ImageRNG in A1111's modules/rng.py.
class PictureNoise final : public NoiseSource {
  public:
    /// `request` must have passed check().
    explicit PictureNoise(NoiseRequest request);

    /// The starting noise. Call it once, before any draw(), and not on what load() gave.
    /// The first dimension of `shape`, here and below, must be the number of seeds.
    [[nodiscard]] Tensor first(const Shape& shape);
    /// Unit noise for a sampler that adds some on its way.
    [[nodiscard]] Tensor draw(const Shape& shape) override;

    /// What draw() needs, not what first() needs.
    void save(ByteWriter& out) const;
    /// kCorrupt when the bytes are not what save() wrote of that many pictures.
    [[nodiscard]] static Result<PictureNoise> load(ByteReader& in, std::size_t pictures);

  private:
    PictureNoise() = default;

    NoiseRequest request_;
    std::vector<RandomGenerator> generators_;
};

}  // namespace tessera
