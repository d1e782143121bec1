#include "diffusion/sigma_spacing.h"

#include "diffusion/beta_quantile.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tessera {

namespace {

/// numpy.linspace(from, to, steps), each value shaped.
template <class Shape>
std::vector<double> ramp(double from, double to, int steps, Shape shape) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(steps) + 1);
    for (int i = 0; i < steps; ++i) {
        const double position = steps > 1 ? static_cast<double>(i) / (steps - 1) : 0.0;
        values.push_back(shape(from + position * (to - from)));
    }
    return values;
}

std::vector<double> simple_sigmas(const NoiseSchedule& schedule, int steps) {
    const auto& trained = schedule.sigmas();
    const double stride = static_cast<double>(trained.size()) / steps;
    std::vector<double> sigmas;
    for (int i = 0; i < steps; ++i) {
        const auto from_end = 1 + static_cast<std::size_t>(i * stride);
        sigmas.push_back(trained[trained.size() - from_end]);
    }
    return sigmas;
}

std::vector<double> ddim_sigmas(const NoiseSchedule& schedule, int steps) {
    const auto& trained = schedule.sigmas();
    const std::size_t stride =
        std::max<std::size_t>(trained.size() / static_cast<std::size_t>(steps), 1);
    std::vector<double> sigmas;
    for (std::size_t i = 1; i < trained.size(); i += stride) {
        sigmas.push_back(trained[i]);
    }
    std::reverse(sigmas.begin(), sigmas.end());
    return sigmas;
}

/// The published table, between whose values others are interpolated in log sigma.
Result<std::vector<double>> align_your_steps(const NoiseSchedule& schedule, int steps) {
    constexpr std::array kTable{
        14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};
    constexpr double kCloseness = 0.01;
    if (std::abs(schedule.sigmas().back() / kTable.front() - 1.0) > kCloseness ||
        std::abs(schedule.sigmas().front() / kTable.back() - 1.0) > kCloseness) {
        return fail(
            ErrorKind::kUnsupported,
            "schedule type Align Your Steps is made for Stable Diffusion's noise levels, {} to {}, "
            "and this model's are {:.4g} to {:.4g}",
            kTable.front(),
            kTable.back(),
            schedule.sigmas().back(),
            schedule.sigmas().front()
        );
    }
    constexpr double kLast = kTable.size() - 1;
    return ramp(0.0, kLast, steps, [&](double position) {
        const double low = std::min(std::floor(position), kLast - 1);
        const auto at = static_cast<std::size_t>(low);
        const double weight = position - low;
        return std::exp((1.0 - weight) * std::log(kTable[at]) + weight * std::log(kTable[at + 1]));
    });
}

}  // namespace

std::vector<double> karras_sigmas(double largest, double smallest, int steps) {
    constexpr double kRho = 7.0;
    return ramp(
        std::pow(largest, 1.0 / kRho),
        std::pow(smallest, 1.0 / kRho),
        steps,
        [](double root) { return std::pow(root, kRho); }
    );
}

std::vector<double> exponential_sigmas(double largest, double smallest, int steps) {
    return ramp(std::log(largest), std::log(smallest), steps, [](double log_sigma) {
        return std::exp(log_sigma);
    });
}

std::vector<double> beta_sigmas(double largest, double smallest, int steps) {
    constexpr double kShape = 0.6;
    return ramp(1.0, 0.0, steps, [&](double probability) {
        return smallest + (largest - smallest) * beta_quantile(probability, kShape);
    });
}

Result<std::vector<double>> k_diffusion_sigmas(
    ScheduleKind kind, const NoiseSchedule& schedule, int steps
) {
    const double largest = schedule.sigmas().back();
    const double smallest = schedule.sigmas().front();
    const double last_timestep = schedule.timesteps() - 1;
    const auto at_timestep = [&](double timestep) { return schedule.sigma_log_linear(timestep); };
    std::vector<double> sigmas;
    switch (kind) {
        case ScheduleKind::kAutomatic:
        case ScheduleKind::kUniform:
            sigmas = ramp(last_timestep, 0.0, steps, at_timestep);
            break;
        case ScheduleKind::kKarras:
            sigmas = karras_sigmas(largest, smallest, steps);
            break;
        case ScheduleKind::kExponential:
            sigmas = exponential_sigmas(largest, smallest, steps);
            break;
        case ScheduleKind::kSgmUniform:
            sigmas = ramp(last_timestep, 0.0, steps + 1, at_timestep);
            sigmas.pop_back();
            break;
        case ScheduleKind::kSimple:
            sigmas = simple_sigmas(schedule, steps);
            break;
        case ScheduleKind::kDdim:
            sigmas = ddim_sigmas(schedule, steps);
            break;
        case ScheduleKind::kBeta:
            sigmas = beta_sigmas(largest, smallest, steps);
            break;
        case ScheduleKind::kKlOptimal:
            return ramp(std::atan(largest), std::atan(smallest), steps + 1, [](double angle) {
                return std::tan(angle);
            });
        case ScheduleKind::kAlignYourSteps: {
            TESSERA_ASSIGN(sigmas, align_your_steps(schedule, steps));
            break;
        }
    }
    sigmas.push_back(0.0);
    return sigmas;
}

}  // namespace tessera
