#include "diffusion/pipeline_denoiser.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

/// `batch` with each of its rows' values appended `count` times over.
void append_rows(Tensor& batch, const Tensor& rows, std::int64_t count) {
    if (batch.shape.empty()) {
        batch.shape = rows.shape;
        batch.shape.front() = 0;
    }
    batch.shape.front() += rows.shape.front() * count;
    for (std::int64_t i = 0; i < count; ++i) {
        batch.values.insert(batch.values.end(), rows.values.begin(), rows.values.end());
    }
}

/// Splits a batch into `count` equal ones.
std::vector<Tensor> split_rows(const Tensor& batch, std::size_t count) {
    Shape shape = batch.shape;
    shape.front() /= static_cast<std::int64_t>(count);
    const auto size = static_cast<std::ptrdiff_t>(element_count(shape));
    std::vector<Tensor> parts;
    for (auto first = batch.values.begin(); parts.size() < count; first += size) {
        parts.emplace_back(shape, std::vector<float>(first, first + size));
    }
    return parts;
}

/// The network's prediction under each context. Contexts of one length that follow each other go
/// into one batch; prompts of unlike length cannot.
Result<std::vector<Tensor>> predict_all(
    PipelineModel& model,
    const Tensor& input,
    double timestep,
    const std::vector<const Tensor*>& contexts,
    const std::stop_token& stop
) {
    const std::int64_t pictures = input.shape.front();
    std::vector<Tensor> predictions;
    for (auto first = contexts.begin(); first != contexts.end();) {
        const auto last = std::find_if(first, contexts.end(), [&](const Tensor* context) {
            return context->shape != (*first)->shape;
        });
        Tensor inputs;
        Tensor told;
        for (auto context = first; context != last; ++context) {
            append_rows(inputs, input, 1);
            append_rows(told, **context, pictures);
        }
        TESSERA_ASSIGN(const Tensor batch, model.predict(inputs, timestep, told, stop));
        auto parts = split_rows(batch, static_cast<std::size_t>(last - first));
        std::move(parts.begin(), parts.end(), std::back_inserter(predictions));
        first = last;
    }
    return predictions;
}

}  // namespace

GuidedDenoiser::GuidedDenoiser(
    std::shared_ptr<PipelineModel> model,
    Conditioning positive,
    Conditioning negative,
    const Guidance& guidance,
    std::size_t steps
)
    : model_(std::move(model)),
      positive_(std::move(positive)),
      negative_(std::move(negative)),
      guidance_(guidance),
      steps_(steps) {}

bool GuidedDenoiser::needs_negative(const Conditioning& positive, const Guidance& guidance) {
    return guidance.scale != 1.0 || positive.parts.size() != 1 ||
           positive.parts.front().weight != 1.0;
}

Result<Tensor> GuidedDenoiser::denoise(
    const Tensor& model_input, const ModelCall& call, std::stop_token stop
) {
    const bool guided = guidance_.applies_at(call.step, steps_);
    const bool joined = needs_negative(positive_, Guidance{.scale = 1.0});
    std::vector<const Tensor*> contexts;
    if (guided || joined) {
        contexts.push_back(&negative_.parts.front().at(call.index));
    }
    for (const Conditioning::Part& part : positive_.parts) {
        contexts.push_back(&part.at(call.index));
    }
    TESSERA_ASSIGN(
        auto predictions, predict_all(*model_, model_input, call.timestep, contexts, stop)
    );
    if (!guided && !joined) {
        return std::move(predictions.front());
    }
    const Tensor& unconditional = predictions.front();
    std::vector<Condition> conditions;
    for (std::size_t i = 0; i < positive_.parts.size(); ++i) {
        conditions.push_back({positive_.parts[i].weight, predictions[i + 1]});
    }
    if (!guided) {
        return guide(unconditional, conditions, 1.0);
    }
    TESSERA_ASSIGN(Tensor result, guide(unconditional, conditions, guidance_.scale));
    if (guidance_.rescale == 0.0) {
        return result;
    }
    if (!joined) {
        return rescale_guided(result, predictions.back(), guidance_.rescale);
    }
    TESSERA_ASSIGN(const Tensor plain, guide(unconditional, conditions, 1.0));
    return rescale_guided(result, plain, guidance_.rescale);
}

}  // namespace tessera
