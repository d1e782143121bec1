#include "diffusion/scheduler_config.h"

#include "checkpoint/checked_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tessera {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxTextBytes = 4U << 20U;
constexpr int kMaxTrainTimesteps = 100'000;
constexpr std::size_t kMaxNameBytes = 256;
constexpr double kMaxTimestepScaling = 1e6;

template <class T>
using Words = std::array<std::pair<const char*, T>, 3>;

constexpr Words<BetaSchedule> kBetaSchedules{{
    {"linear", BetaSchedule::kLinear},
    {"scaled_linear", BetaSchedule::kScaledLinear},
    {"squaredcos_cap_v2", BetaSchedule::kSquaredCosCapV2},
}};
constexpr Words<TimestepSpacing> kSpacings{{
    {"leading", TimestepSpacing::kLeading},
    {"linspace", TimestepSpacing::kLinspace},
    {"trailing", TimestepSpacing::kTrailing},
}};
constexpr Words<PredictionType> kPredictionTypes{{
    {"epsilon", PredictionType::kEpsilon},
    {"v_prediction", PredictionType::kVPrediction},
    {"sample", PredictionType::kSample},
}};

/// Python's json module writes -Infinity, Infinity and NaN, which JSON does not have. diffusers
/// uses the first for "no limit", so that null (unset) says the same.
std::string without_python_numbers(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool in_string = false;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (in_string && c == '\\') {
            out += text.substr(i, 2);
            i += 2;
            continue;
        }
        in_string = in_string != (c == '"');
        const auto words = {
            std::string_view("-Infinity"), std::string_view("Infinity"), std::string_view("NaN")};
        const auto* const word = std::find_if(words.begin(), words.end(), [&](std::string_view w) {
            return !in_string && text.substr(i, w.size()) == w;
        });
        if (word != words.end()) {
            out += "null";
            i += word->size();
        } else {
            out += c;
            ++i;
        }
    }
    return out;
}

/// Reads typed values from an object; null counts as absent.
class Reader {
  public:
    explicit Reader(const Json& object) : object_(object) {}

    [[nodiscard]] const Json* find(const char* key) const {
        const auto it = object_.find(key);
        return it == object_.end() || it->is_null() ? nullptr : &*it;
    }

    Status read(const char* key, bool& value) const {
        const Json* found = find(key);
        if (found != nullptr) {
            if (!found->is_boolean()) {
                return wrong_type(key, "true or false");
            }
            value = found->get<bool>();
        }
        return {};
    }

    Status read(const char* key, int& value) const {
        const Json* found = find(key);
        if (found != nullptr) {
            if (!found->is_number_integer()) {
                return wrong_type(key, "a whole number");
            }
            constexpr std::int64_t kFar = 2'000'000'000;
            // A huge unsigned number turns negative here, or stays huge: out of range either way.
            const auto wide = found->get<std::int64_t>();
            value = static_cast<int>(std::clamp(wide, -kFar, kFar));
        }
        return {};
    }

    Status read(const char* key, double& value) const {
        const Json* found = find(key);
        if (found != nullptr) {
            if (!found->is_number()) {
                return wrong_type(key, "a number");
            }
            value = found->get<double>();
        }
        return {};
    }

    Status read(const char* key, std::string& value) const {
        const Json* found = find(key);
        if (found != nullptr) {
            if (!found->is_string()) {
                return wrong_type(key, "a text");
            }
            if (found->get_ref<const std::string&>().size() > kMaxNameBytes) {
                return wrong_type(key, "a short text");
            }
            value = found->get<std::string>();
        }
        return {};
    }

    Status read(const char* key, std::vector<double>& values) const {
        const Json* found = find(key);
        if (found == nullptr) {
            return {};
        }
        if (!found->is_array()) {
            return wrong_type(key, "a list of numbers");
        }
        values.clear();
        for (const Json& item : *found) {
            if (!item.is_number()) {
                return wrong_type(key, "a list of numbers");
            }
            values.push_back(item.get<double>());
        }
        return {};
    }

    template <class T, class WordTable>
    Status read_word(const char* key, const WordTable& words, T& value) const {
        if (find(key) == nullptr) {
            return {};
        }
        std::string text;
        TESSERA_TRY(read(key, text));
        for (const auto& [word, meaning] : words) {
            if (text == word) {
                value = meaning;
                return {};
            }
        }
        return fail(ErrorKind::kUnsupported, "{} \"{}\" is not supported", key, text);
    }

  private:
    static Status wrong_type(const char* key, const char* wanted) {
        return fail(ErrorKind::kCorrupt, "{} must be {}", key, wanted);
    }

