#include "diffusion/latent_mask.h"

#include "diffusion/linear_combination.h"

#include <algorithm>

namespace tessera {

Status check(const KeptLatents& kept) {
    const Shape& shape = kept.clean.shape;
    if (shape.size() != 4 || kept.noise.shape != shape ||
        kept.mask.shape != Shape{1, 1, shape[2], shape[3]} ||
        kept.mask.values.size() != element_count(kept.mask.shape)) {
        return fail(ErrorKind::kInvalidArgument, "the mask has another size than the latents");
    }
    const bool in_range =
        std::all_of(kept.mask.values.begin(), kept.mask.values.end(), [](float value) {
            return value >= 0.0F && value <= 1.0F;
        });
    if (!in_range) {
        return fail(ErrorKind::kInvalidArgument, "the mask has values outside 0 to 1");
    }
    return {};
}

Tensor blend(const Tensor& repainted, const Tensor& kept, const Tensor& mask) {
    Tensor blended(repainted.shape);
    const std::size_t plane = mask.values.size();
    for (std::size_t i = 0; i < blended.values.size(); ++i) {
        const double share = mask.values[i % plane];
        // Not as a sum where one side counts nothing: infinity times 0 is no number.
        if (share == 1.0) {
            blended.values[i] = repainted.values[i];
        } else if (share == 0.0) {
            blended.values[i] = kept.values[i];
        } else {
            blended.values[i] =
                static_cast<float>(share * repainted.values[i] + (1.0 - share) * kept.values[i]);
        }
    }
    return blended;
}

namespace {

/// The output that stands for these clean latents.
Tensor output_telling(
    const Tensor& clean, const Tensor& input, const ModelCall& call, PredictionType prediction
) {
    switch (prediction) {
        case PredictionType::kEpsilon:
            return linear_combination(
                {{1.0 / call.noise, input}, {-call.signal / call.noise, clean}}
            );
        case PredictionType::kVPrediction:
            return linear_combination(
                {{call.signal / call.noise, input}, {-1.0 / call.noise, clean}}
            );
        case PredictionType::kSample:
            break;
    }
    return clean;
}

}  // namespace

Tensor keep_in_output(
    const Tensor& output,
    const Tensor& input,
    const ModelCall& call,
    PredictionType prediction,
    const KeptLatents& kept
) {
    return blend(output, output_telling(kept.clean, input, call, prediction), kept.mask);
}

Tensor keep_in_latents(const Tensor& latents, const ModelCall& next, const KeptLatents& kept) {
    const Tensor noised = linear_combination(
        {{next.signal / next.input_scale, kept.clean}, {next.noise / next.input_scale, kept.noise}}
    );
    return blend(latents, noised, kept.mask);
}

}  // namespace tessera
