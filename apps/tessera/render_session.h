#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "tessera/locations.h"
#include "tessera/opened_model.h"
#include "tessera/painting.h"
#include "tessera/preview_file.h"
#include "tessera/progress.h"
#include "tessera/recipe.h"
#include "tessera/render_settings.h"
#include "tessera/upscalers.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// What a command keeps between its pictures: the model, loaded when first needed and changed when
/// settings name another, upscalers, styles, and the pictures that it was given. One thread.
class RenderSession {
  public:
    RenderSession(
        Locations locations,
        const EngineChoice& engine,
        std::filesystem::path preview,
        Progress& progress,
        std::stop_token stop
    );
    ~RenderSession();
    RenderSession(const RenderSession&) = delete;
    RenderSession& operator=(const RenderSession&) = delete;

    /// Pictures to begin with; an empty path is none.
    [[nodiscard]] Status read_pictures(const std::string& init, const std::string& mask);
    [[nodiscard]] const GivenPictures& given() const { return given_; }
    /// A styles.csv; empty: the installed one, if there is one.
    void use_styles(const std::filesystem::path& file);

    /// The recipe for these settings, checked as far as that goes before work. Tells remarks on the
    /// prompts, each once.
    [[nodiscard]] Result<Recipe> plan(RenderSettings settings);
    /// The model that comes next, by name or path, loaded unless it is there already.
    [[nodiscard]] Status open(const std::string& model);
    /// Checks and completes a recipe from elsewhere for the model that is open.
    [[nodiscard]] Status prepare(Recipe& recipe);

    /// Renders a recipe that one of those gave last.
    [[nodiscard]] Result<Image> paint(const Recipe& recipe, StageSeconds& seconds);

    /// After the last picture, for a `success`: waits until the engine cache has what this command
    /// added to it, unless a stop is asked for. Without this call that is given up.
    void finish(bool success);

    /// See Upscalers::name_of; a model must be open.
    [[nodiscard]] Result<std::string> name_of_upscaler(const std::string& upscaler);

  private:
    Studio studio() { return {*model_, *upscalers_, progress_, preview_ ? &*preview_ : nullptr}; }

    Locations locations_;
    EngineChoice engine_;
    std::filesystem::path preview_path_;
    Progress& progress_;
    std::stop_token stop_;
    GivenPictures given_;
    std::filesystem::path styles_file_;
    std::string model_name_;
    std::optional<OpenedModel> model_;
    std::optional<Upscalers> upscalers_;
    std::optional<PreviewFile> preview_;
    std::set<std::string> told_;
};

}  // namespace tessera::cli
