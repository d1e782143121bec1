#pragma once

#include "base/result.h"
#include "imaging/foreign_parameters.h"

#include <string_view>

namespace tessera {

/// Reads ComfyUI's graph as it was run (the JSON of its text chunk `prompt`), going back from the
/// node that saved the picture. Each node that matters and cannot be carried over is in
/// `not_honoured` with its number. The noise is torch's CPU generator's, the sampler and the
/// scheduler have ComfyUI's spelling, and the prompts are those that mean in A1111's language what
/// they mean in ComfyUI's.
///
/// kCorrupt or kExhausted for JSON that is no such graph, kUnsupported when nothing in it saves a
/// picture that a sampler made, kInvalidArgument for values that cannot be.
[[nodiscard]] Result<ForeignParameters> read_comfyui_workflow(std::string_view prompt_json);

}  // namespace tessera
