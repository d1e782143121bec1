#pragma once

#include "base/tensor.h"
#include "diffusion/random.h"

#include <cstdint>
#include <span>
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

/// One generator per picture, so that a picture's noise never depends on its neighbours.
class PictureNoise final : public NoiseSource {
  public:
    explicit PictureNoise(std::span<const std::uint64_t> seeds);

    /// The first dimension of `shape` must be the number of seeds.
    [[nodiscard]] Tensor draw(const Shape& shape) override;

    void save(ByteWriter& out) const;
    [[nodiscard]] static Result<PictureNoise> load(ByteReader& in, std::size_t pictures);

  private:
    std::vector<TorchRandom> generators_;
};

}  // namespace tessera
