#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <span>

namespace tessera {

/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2,
/// 3"): four random words for each counter, in any order. Low words first.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(
    std::array<std::uint32_t, 4> counter, std::uint64_t key
);

/// torch.Generator('cuda').manual_seed(seed) with torch.randn, to 1e-6, counted as programs do that
/// repeat a GPU's seeds elsewhere: one step of the offset for each call, whatever its size, and for
/// each element a subsequence of its own. (A GPU itself does so for pictures of usual size.)
class PhiloxRandom {
  public:
    explicit PhiloxRandom(std::uint64_t seed) : seed_(seed) {}

    /// Fills with unit normal noise as one torch.randn call of that many elements does.
    void randn(std::span<float> values);

    void save(ByteWriter& out) const;
    /// kCorrupt when the bytes end early; any others are a state.
    [[nodiscard]] static Result<PhiloxRandom> load(ByteReader& in);

  private:
    std::uint64_t seed_;
    std::uint64_t offset_ = 0;
};

}  // namespace tessera
