#pragma once

#include "base/result.h"
#include "diffusion/pipeline.h"
#include "tessera/init_canvas.h"
#include "tessera/opened_model.h"
#include "tessera/recipe.h"
#include "tessera/render_listener.h"
#include "tessera/upscalers.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// Where the time of one picture went. Networks are loaded in the stage that first needs them.
struct StageSeconds {
    double text = 0.0;  ///< prompts, and the init picture
    double steps = 0.0;
    double decoding = 0.0;
    double enlarging = 0.0;  ///< upscaling and repairing
    double writing = 0.0;
};

/// A picture that is on the disk.
struct FinishedPicture {
    std::filesystem::path path;
    Recipe recipe;
    StageSeconds seconds;
};

/// Looks at a render between two of its steps.
class StepObserver {
  public:
    virtual ~StepObserver() = default;
    /// `pass` is 0, or 1 in the second pass of a hires render.
    virtual void after_step(int pass, const Render& render, const std::stop_token& stop) = 0;
};

/// From where a picture can be painted on, by another process too.
struct PaintCheckpoint {
    int pass = 0;  ///< see StepObserver
    Bytes render;  ///< see Render::save
};

/// What paints: one model, upscalers as they are needed, and where to tell how far it is.
struct Studio {
    const OpenedModel& model;
    Upscalers& upscalers;
    RenderListener& listener;
    StepObserver* observer = nullptr;  ///< nullptr: nobody looks
};

/// Checks all that can be known of a recipe before work, names, ranges, the length of the prompts,
/// and puts in what it is made with here: the hashes of the model, of upscalers and embeddings, and
/// the engine's fingerprint. Gives remarks for the person who asked.
[[nodiscard]] Result<std::vector<std::string>> prepare_recipe(Recipe& recipe, const Studio& studio);

/// Renders one picture. `canvas` belongs to recipe.init. With a checkpoint of the same recipe the
/// picture comes out as without; kConflict when it was made with another engine fingerprint.
[[nodiscard]] Result<Image> paint(
    const Studio& studio,
    const Recipe& recipe,
    const std::optional<InitCanvas>& canvas,
    const std::optional<PaintCheckpoint>& checkpoint,
    const std::stop_token& stop,
    StageSeconds& seconds
);

}  // namespace tessera::cli
