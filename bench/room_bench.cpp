// Hot paths outside the networks: google-benchmark's table.
#include "checkpoint/tensor_view.h"
#include "diffusion/random_generator.h"
#include "prompt/clip_tokenizer.h"

#include <benchmark/benchmark.h>

namespace tessera {
namespace {

void noise(benchmark::State& state, RandomKind kind) {
    std::vector<float> values(4U * 64U * 64U);
    RandomGenerator random(kind, 1);
    for (auto _ : state) {
        random.randn(values);
        benchmark::DoNotOptimize(values.data());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(values.size()));
}
BENCHMARK_CAPTURE(noise, cpu, RandomKind::kCpu);
BENCHMARK_CAPTURE(noise, cuda, RandomKind::kCuda);

void tokenize(benchmark::State& state) {
    const auto tokenizer =
        ClipTokenizer::from_folder(TESSERA_WEIGHTS "/tessera-tiny/tokenizer").value();
    const std::string prompt = "a beautiful landscape, snowy mountains under a purple sunset sky";
    for (auto _ : state) {
        benchmark::DoNotOptimize(tokenizer.chunks(prompt));
    }
}
BENCHMARK(tokenize);

void widen_half(benchmark::State& state) {
    const std::vector<std::uint16_t> halves(1U << 20U, 0x3c01);
    std::vector<float> floats(halves.size());
    const TensorView view{
        DType::kF16, {static_cast<std::int64_t>(halves.size())}, std::as_bytes(std::span(halves))};
    for (auto _ : state) {
        benchmark::DoNotOptimize(widen(view, floats).has_value());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(view.bytes.size()));
}
BENCHMARK(widen_half);

}  // namespace
}  // namespace tessera
