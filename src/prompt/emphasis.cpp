#include "prompt/emphasis.h"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

/// Summed in double; rounded once, as the mean of a float tensor.
float mean(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) {
        sum += static_cast<double>(value);
    }
    return static_cast<float>(sum / static_cast<double>(values.size()));
}

}  // namespace

Status apply_emphasis(Tensor& hidden_states, std::span<const float> weights) {
    const Shape& shape = hidden_states.shape;
    if (shape.size() != 3 || weights.size() != static_cast<std::size_t>(shape[0] * shape[1])) {
        return fail(
            ErrorKind::kInternal,
            "{} weights do not fit hidden states of {} dimensions",
            weights.size(),
            shape.size()
        );
    }
    if (std::all_of(weights.begin(), weights.end(), [](float weight) { return weight == 1; })) {
        return {};
    }
    const float mean_before = mean(hidden_states.values);
    const auto width = static_cast<std::size_t>(shape[2]);
    for (std::size_t position = 0; position < weights.size(); ++position) {
        for (float& value : std::span(hidden_states.values).subspan(position * width, width)) {
            value *= weights[position];
        }
    }
    const float restore = mean_before / mean(hidden_states.values);
    // A mean of zero, which only made-up numbers have, cannot be restored.
    if (std::isfinite(restore)) {
        for (float& value : hidden_states.values) {
            value *= restore;
        }
    }
    return {};
}

}  // namespace tessera
