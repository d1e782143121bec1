#pragma once

#include "base/result.h"
#include "imaging/foreign_parameters.h"

#include <string_view>

namespace tessera {

/// Programs that write their parameters as one JSON object. Each reader: kCorrupt or kExhausted for
/// text that is no such JSON, kInvalidArgument for values that cannot be. Fields that are not known
/// are in `not_honoured`.

/// SwarmUI: `{"sui_image_params": {...}}` where A1111 has its text.
[[nodiscard]] Result<ForeignParameters> read_swarmui_parameters(std::string_view json);

/// InvokeAI since 3.0: the text chunk `invokeai_metadata`.
[[nodiscard]] Result<ForeignParameters> read_invokeai_parameters(std::string_view json);

/// NovelAI: the text chunk `Comment`; `description`, the chunk of that name, holds the prompt of
/// older ones.
[[nodiscard]] Result<ForeignParameters> read_novelai_parameters(
    std::string_view json, std::string_view description
);

}  // namespace tessera
