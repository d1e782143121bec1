#include "goldens/sampler_goldens.h"

#include "checkpoint/checked_json.h"
#include "diffusion/linear_combination.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/random_generator.h"
#include "diffusion/sampler_registry.h"
#include "goldens/golden_case.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace tessera {

namespace {

using Json = nlohmann::json;

constexpr GoldenTolerance kLatents{1e-4, 1e-6};
constexpr GoldenTolerance kSigmas{1e-5, 0.0};
constexpr GoldenTolerance kExact{0.0, 0.0};
constexpr GoldenTolerance kFractional{0.0, 1e-2};
constexpr GoldenTolerance kNoise{0.0, 1e-6};

/// Hands out the saved draws of the reference run.
class RecordedNoise final : public NoiseSource {
  public:
    RecordedNoise(Tensor rows, Shape shape) : rows_(std::move(rows)), shape_(std::move(shape)) {}

    Tensor draw([[maybe_unused]] const Shape& shape) override {
        Tensor drawn(shape_);
        const std::size_t begin = used_++ * drawn.values.size();
        if (begin + drawn.values.size() > rows_.values.size()) {
            overdrawn_ = true;
            return drawn;
        }
        const auto first = rows_.values.begin() + static_cast<std::ptrdiff_t>(begin);
        std::copy_n(first, drawn.values.size(), drawn.values.begin());
        return drawn;
    }

    [[nodiscard]] bool overdrawn() const { return overdrawn_; }

