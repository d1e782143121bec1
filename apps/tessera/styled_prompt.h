#pragma once

#include "base/result.h"
#include "job/render_settings.h"

#include <filesystem>

namespace tessera::cli {

/// Joins the settings' prompts with the styles that they name. The file is read only where there
/// are any. kNotFound for a style or file that is not there.
[[nodiscard]] Status apply_styles(const std::filesystem::path& file, RenderSettings& settings);

}  // namespace tessera::cli
