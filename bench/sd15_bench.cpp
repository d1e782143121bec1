// sd15_bench FOLDER [SIDE...]: the SD1.5-sized model that make_bench_model wrote. For each picture
// side (default 256 512) it first measures the ceiling: every convolution, matrix product and
// attention of the UNet, alone and at the network's own shapes. Then the real CFG step (UNet, batch
// 2), VAE decode and text encoder, as time and as a fraction of that ceiling; then what the step
// loop and a preview after each step add, and memory. All in one run, since the machine may be
// shared.
#include "diffusion/denoise_loop.h"
#include "diffusion/guidance.h"
#include "diffusion/pipeline_model.h"
#include "diffusion/pipeline_preview.h"
#include "operations.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tessera {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr const char* kClassNames[] = {"conv", "GEMM", "attention"};

/// Sums of time and work by class; all times are those of the ceiling.
struct Ceiling {
    double seconds[3] = {};
    double flop[3] = {};

    [[nodiscard]] double total_seconds() const { return seconds[0] + seconds[1] + seconds[2]; }
    [[nodiscard]] double total_flop() const { return flop[0] + flop[1] + flop[2]; }
};

/// Each distinct operation is measured once, whichever network has it.
class CeilingMeter {
  public:
    CeilingMeter(Engine& engine, std::filesystem::path scratch)
        : engine_(engine), scratch_(std::move(scratch)) {}

    Result<Ceiling> measure(const OperationCounts& operations) {
        Ceiling ceiling;
        std::size_t done = 0;
        for (const auto& [operation, count] : operations) {
            fmt::print(stderr, "\rmeasuring operation {} of {} ", ++done, operations.size());
            auto known = seconds_.find(operation);
            if (known == seconds_.end()) {
                TESSERA_ASSIGN(
                    const double seconds, measure_operation(operation, engine_, scratch_)
                );
                known = seconds_.emplace(operation, seconds).first;
            }
            const auto kind = static_cast<std::size_t>(operation.kind);
            ceiling.seconds[kind] += known->second * count;
            ceiling.flop[kind] += operation.flop() * count;
        }
        fmt::print(stderr, "\r{:40}\r", "");
        return ceiling;
    }

  private:
    Engine& engine_;
    std::filesystem::path scratch_;
    std::map<Operation, double> seconds_;
};

void print_ceiling(const Ceiling& ceiling) {
    for (std::size_t kind = 0; kind < 3; ++kind) {
        fmt::print(
            "  ceiling {:<10} {:8.1f} GFLOP {:8.3f} s {:8.1f} GFLOP/s\n",
            kClassNames[kind],
            ceiling.flop[kind] / 1e9,
            ceiling.seconds[kind],
            ceiling.flop[kind] / ceiling.seconds[kind] / 1e9
        );
    }
}

/// The shortest of `runs` calls after one that is not counted.
template <class Call>
Result<double> best_of(int runs, Call call) {
    double best = INFINITY;
    for (int run = 0; run <= runs; ++run) {
        const auto start = Clock::now();
        TESSERA_TRY(call());
        if (run > 0) {
            best = std::min(best, seconds_since(start));
        }
    }
    return best;
}

void print_result(const char* what, double seconds, const Ceiling& ceiling) {
    fmt::print(
        "  {:<18} {:8.1f} GFLOP {:8.3f} s {:8.1f} GFLOP/s  {:5.1f} % of the ceiling ({:.3f} s)\n",
        what,
        ceiling.total_flop() / 1e9,
        seconds,
        ceiling.total_flop() / seconds / 1e9,
        100.0 * ceiling.total_seconds() / seconds,
        ceiling.total_seconds()
    );
}

/// Answers at once: what remains is the step loop's own work.
class InstantDenoiser final : public Denoiser {
  public:
    Result<Tensor> denoise(const Tensor& model_input, const ModelCall&, std::stop_token) override {
        const std::array<Condition, 1> conditions{{{1.0, model_input}}};
        return guide(model_input, conditions, 7.5);
    }
};

Result<double> loop_seconds_per_step(const PipelineModel& model, int latent_side) {
    DenoiseRequest request{};
    request.sampler = "DPM++ 2M Karras";
    request.plan.config = model.info().scheduler;
    request.plan.steps = 20;
    request.noise.seeds = {{.seed = 1}};
    request.latent_shape = {4, latent_side, latent_side};
    TESSERA_ASSIGN(auto loop, DenoiseLoop::start(std::move(request)));
    InstantDenoiser denoiser;
    const auto start = Clock::now();
    while (!loop.done()) {
        TESSERA_TRY(loop.advance(denoiser, {}));
    }
    return seconds_since(start) / static_cast<double>(loop.steps());
}

Tensor noise(const Shape& shape) {
    Tensor tensor(shape);
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        tensor.values[i] = std::sin(static_cast<float>(i) * 1.7F);
    }
    return tensor;
}

/// What a preview takes of one picture; finding its factors, once a model, is not counted.
Result<double> preview_seconds(PipelineModel& model, int latent_side) {
    TESSERA_ASSIGN(const auto preview, preview_of(model, {}));
    const Tensor latents = noise({1, 4, latent_side, latent_side});
    return best_of(20, [&]() -> Status {
        if (preview_image(latents, preview).values.empty()) {
            return fail(ErrorKind::kInternal, "a preview is empty");
        }
        return {};
    });
}