    const Json& object_;
};

/// Options that would change pictures: only the value that stands for "off" is accepted.
Status refuse_unbuilt_options(const Reader& reader) {
    const std::array<std::pair<const char*, Json>, 11> only{{
        {"thresholding", false},
        {"use_lu_lambdas", false},
        {"use_flow_sigmas", false},
        {"disable_corrector", Json::array()},
        {"solver_p", nullptr},
        {"timestep_type", "discrete"},
        {"interpolation_type", "linear"},
        {"lambda_min_clipped", nullptr},
        {"sigma_min", nullptr},
        {"sigma_max", nullptr},
        {"rescale_sigmas", false},
    }};
    for (const auto& [key, accepted] : only) {
        const Json* found = reader.find(key);
        if (found != nullptr && *found != accepted) {
            return fail(
                ErrorKind::kUnsupported,
                "{} {} is not supported",
                key,
                found->dump(-1, ' ', false, Json::error_handler_t::replace)
            );
        }
    }
    return {};
}

template <class T, class WordTable>
const char* word_of(const WordTable& words, T value) {
    return std::find_if(
               words.begin(), words.end(), [&](const auto& entry) { return entry.second == value; }
    )->first;
}

constexpr std::array<std::pair<const char*, bool>, 2> kFinalSigmas{{
    {"zero", false},
    {"sigma_min", true},
}};

Status read_optional(const Reader& reader, const char* key, std::optional<bool>& value) {
    if (reader.find(key) != nullptr) {
        TESSERA_TRY(reader.read(key, value.emplace()));
    }
    return {};
}

Status validate_beta(const char* key, double beta) {
    if (!(beta > 0.0 && beta < 1.0)) {
        return fail(ErrorKind::kInvalidArgument, "{} {} must lie between 0 and 1", key, beta);
    }
    return {};
}

}  // namespace

Status SchedulerConfig::validate() const {
    if (num_train_timesteps < 2 || num_train_timesteps > kMaxTrainTimesteps) {
        return fail(
            ErrorKind::kInvalidArgument,
            "num_train_timesteps {} must lie between 2 and {}",
            num_train_timesteps,
            kMaxTrainTimesteps
        );
    }
    TESSERA_TRY(validate_beta("beta_start", beta_start));
    TESSERA_TRY(validate_beta("beta_end", beta_end));
    for (const double beta : trained_betas) {
        TESSERA_TRY(validate_beta("trained_betas: value", beta));
    }
    if (!trained_betas.empty() &&
        trained_betas.size() != static_cast<std::size_t>(num_train_timesteps)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "trained_betas has {} values for num_train_timesteps {}",
            trained_betas.size(),
            num_train_timesteps
        );
    }
    if (steps_offset < 0 || steps_offset >= num_train_timesteps) {
        return fail(
            ErrorKind::kInvalidArgument,
            "steps_offset {} must lie between 0 and {}",
            steps_offset,
            num_train_timesteps - 1
        );
    }
    if (!(clip_sample_range > 0.0) || !std::isfinite(clip_sample_range)) {
        return fail(
            ErrorKind::kInvalidArgument, "clip_sample_range {} must be above 0", clip_sample_range
        );
    }
    if (!(timestep_scaling > 0.0 && timestep_scaling <= kMaxTimestepScaling)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "timestep_scaling {} must lie between 0 and {}",
            timestep_scaling,
            kMaxTimestepScaling
        );
    }
    if (original_inference_steps < 1) {
        return fail(
            ErrorKind::kInvalidArgument,
            "original_inference_steps {} must be at least 1",
            original_inference_steps
        );
    }
    if (int{use_karras_sigmas} + int{use_exponential_sigmas} + int{use_beta_sigmas} > 1) {
        return fail(
            ErrorKind::kInvalidArgument,
            "of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas at most one can be "
            "true"
        );
    }
    if (rescale_betas_zero_snr && prediction_type == PredictionType::kEpsilon) {
        return fail(
            ErrorKind::kInvalidArgument,
            "rescale_betas_zero_snr needs prediction_type v_prediction or sample: from pure noise, "
            "epsilon "
            "says nothing about the picture"
        );
    }
    return {};
}

