#include "diffusion/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tessera {

namespace {

/// torch.linspace in float32: filled from both ends towards the middle.
std::vector<float> float_linspace(double from, double to, std::size_t count) {
    const auto first = static_cast<float>(from);
    const auto last = static_cast<float>(to);
    const float step = (last - first) / static_cast<float>(count - 1);
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = i < count / 2 ? first + step * static_cast<float>(i)
                                  : last - step * static_cast<float>(count - 1 - i);
    }
    return values;
}

/// Nichol and Dhariwal 2021, "Improved DDPM", equation 17, with betas capped at 0.999.
std::vector<float> squared_cosine_betas(std::size_t count) {
    const auto alpha_bar = [](double t) {
        const double cosine = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2.0);
        return cosine * cosine;
    };
    std::vector<float> betas(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double from = static_cast<double>(i) / static_cast<double>(count);
        const double to = static_cast<double>(i + 1) / static_cast<double>(count);
        betas[i] = static_cast<float>(std::min(1.0 - alpha_bar(to) / alpha_bar(from), 0.999));
    }
    return betas;
}

std::vector<float> training_betas(const SchedulerConfig& config) {
    if (!config.trained_betas.empty()) {
        std::vector<float> betas;
        betas.reserve(config.trained_betas.size());
        for (const double beta : config.trained_betas) {
            betas.push_back(static_cast<float>(beta));
        }
        return betas;
    }
    const auto count = static_cast<std::size_t>(config.num_train_timesteps);
    switch (config.beta_schedule) {
        case BetaSchedule::kLinear:
            return float_linspace(config.beta_start, config.beta_end, count);
        case BetaSchedule::kScaledLinear: {
            auto betas =
                float_linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), count);
            for (float& beta : betas) {
                beta *= beta;
            }
            return betas;
        }
        case BetaSchedule::kSquaredCosCapV2:
            break;
    }
    return squared_cosine_betas(count);
}

/// torch.cumprod: accumulated in double, each element rounded to float.
std::vector<float> cumulative_alphas(const std::vector<float>& betas) {
    std::vector<float> products(betas.size());
    double product = 1.0;
    for (std::size_t i = 0; i < betas.size(); ++i) {
        product *= static_cast<double>(1.0F - betas[i]);
        products[i] = static_cast<float>(product);
    }
    return products;
}

/// Lin et al. 2023, algorithm 1: shifts and scales sqrt(alpha_bar) so that it ends at 0.
std::vector<float> with_zero_terminal_snr(const std::vector<float>& alphas_cumprod) {
    const float first = std::sqrt(alphas_cumprod.front());
    const float last = std::sqrt(alphas_cumprod.back());
    std::vector<float> rescaled(alphas_cumprod.size());
    std::transform(alphas_cumprod.begin(), alphas_cumprod.end(), rescaled.begin(), [&](float a) {
        const float root = (std::sqrt(a) - last) * (first / (first - last));
        return root * root;
    });
    // Through betas and back, as diffusers does, which rounds once more.
    std::vector<float> betas(rescaled.size());
    betas[0] = 1.0F - rescaled[0];
    for (std::size_t i = 1; i < rescaled.size(); ++i) {
        betas[i] = 1.0F - rescaled[i] / rescaled[i - 1];
    }
    return cumulative_alphas(betas);
}

double sigma_of(float alpha_cumprod) {
    constexpr float kSmallest = 0x1p-24F;
    const float a = alpha_cumprod == 0.0F ? kSmallest : alpha_cumprod;
    return static_cast<double>(std::sqrt((1.0F - a) / a));
}

double interpolate(const std::vector<double>& values, double position) {
    const auto last = static_cast<double>(values.size() - 1);
    const double inside = std::clamp(position, 0.0, last);
    const auto low = static_cast<std::size_t>(std::floor(inside));
    const auto high = static_cast<std::size_t>(std::ceil(inside));
    const double weight = inside - static_cast<double>(low);
    return (1.0 - weight) * values[low] + weight * values[high];
}

}  // namespace

Result<NoiseSchedule> NoiseSchedule::create(const SchedulerConfig& config) {
    TESSERA_TRY(config.validate());
    NoiseSchedule schedule;
    schedule.alphas_cumprod_ = cumulative_alphas(training_betas(config));
    const auto& alphas = schedule.alphas_cumprod_;
    if (!(alphas.back() > 0.0F && alphas.back() < alphas.front() && alphas.front() < 1.0F)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the betas leave no usable noise schedule: the signal falls from {} to {} over {} "
            "timesteps",
            alphas.front(),
            alphas.back(),
            alphas.size()
        );
    }
    if (config.rescale_betas_zero_snr) {
        schedule.alphas_cumprod_ = with_zero_terminal_snr(alphas);
    }

    for (const float alpha : schedule.alphas_cumprod_) {
        const double sigma = sigma_of(alpha);
        if (!schedule.sigmas_.empty() && !(sigma > schedule.sigmas_.back())) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the betas are too small to tell timestep {} from the one before",
                schedule.sigmas_.size()
            );
        }
        schedule.sigmas_.push_back(sigma);
        schedule.log_sigmas_.push_back(std::log(sigma));
    }
    return schedule;
}

double NoiseSchedule::sigma_linear(double timestep) const {
    return interpolate(sigmas_, timestep);
}

double NoiseSchedule::sigma_log_linear(double timestep) const {
    return std::exp(interpolate(log_sigmas_, timestep));
}

double NoiseSchedule::timestep_of(double sigma) const {
    const double log_sigma = std::log(sigma);
    const auto above = std::upper_bound(log_sigmas_.begin() + 1, log_sigmas_.end() - 1, log_sigma);
    const auto high = static_cast<std::size_t>(above - log_sigmas_.begin());
    const double low_log = log_sigmas_[high - 1];
    const double weight = (log_sigma - low_log) / (log_sigmas_[high] - low_log);
    return static_cast<double>(high - 1) + std::clamp(weight, 0.0, 1.0);
}

}  // namespace tessera
