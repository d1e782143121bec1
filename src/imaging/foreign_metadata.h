#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/foreign_parameters.h"

namespace tessera {

/// How another program made this picture (PNG, JPEG or WebP), whichever one it was:
///
/// | program                                  | where                                           |
/// | ---------------------------------------- | ----------------------------------------------- |
/// | A1111, Forge, stable-diffusion.cpp, ours | `parameters` (text chunk, EXIF UserComment)     |
/// | SwarmUI                                  | the same, as JSON                               |
/// | ComfyUI                                  | `prompt` (text chunk; EXIF Make, Model, ...)    |
/// | InvokeAI                                 | text chunk `invokeai_metadata`                  |
/// | NovelAI                                  | text chunks `Comment` and `Description`         |
///
/// kInvalidArgument when the picture says nothing of how it was made or says what cannot be,
/// kUnsupported for programs that are only recognised, kCorrupt or kExhausted for damaged text.
[[nodiscard]] Result<ForeignParameters> read_foreign_parameters(ByteView picture);

}  // namespace tessera
