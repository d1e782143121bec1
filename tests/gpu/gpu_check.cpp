// gpu_check FOLDER [SIDE]: runs the UNet of the SD1.5-sized model in FOLDER (made if it is not
// there) on the CUDA provider and on the CPU, both in fp32, on latents of SIDE pixels (default
// 512), and compares. Exit code 0 if they agree within 1e-3 of the largest value, 1 if not or if no
// CUDA GPU works.
#include "bench_model.h"
#include "checkpoint/diffusers_folder.h"
#include "inference/engine.h"
#include "models/unet2d_condition_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace tessera {
namespace {

constexpr double kTolerance = 1e-3;

Tensor waves(const Shape& shape) {
    Tensor tensor(shape);
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        tensor.values[i] = std::sin(static_cast<float>(i) * 1.7F);
    }
    return tensor;
}

struct Measured {
    Tensor output;
    double seconds;  ///< of the second call: the first one warms up
};

Result<Measured> run_unet(const std::filesystem::path& folder, Provider provider, int side) {
    EngineOptions options;
    options.provider = provider;
    TESSERA_ASSIGN(const auto engine, Engine::create(options));
    fmt::print("{}\n", engine->fingerprint().text());
    TESSERA_ASSIGN(const auto model, DiffusersFolder::open(folder));
    TESSERA_ASSIGN(const auto json, model.component_config("unet"));
    TESSERA_ASSIGN(const auto config, UNet2DConditionConfig::parse(json));
    TESSERA_ASSIGN(const auto weights, model.weights("unet"));
    const ModelSource source{
        "unet", "", [&] {
            return write_unet2d_condition_model(config, weights, GraphDialect::kOrtCpu);
        }};
    TESSERA_ASSIGN(const auto unet, engine->load(source));

    const Tensor sample = waves({2, config.in_channels, side / 8, side / 8});
    const Tensor timestep({2}, {500.0F, 500.0F});
    const Tensor context = waves({2, 77, config.cross_attention_dim.front()});
    const std::vector<Input> inputs{
        {"sample", sample}, {"timestep", timestep}, {"encoder_hidden_states", context}};
    TESSERA_TRY(unet->run(inputs));
    const auto start = std::chrono::steady_clock::now();
    TESSERA_ASSIGN(auto outputs, unet->run(inputs));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return Measured{std::move(outputs.front()), took.count()};
}

Result<bool> compare(const std::filesystem::path& folder, int side) {
    TESSERA_TRY(make_bench_model(folder));
    TESSERA_ASSIGN(const auto gpu, run_unet(folder, Provider::kCuda, side));
    TESSERA_ASSIGN(const auto cpu, run_unet(folder, Provider::kCpu, side));
    double error = 0.0;
    double largest = 0.0;
    for (std::size_t i = 0; i < cpu.output.values.size(); ++i) {
        const double want = cpu.output.values[i];
        const double difference = std::abs(static_cast<double>(gpu.output.values[i]) - want);
        error = std::isnan(difference) ? INFINITY : std::max(error, difference);
        largest = std::max(largest, std::abs(want));
    }
    fmt::print(
        "UNet, batch 2, {0} x {0}: CUDA {1:.4f} s, CPU {2:.3f} s, largest difference {3:.2e} of "
        "{4:.2e}\n",
        side,
        gpu.seconds,
        cpu.seconds,
        error,
        largest
    );
    return error <= kTolerance * largest;
}

}  // namespace
}  // namespace tessera

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: gpu_check FOLDER [SIDE]\n");
        return 2;
    }
    const auto agree = tessera::compare(argv[1], argc > 2 ? std::atoi(argv[2]) : 512);
    if (!agree) {
        fmt::print(stderr, "gpu_check: {}\n", agree.error().message);
        return 1;
    }
    fmt::print("{}\n", *agree ? "test-gpu: passed" : "test-gpu: the results differ");
    return *agree ? 0 : 1;
}