std::string memory_line(const char* key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key)) {
            return line;
        }
    }
    return key;
}

Status bench_side(PipelineModel& model, CeilingMeter& meter, int side) {
    constexpr int kRuns = 3;
    const int latent = side / model.info().vae.downscale();
    fmt::print("{0} x {0}\n", side);
    TESSERA_ASSIGN(
        const auto step_ceiling,
        meter.measure(unet_operations(model.info().unet, 2, latent, latent))
    );
    print_ceiling(step_ceiling);

    const Tensor latents = noise({2, 4, latent, latent});
    const Tensor context = noise({2, 77, model.info().text_encoder.hidden_size});
    TESSERA_ASSIGN(const double step, best_of(kRuns, [&]() -> Status {
                       TESSERA_TRY(model.predict(latents, 500.0, context, {}));
                       return {};
                   }));
    print_result("CFG step (UNet)", step, step_ceiling);
    TESSERA_ASSIGN(const double loop, loop_seconds_per_step(model, latent));
    fmt::print(
        "  step loop, guidance {:>29.6f} s  {:5.3f} % of a step\n", loop, 100.0 * loop / step
    );
    TESSERA_ASSIGN(const double shown, preview_seconds(model, latent));
    fmt::print("  preview / step {:>34.6f} s  {:5.3f} % of a step\n", shown, 100.0 * shown / step);

    TESSERA_ASSIGN(
        const auto decode_ceiling,
        meter.measure(vae_decoder_operations(model.info().vae, latent, latent))
    );
    const Tensor picture_latents = noise({1, 4, latent, latent});
    TESSERA_ASSIGN(const double decode, best_of(kRuns, [&]() -> Status {
                       TESSERA_TRY(model.decode(picture_latents, {}));
                       return {};
                   }));
    print_result("VAE decode", decode, decode_ceiling);
    fmt::print("  {}\n  {}\n", memory_line("RssAnon"), memory_line("RssFile"));
    return {};
}

/// The text encoder's work is all matrix products but for its small attention.
Status bench_text_encoder(PipelineModel& model, CeilingMeter& meter) {
    const auto& config = model.info().text_encoder;
    OperationCounts operations;
    const int rows = config.max_position_embeddings;
    const int width = config.hidden_size;
    const auto gemm = [&](int in, int out, int times) {
        operations[{OperationClass::kGemm, 1, in, out, 1, 1, rows, 1}] +=
            times * config.num_hidden_layers;
    };
    gemm(width, width, 4);
    gemm(width, config.intermediate_size, 1);
    gemm(config.intermediate_size, width, 1);
    TESSERA_ASSIGN(const auto ceiling, meter.measure(operations));
    const IdTensor ids({1, rows});
    TESSERA_ASSIGN(const double seconds, best_of(10, [&]() -> Status {
                       TESSERA_TRY(model.encode_ids(ids, 1, {}));
                       return {};
                   }));
    fmt::print("text encoder, one prompt\n");
    print_result("text encoder", seconds, ceiling);
    return {};
}

/// Loads every network and waits for the engine cache, so that nothing is written while measuring
/// and the weights are mapped, as they are from the second process on.
Status warm_up(PipelineModel& model, Engine& engine) {
    const auto& text = model.info().text_encoder;
    TESSERA_TRY(model.encode_ids(IdTensor({1, text.max_position_embeddings}), 1, {}));
    TESSERA_TRY(model.predict(noise({2, 4, 8, 8}), 500.0, noise({2, 77, text.hidden_size}), {}));
    TESSERA_TRY(model.decode(noise({1, 4, 8, 8}), {}));
    engine.finish_cache_writes();
    return {};
}

Status run(const std::filesystem::path& folder, const std::vector<int>& sides) {
    const auto cache = folder.parent_path() / "engines";
    EngineOptions options;
    options.cache_folder = cache;
    options.warn = [](const std::string& sentence) { fmt::print(stderr, "{}\n", sentence); };
    TESSERA_ASSIGN(const auto engine, Engine::create(options));
    const char* merges = std::getenv("TESSERA_CLIP_MERGES");
    TESSERA_ASSIGN(
        const auto model,
        PipelineModel::open(
            folder,
            engine,
            merges == nullptr ? "third_party/clip-vocabulary/clip_merges.txt" : merges
        )
    );
    fmt::print("engine {}\n", engine->fingerprint().text());
    EngineOptions uncached;
    TESSERA_ASSIGN(const auto bare, Engine::create(uncached));
    CeilingMeter meter(*bare, folder.parent_path() / "operation.safetensors");
    TESSERA_TRY(warm_up(*model, *engine));
    TESSERA_TRY(bench_text_encoder(*model, meter));
    for (const int side : sides) {
        TESSERA_TRY(bench_side(*model, meter, side));
    }
    return {};
}

}  // namespace
}  // namespace tessera

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: sd15_bench FOLDER [SIDE...]\n");
        return 2;
    }
    std::vector<int> sides;
    for (int i = 2; i < argc; ++i) {
        sides.push_back(std::atoi(argv[i]));
    }
    if (sides.empty()) {
        sides = {256, 512};
    }
    if (const auto status = tessera::run(argv[1], sides); !status) {
        fmt::print(stderr, "sd15_bench: {}\n", status.error().message);
        return 1;
    }
    return 0;
}