Result<SchedulerConfig> SchedulerConfig::parse(std::string_view json_text) {
    if (json_text.size() > kMaxTextBytes) {
        return fail(
            ErrorKind::kExhausted,
            "{} bytes are more than the {} a scheduler config may have",
            json_text.size(),
            kMaxTextBytes
        );
    }
    const std::string text = without_python_numbers(json_text);
    TESSERA_TRY(check_json(text));
    const Json object = Json::parse(text, nullptr, false);
    if (!object.is_object()) {
        return fail(ErrorKind::kCorrupt, "the scheduler config is not a JSON object");
    }
    const Reader reader(object);
    TESSERA_TRY(refuse_unbuilt_options(reader));

    SchedulerConfig config;
    TESSERA_TRY(reader.read("_class_name", config.class_name));
    TESSERA_TRY(reader.read("beta_start", config.beta_start));
    TESSERA_TRY(reader.read("beta_end", config.beta_end));
    TESSERA_TRY(reader.read_word("beta_schedule", kBetaSchedules, config.beta_schedule));
    TESSERA_TRY(reader.read("trained_betas", config.trained_betas));
    if (!config.trained_betas.empty()) {
        config.num_train_timesteps = static_cast<int>(config.trained_betas.size());
    }
    TESSERA_TRY(reader.read("num_train_timesteps", config.num_train_timesteps));
    TESSERA_TRY(reader.read("rescale_betas_zero_snr", config.rescale_betas_zero_snr));
    TESSERA_TRY(reader.read_word("prediction_type", kPredictionTypes, config.prediction_type));
    TESSERA_TRY(reader.read_word("timestep_spacing", kSpacings, config.timestep_spacing));
    TESSERA_TRY(reader.read("steps_offset", config.steps_offset));
    TESSERA_TRY(read_optional(reader, "set_alpha_to_one", config.set_alpha_to_one));
    TESSERA_TRY(reader.read("clip_sample", config.clip_sample));
    TESSERA_TRY(reader.read("clip_sample_range", config.clip_sample_range));
    TESSERA_TRY(reader.read("use_karras_sigmas", config.use_karras_sigmas));
    TESSERA_TRY(reader.read("use_exponential_sigmas", config.use_exponential_sigmas));
    TESSERA_TRY(reader.read("use_beta_sigmas", config.use_beta_sigmas));
    TESSERA_TRY(reader.read("algorithm_type", config.algorithm_type));
    TESSERA_TRY(reader.read("solver_type", config.solver_type));
    TESSERA_TRY(reader.read("solver_order", config.solver_order));
    TESSERA_TRY(reader.read("lower_order_final", config.lower_order_final));
    TESSERA_TRY(reader.read("euler_at_final", config.euler_at_final));
    TESSERA_TRY(reader.read("predict_x0", config.predict_x0));
    TESSERA_TRY(reader.read_word("final_sigmas_type", kFinalSigmas, config.ends_at_sigma_min));
    TESSERA_TRY(reader.read("variance_type", config.variance_type));
    TESSERA_TRY(reader.read("skip_prk_steps", config.skip_prk_steps));
    TESSERA_TRY(reader.read("original_inference_steps", config.original_inference_steps));
    TESSERA_TRY(reader.read("timestep_scaling", config.timestep_scaling));
    TESSERA_TRY(config.validate());
    return config;
}

std::string SchedulerConfig::to_json() const {
    Json object{
        {"_class_name", class_name},
        {"num_train_timesteps", num_train_timesteps},
        {"beta_start", beta_start},
        {"beta_end", beta_end},
        {"beta_schedule", word_of(kBetaSchedules, beta_schedule)},
        {"rescale_betas_zero_snr", rescale_betas_zero_snr},
        {"prediction_type", word_of(kPredictionTypes, prediction_type)},
        {"steps_offset", steps_offset},
        {"clip_sample", clip_sample},
        {"clip_sample_range", clip_sample_range},
        {"use_karras_sigmas", use_karras_sigmas},
        {"use_exponential_sigmas", use_exponential_sigmas},
        {"use_beta_sigmas", use_beta_sigmas},
        {"algorithm_type", algorithm_type},
        {"solver_type", solver_type},
        {"solver_order", solver_order},
        {"lower_order_final", lower_order_final},
        {"euler_at_final", euler_at_final},
        {"predict_x0", predict_x0},
        {"final_sigmas_type", word_of(kFinalSigmas, ends_at_sigma_min)},
        {"variance_type", variance_type},
        {"skip_prk_steps", skip_prk_steps},
        {"original_inference_steps", original_inference_steps},
        {"timestep_scaling", timestep_scaling},
    };
    if (set_alpha_to_one) {
        object["set_alpha_to_one"] = *set_alpha_to_one;
    }
    if (!trained_betas.empty()) {
        object["trained_betas"] = trained_betas;
    }
    if (timestep_spacing) {
        object["timestep_spacing"] = word_of(kSpacings, *timestep_spacing);
    }
    return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tessera
