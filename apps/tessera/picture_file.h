#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/image.h"
#include "tessera/output_plan.h"
#include "tessera/painting.h"

namespace tessera::cli {

/// The picture as a file's bytes, with its recipe inside.
[[nodiscard]] Result<Bytes> encode_picture(
    const Image& picture, const Recipe& recipe, const OutputPlan& output
);

/// Encodes and writes the `number`-th picture, from 1, named by its prompt and seed where no file
/// was named; fills in `finished.path` and the time that it took.
[[nodiscard]] Status write_picture(
    const Image& picture, const OutputPlan& output, int number, FinishedPicture& finished
);

}  // namespace tessera::cli
