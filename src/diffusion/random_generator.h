#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "diffusion/philox.h"
#include "diffusion/random.h"
#include "diffusion/random_kind.h"

#include <cstdint>
#include <span>
#include <variant>

namespace tessera {

/// A generator of either kind.
class RandomGenerator {
  public:
    RandomGenerator(RandomKind kind, std::uint64_t seed);

    /// Fills with unit normal noise as one torch.randn call of that many elements does.
    void randn(std::span<float> values);

    void save(ByteWriter& out) const;
    /// kCorrupt when the bytes are no saved state of that kind.
    [[nodiscard]] static Result<RandomGenerator> load(RandomKind kind, ByteReader& in);

  private:
    explicit RandomGenerator(const std::variant<TorchRandom, PhiloxRandom>& generator)
        : generator_(generator) {}

    std::variant<TorchRandom, PhiloxRandom> generator_;
};

}  // namespace tessera