  private:
    Tensor rows_;
    Shape shape_;
    std::size_t used_ = 0;
    bool overdrawn_ = false;
};

/// The analytic denoiser of both folders.
Tensor analytic_output(const Tensor& input, double timestep) {
    Tensor output(input.shape);
    const auto shift = static_cast<float>(timestep / 100.0);
    std::transform(
        input.values.begin(),
        input.values.end(),
        output.values.begin(),
        [shift](float x) { return 0.3F * x + 0.1F * std::sin(2.0F * x + shift); }
    );
    return output;
}

/// Compares with a reference that counts as `rows` equal rows with a tolerance each, and reports
/// the row that comes closest to its tolerance.
GoldenRow compare_rows(
    const std::string& folder,
    const GoldenCase& golden,
    const std::string& tensor,
    std::span<const float> got,
    std::size_t rows,
    GoldenTolerance tolerance
) {
    const Tensor reference = golden.floats(tensor);
    const std::span<const float> want(reference.values);
    GoldenRow result{folder, tensor, 0.0, 0.0, GoldenStatus::kPass, ""};
    if (want.size() != got.size() || want.empty() || want.size() % rows != 0) {
        result.status = GoldenStatus::kFail;
        result.note = fmt::format("{} values, expected {}", got.size(), want.size());
        return result;
    }
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::size_t length = want.size() / rows;
    double closest = -1.0;
    for (std::size_t start = 0; start < want.size(); start += length) {
        double largest = 0.0;
        double error = 0.0;
        for (std::size_t i = start; i < start + length; ++i) {
            const auto value = static_cast<double>(want[i]);
            const double difference = std::abs(static_cast<double>(got[i]) - value);
            error = std::isnan(difference) ? kInfinity : std::max(error, difference);
            largest = std::max(largest, std::abs(value));
        }
        const double allowed = tolerance.of_max * largest + tolerance.absolute;
        const double share = error == 0.0 ? 0.0 : error / allowed;
        if (share > closest) {
            closest = share;
            result.error = error;
            result.tolerance = allowed;
        }
    }
    if (!(result.error <= result.tolerance)) {
        result.status = GoldenStatus::kFail;
    }
    return result;
}

/// A row for something that did not get as far as numbers.
GoldenRow failed(const std::string& folder, const std::string& tensor, const Error& error) {
    const bool not_built =
        error.kind == ErrorKind::kUnsupported || error.kind == ErrorKind::kNotFound;
    const auto status = not_built ? GoldenStatus::kNotBuilt : GoldenStatus::kFail;
    return {folder, tensor, 0.0, 0.0, status, error.message};
}

struct Run {
    std::string key;
    std::string sampler;
    SamplerRequest request;
};

/// Whose latents the reference keeps, besides those at the start.
enum class Rows : std::uint8_t { kAfterEveryCall, kAfterEveryStep };

bool ends_step(const Sampler& sampler, std::size_t call) {
    const auto& calls = sampler.calls();
    return call + 1 == calls.size() || calls[call + 1].step != calls[call].step;
}

/// The latents at the start and after every call or step, one after another.
Result<std::vector<float>> trace(
    const GoldenCase& golden, const Run& run, const Sampler& sampler, Rows kept
) {
    const Tensor noise = golden.floats("init_noise");
    const Tensor clean = golden.floats("img2img_x0");
    if (noise.values.empty() || noise.shape != clean.shape) {
        return fail(
            ErrorKind::kCorrupt, "init_noise and img2img_x0 are missing or differ in shape"
        );
    }
    Tensor draws = golden.floats(run.key + "/noise");
    RecordedNoise recorded(std::move(draws), noise.shape);

    const StartMix mix = sampler.start();
    SamplerState state;
    state.latents = run.request.strength
                        ? linear_combination({{mix.clean, clean}, {mix.noise, noise}})
                        : linear_combination({{mix.noise, noise}});
    std::vector<float> rows(state.latents.values);
    for (std::size_t call = 0; call < sampler.calls().size(); ++call) {
        const ModelCall& now = sampler.calls()[call];
        const Tensor input = linear_combination({{now.input_scale, state.latents}});
        sampler.step(call, analytic_output(input, now.timestep), recorded, state);
        if (kept == Rows::kAfterEveryCall || ends_step(sampler, call)) {
            rows.insert(rows.end(), state.latents.values.begin(), state.latents.values.end());
        }
    }
    if (recorded.overdrawn()) {
        return fail(ErrorKind::kInternal, "the sampler draws more noise than the reference run");
    }
    return rows;
}

std::vector<float> timesteps_of(const Sampler& sampler) {
    std::vector<float> timesteps;
    for (const ModelCall& call : sampler.calls()) {
        timesteps.push_back(static_cast<float>(call.timestep));
    }
    return timesteps;
}

std::vector<float> floats(std::span<const double> values) {
    std::vector<float> out;
    for (const double value : values) {
        out.push_back(static_cast<float>(value));
    }
    return out;
}

/// Integer timesteps are to be met exactly.
GoldenTolerance timestep_tolerance(const GoldenCase& golden, const Run& run, const char* name) {
    const Tensor wanted = golden.floats(run.key + "/" + name);
    const bool whole = std::all_of(wanted.values.begin(), wanted.values.end(), [](float value) {
        return value == std::round(value);
    });
    return whole && !run.request.config.use_karras_sigmas ? kExact : kFractional;
}

void check_run(
    const std::string& folder,
    const GoldenCase& golden,
    const Run& run,
    const Sampler& sampler,
    const char* timesteps_name,
    std::span<const double> sigmas,
    Rows kept,
    std::vector<GoldenRow>& rows
) {
    rows.push_back(compare_rows(
        folder,
        golden,
        run.key + "/" + timesteps_name,
        timesteps_of(sampler),
        1,
        timestep_tolerance(golden, run, timesteps_name)
    ));
    if (!sigmas.empty() && golden.has(run.key + "/sigmas")) {
        rows.push_back(compare_rows(
            folder, golden, run.key + "/sigmas", floats(sigmas), sigmas.size(), kSigmas
        ));
    }
    const std::string name = run.key + "/latents";
    const auto latents = trace(golden, run, sampler, kept);
    const std::size_t count =
        kept == Rows::kAfterEveryCall ? sampler.calls().size() : sampler.steps();
    rows.push_back(
        latents ? compare_rows(folder, golden, name, *latents, count + 1, kLatents)
                : failed(folder, name, latents.error())
    );
}

/// Where steps have two calls, diffusers counts each level between two steps for both.
std::vector<double> sigmas_by_call(const Sampler& sampler) {
    const auto& sigmas = sampler.sigmas();
    if (sampler.calls().size() == sampler.steps() || sigmas.size() < 3) {
        return sigmas;
    }
    std::vector<double> doubled{sigmas.front()};
    for (std::size_t i = 1; i + 1 < sigmas.size(); ++i) {
        doubled.insert(doubled.end(), 2, sigmas[i]);
    }
    doubled.push_back(sigmas.back());
    return doubled;
}

/// Opens a folder and runs `check(name, golden, description)` over it. nlohmann throws on a field
/// that is missing or of another type; here that is a broken folder.
template <class Check>
std::vector<GoldenRow> over_folder(const std::filesystem::path& folder, Check check) {
    const std::string name = folder.filename().string();
    GoldenCase golden(name, folder, "expected.safetensors");
    if (!golden.is_open()) {
        return golden.take_rows();
    }
    const auto text = read_json_file(folder / "case.json");
    if (!text) {
        return {failed(name, "case.json", Error{ErrorKind::kCorrupt, text.error().message})};
    }
    try {
        return check(name, golden, Json::parse(*text));
    } catch (const Json::exception& error) {
        return {failed(name, "case.json", Error{ErrorKind::kCorrupt, error.what()})};
    }
}

SchedulerConfig stable_diffusion_config() {
    SchedulerConfig config;
    config.beta_schedule = BetaSchedule::kScaledLinear;
    config.beta_start = 0.00085;
    config.beta_end = 0.012;
    return config;
}

/// "euler/karras/epsilon/20/img2img"
Result<Run> kdiffusion_run(const std::string& key, double strength) {
    std::vector<std::string> parts{""};
    for (const char c : key) {
        if (c == '/') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    if (parts.size() != 5) {
        return fail(ErrorKind::kCorrupt, "the key has not five parts");
    }
    // The functions of k-diffusion as such: A1111's names leave out a noise level with some.
    Run run{key, "sample_" + parts[0], {}};
    run.request.config = stable_diffusion_config();
    run.request.config.prediction_type = parts[2] == "v_prediction" ? PredictionType::kVPrediction
                                         : parts[2] == "sample"     ? PredictionType::kSample
                                                                    : PredictionType::kEpsilon;
    TESSERA_ASSIGN(run.request.schedule, find_schedule(parts[1]));
    run.request.steps = std::atoi(parts[3].c_str());
    if (parts[4] == "img2img") {
        run.request.strength = strength;
    }
    return run;
}

/// case.json says it in words: "strength 0.6 the way A1111 does: ...".
double kdiffusion_strength(const Json& description) {
    const auto text = description.value("img2img", std::string());
    constexpr std::string_view kWord = "strength ";
    const auto at = text.find(kWord);
    return at == std::string::npos ? 0.6 : std::strtod(text.c_str() + at + kWord.size(), nullptr);
}

/// Generator, seed and how many draws: "seed42/randn_twice_4x8x8", "seed42/philox_randn_4x8x8".
struct RngCase {
    RandomKind random = RandomKind::kCpu;
    std::uint64_t seed = 0;
    std::size_t draws = 1;
};

std::optional<RngCase> rng_case(std::string_view name) {
    constexpr std::string_view kSeed = "seed";
    constexpr std::string_view kPhilox = "philox_";
    const auto slash = name.find('/');
    if (!name.starts_with(kSeed) || slash == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string digits(name.substr(kSeed.size(), slash - kSeed.size()));
    RngCase drawn{.seed = std::strtoull(digits.c_str(), nullptr, 10)};
    auto rest = name.substr(slash + 1);
    if (rest.starts_with(kPhilox)) {
        drawn.random = RandomKind::kCuda;
        rest.remove_prefix(kPhilox.size());
    }
    if (!rest.starts_with("randn_")) {
        return std::nullopt;
    }
    drawn.draws = rest.starts_with("randn_twice_") ? 2 : 1;
    return drawn;
}

}  // namespace

std::vector<GoldenRow> check_schedulers(const std::filesystem::path& folder) {
    return over_folder(folder, [](const auto& name, const auto& golden, const Json& description) {
        std::vector<GoldenRow> rows;
        for (const Json& entry : description.at("runs")) {
            Run run{entry.at("key").get<std::string>(), entry.at("class").get<std::string>(), {}};
            auto config = SchedulerConfig::parse(entry.at("config").dump());
            if (!config) {
                rows.push_back(failed(name, run.key, config.error()));
                continue;
            }
            run.request.config = *std::move(config);
            run.request.steps = entry.at("steps").template get<int>();
            if (!entry.at("strength").is_null()) {
                run.request.strength = entry.at("strength").template get<double>();
            }
            const auto sampler = make_sampler(run.sampler, run.request);
            if (!sampler) {
                rows.push_back(failed(name, run.key, sampler.error()));
                continue;
            }
            check_run(
                name,
                golden,
                run,
                **sampler,
                "timesteps",
                sigmas_by_call(**sampler),
                Rows::kAfterEveryCall,
                rows
            );
        }
        const auto schedule = NoiseSchedule::create(stable_diffusion_config());
        if (!schedule) {
            rows.push_back(failed(name, "alphas_cumprod", schedule.error()));
        } else if (golden.has("alphas_cumprod")) {
            const auto& alphas = schedule->alphas_cumprod();
            rows.push_back(
                compare_rows(name, golden, "alphas_cumprod", alphas, alphas.size(), kSigmas)
            );
        }
        return rows;
    });
}

std::vector<GoldenRow> check_kdiffusion(const std::filesystem::path& folder) {
    return over_folder(folder, [](const auto& name, const auto& golden, const Json& description) {
        const double strength = kdiffusion_strength(description);
        std::vector<GoldenRow> rows;
        for (const Json& entry : description.at("keys")) {
            const auto key = entry.template get<std::string>();
            const auto run = kdiffusion_run(key, strength);
            if (!run) {
                rows.push_back(failed(name, key, run.error()));
                continue;
            }
            const auto sampler = make_sampler(run->sampler, run->request);
            if (!sampler) {
                rows.push_back(failed(name, key, sampler.error()));
                continue;
            }
            // Here image-to-image has only the sigmas that it uses.
            const std::span<const double> sigmas((*sampler)->sigmas());
            const std::size_t used = std::min(sigmas.size(), (*sampler)->steps() + 1);
            check_run(
                name,
                golden,
                *run,
                **sampler,
                "model_t",
                sigmas.last(used),
                Rows::kAfterEveryStep,
                rows
            );
        }
        return rows;
    });
}

std::vector<GoldenRow> check_rng(const std::filesystem::path& folder) {
    const std::string name = folder.filename().string();
    GoldenCase golden(name, folder, "expected.safetensors");
    const auto file = SafetensorsFile::open(folder / "expected.safetensors");
    if (!golden.is_open() || !file) {
        return golden.take_rows();
    }
    std::vector<GoldenRow> rows;
    for (const NamedTensor& entry : file->tensors()) {
        const auto drawn = rng_case(entry.name);
        if (!drawn) {
            const Error missing{ErrorKind::kUnsupported, "a draw of an unknown generator"};
            rows.push_back(failed(name, entry.name, missing));
            continue;
        }
        std::vector<float> values(element_count(entry.tensor.shape));
        RandomGenerator random(drawn->random, drawn->seed);
        const std::size_t length = values.size() / drawn->draws;
        for (std::size_t i = 0; i < drawn->draws; ++i) {
            random.randn(std::span(values).subspan(i * length, length));
        }
        rows.push_back(compare_rows(name, golden, entry.name, values, 1, kNoise));
    }
    return rows;
}

}  // namespace tessera
