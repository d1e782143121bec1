#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace tessera {

/// The 32-bit Mersenne Twister (Matsumoto and Nishimura 1998), the same stream as std::mt19937.
/// Unlike that one its state can be stored, and a stored state is checked when it is read.
class MersenneTwister {
  public:
    explicit MersenneTwister(std::uint32_t seed);

    std::uint32_t next();

    void save(ByteWriter& out) const;
    [[nodiscard]] static Result<MersenneTwister> load(ByteReader& in);

  private:
    static constexpr std::size_t kWords = 624;

    void refill();

    std::array<std::uint32_t, kWords> words_{};
    std::size_t used_ = kWords;
};

/// torch.Generator('cpu').manual_seed(seed) with torch.randn in float32, to 1e-6: ATen's
/// normal_fill (24-bit uniforms, Box-Muller over blocks of 16) for 16 values or more and its scalar
/// normal_distribution (53-bit uniforms, the second value kept for later) for fewer.
/// Like torch's, the stream depends on the low 32 bits of the seed alone.
class TorchRandom {
  public:
    explicit TorchRandom(std::uint64_t seed);

    /// Fills with unit normal noise as one torch.randn call of that many elements does. How many
    /// values are drawn at once is part of the stream: two calls for 8 differ from one for 16.
    void randn(std::span<float> values);

    void save(ByteWriter& out) const;
    /// kCorrupt when the bytes are no saved state.
    [[nodiscard]] static Result<TorchRandom> load(ByteReader& in);

  private:
    explicit TorchRandom(MersenneTwister engine) : engine_(engine) {}

    double uniform24();
    double uniform53();
    void fill_block(std::span<float, 16> block);
    double next_normal();

    MersenneTwister engine_;
    std::optional<double> spare_;
};

}  // namespace tessera
