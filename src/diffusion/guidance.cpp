#include "diffusion/guidance.h"

#include <cmath>

namespace tessera {

namespace {

constexpr double kMaxGuidance = 100.0;

Status check_share(const char* name, double value) {
    if (!(value >= 0.0 && value <= 1.0)) {
        return fail(ErrorKind::kInvalidArgument, "{} {} is not possible; take 0 to 1", name, value);
    }
    return {};
}

/// With Bessel's correction, as torch.std has it.
double standard_deviation(std::span<const float> values) {
    double sum = 0.0;
    for (const double value : values) {
        sum += value;
    }
    const auto count = static_cast<double>(values.size());
    const double mean = sum / count;
    double squares = 0.0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    return std::sqrt(squares / std::max(1.0, count - 1.0));
}

}  // namespace

bool Guidance::applies_at(std::size_t step, std::size_t steps) const {
    const double position = static_cast<double>(step) / static_cast<double>(steps);
    return scale != 1.0 && position >= begin && position < end;
}

Status check(const Guidance& guidance) {
    if (!(guidance.scale >= 1.0 && guidance.scale <= kMaxGuidance)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "guidance scale {} is not possible; take 1 (off) to {}",
            guidance.scale,
            kMaxGuidance
        );
    }
    TESSERA_TRY(check_share("guidance rescale", guidance.rescale));
    TESSERA_TRY(check_share("the beginning of guidance", guidance.begin));
    TESSERA_TRY(check_share("the end of guidance", guidance.end));
    if (guidance.begin > guidance.end) {
        return fail(
            ErrorKind::kInvalidArgument,
            "guidance from {} to {} is not possible; the end lies before the beginning",
            guidance.begin,
            guidance.end
        );
    }
    return {};
}

Result<Tensor> guide(
    const Tensor& unconditional, std::span<const Condition> conditions, double scale
) {
    Tensor guided = unconditional;
    for (const auto& [weight, prediction] : conditions) {
        if (prediction.shape != unconditional.shape) {
            return fail(
                ErrorKind::kInternal, "the two predictions to guide between differ in shape"
            );
        }
        const auto factor = static_cast<float>(scale * weight);
        for (std::size_t i = 0; i < guided.values.size(); ++i) {
            guided.values[i] += factor * (prediction.values[i] - unconditional.values[i]);
        }
    }
    return guided;
}

Result<Tensor> rescale_guided(const Tensor& guided, const Tensor& conditional, double rescale) {
    if (guided.shape != conditional.shape) {
        return fail(ErrorKind::kInternal, "the guided and the plain prediction differ in shape");
    }
    Tensor rescaled = guided;
    const auto pictures = static_cast<std::size_t>(guided.shape.front());
    const std::size_t size = guided.values.size() / pictures;
    for (std::size_t first = 0; first < guided.values.size(); first += size) {
        const double ours = standard_deviation(std::span(guided.values).subspan(first, size));
        const double theirs =
            standard_deviation(std::span(conditional.values).subspan(first, size));
        // A flat prediction has no deviation to bring back.
        const double ratio = ours > 0.0 ? theirs / ours : 1.0;
        const auto factor = static_cast<float>(rescale * ratio + (1.0 - rescale));
        for (std::size_t i = first; i < first + size; ++i) {
            rescaled.values[i] *= factor;
        }
    }
    return rescaled;
}

}  // namespace tessera
