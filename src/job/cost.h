#pragma once

#include "job/resolved_job.h"

#include <span>

/// What work is expected to cost, in units of one megapixel through the denoising network once (a
/// "megapixel-step"). Limits, fair shares and progress count in it; how long a unit takes with a
/// model on a worker, the scheduler learns. So only the proportions within a job matter here, and
/// they need not be exact.
///
/// They are measured with a network of Stable Diffusion 1.5's size and an upscaler of Real-ESRGAN's
/// (docs/performance.md): a megapixel through the UNet 15.5 s, through the decoder 47 s, enlarged
/// to 12.6 s. The encoder is estimated from the decoder's operations.
namespace tessera {

inline constexpr double kDecodeSteps = 3.1;   ///< VAE decoder, for a megapixel of its picture
inline constexpr double kEncodeSteps = 1.4;   ///< VAE encoder, the same
inline constexpr double kEnlargeSteps = 0.8;  ///< for a megapixel of the larger picture
inline constexpr double kMergeSteps = 0.05;   ///< reading, joining and writing a megapixel
/// What every task costs: being handed out, prompts, objects, its record.
inline constexpr double kTaskCost = 0.02;

/// All passes and the decoding after each; `encodes`: there is a picture to begin with.
[[nodiscard]] double render_cost(std::span<const DenoisePass> passes, bool encodes);
/// To this size.
[[nodiscard]] double enlarge_cost(PixelSize size);
[[nodiscard]] double merge_cost(PixelSize size);

}  // namespace tessera
