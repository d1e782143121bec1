#include "upscaling/random_upscaler_test.h"

#include "checkpoint/safetensors_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tessera {

void write_random_upscaler(
    const std::filesystem::path& file, const std::vector<Parameter>& parameters, std::uint32_t seed
) {
    std::mt19937 generator(seed);
    std::vector<std::vector<float>> values;
    std::vector<NamedTensor> tensors;
    for (const auto& [name, shape] : parameters) {
        const bool is_conv = shape.size() == 4;
        const double fan_in = is_conv ? static_cast<double>(shape[1] * shape[2] * shape[3]) : 1.0;
        const double spread = is_conv ? std::sqrt(3.0 / fan_in) : 0.1;
        auto& drawn = values.emplace_back(element_count(shape));
        for (float& value : drawn) {
            const double unit = static_cast<double>(generator()) / 4294967296.0;
            value = static_cast<float>((2.0 * unit - 1.0) * spread);
        }
        tensors.push_back({name, {DType::kF32, shape, std::as_bytes(std::span(drawn))}});
    }
    const auto written = write_safetensors(file, tensors);
    ASSERT_TRUE(written) << written.error().message;
}

}  // namespace tessera
