#include "models/upscaler_tensors.h"

#include "checkpoint/names.h"

#include <algorithm>
#include <array>
#include <set>

namespace tessera {
namespace {

constexpr std::int64_t kMostChannels = 4096;

std::string find_prefix(const Weights& weights) {
    constexpr std::array<std::string_view, 2> kPrefixes{"params_ema.", "params."};
    const auto names = weights.names();
    for (const std::string_view prefix : kPrefixes) {
        if (std::any_of(names.begin(), names.end(), [&](std::string_view name) {
                return name.starts_with(prefix);
            })) {
            return std::string(prefix);
        }
    }
    return "";
}

}  // namespace

UpscalerTensors::UpscalerTensors(const Weights& weights)
    : weights_(weights), prefix_(find_prefix(weights)) {}

bool UpscalerTensors::has(std::string_view name) const {
    return weights_.find(prefix_ + std::string(name)) != nullptr;
}

Result<UpscalerTensors::Channels> UpscalerTensors::conv_channels(std::string_view conv) const {
    const std::string name = fmt::format("{}{}.weight", prefix_, conv);
    const TensorView* const tensor = weights_.find(name);
    if (tensor == nullptr) {
        return fail(ErrorKind::kNotFound, "tensor {} is missing", in_quotes(name));
    }
    const Shape& shape = tensor->shape;
    const auto is_count = [](std::int64_t size) { return size >= 1 && size <= kMostChannels; };
    if (shape.size() != 4 || shape[2] != 3 || shape[3] != 3 || !is_count(shape[0]) ||
        !is_count(shape[1])) {
        return fail(
            ErrorKind::kCorrupt,
            "tensor {} has shape {} where a 3x3 convolution of 1 to {} channels is expected",
            in_quotes(name),
            shape_text(shape),
            kMostChannels
        );
    }
    return Channels{static_cast<int>(shape[1]), static_cast<int>(shape[0])};
}

Status UpscalerTensors::check_complete(
    std::string_view architecture, std::span<const Parameter> parameters
) const {
    std::set<std::string_view> used;
    for (const Parameter& parameter : parameters) {
        TESSERA_TRY(weights_.require(parameter.name, parameter.shape));
        used.insert(parameter.name);
    }
    for (const std::string_view name : weights_.names()) {
        if (name.starts_with(prefix_) && !used.contains(name)) {
            return fail(
                ErrorKind::kUnsupported,
                "it looks like {} but has the tensor {}, which that has not: it is of an "
                "architecture that is not supported",
                architecture,
                in_quotes(name)
            );
        }
    }
    return {};
}

}  // namespace tessera
