#include "diffusion/timestep_spacing.h"

#include <algorithm>
#include <cmath>

namespace tessera {

namespace {

/// numpy.linspace(0, last, count) in falling order.
std::vector<double> falling_linspace(double last, int count) {
    const double step = count > 1 ? last / (count - 1) : 0.0;
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(count));
    for (int i = count - 1; i >= 0; --i) {
        // The last one as given: the product may be above it by rounding.
        values.push_back(count > 1 && i == count - 1 ? last : i * step);
    }
    return values;
}

std::vector<double> falling_multiples(int ratio, int offset, int count) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(count));
    for (int i = count - 1; i >= 0; --i) {
        values.push_back(static_cast<double>(i) * ratio + offset);
    }
    return values;
}

std::vector<double> trailing(int train_timesteps, int steps) {
    const double ratio = static_cast<double>(train_timesteps) / steps;
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(steps));
    for (int i = 0; i < steps; ++i) {
        values.push_back(round_half_even(train_timesteps - i * ratio) - 1.0);
    }
    return values;
}

}  // namespace

std::vector<double> spaced_timesteps(
    const SchedulerConfig& config, TimestepSpacing spacing, int steps
) {
    const int train = config.num_train_timesteps;
    switch (spacing) {
        case TimestepSpacing::kLeading:
            return falling_multiples(train / steps, config.steps_offset, steps);
        case TimestepSpacing::kLinspace:
            return falling_linspace(train - 1, steps);
        case TimestepSpacing::kTrailing:
            break;
    }
    return trailing(train, steps);
}

std::vector<double> spaced_timesteps_without_last(
    const SchedulerConfig& config, TimestepSpacing spacing, int steps
) {
    const int train = config.num_train_timesteps;
    std::vector<double> values;
    switch (spacing) {
        case TimestepSpacing::kLeading:
            values = falling_multiples(train / (steps + 1), config.steps_offset, steps + 1);
            break;
        case TimestepSpacing::kLinspace:
            values = falling_linspace(train - 1, steps + 1);
            break;
        case TimestepSpacing::kTrailing:
            return trailing(train, steps);
    }
    values.pop_back();
    std::transform(values.begin(), values.end(), values.begin(), round_half_even);
    return values;
}

double round_half_even(double value) {
    return std::nearbyint(value);
}

int skipped_steps_diffusers(int steps, double strength) {
    return steps - std::min(static_cast<int>(steps * strength), steps);
}

int skipped_steps_a1111(int steps, double strength) {
    if (strength <= 0.0) {
        return steps;
    }
    return steps - 1 - std::min(static_cast<int>(steps * strength), steps - 1);
}

}  // namespace tessera
