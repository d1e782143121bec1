#pragma once

#include "base/result.h"
#include "tessera/output_plan.h"
#include "tessera/picture_report.h"
#include "tessera/render_session.h"
#include "tessera/render_settings.h"

#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// A labelled sheet of renders that differ in one to three options.
struct GridRequest {
    std::vector<std::string> axes;  ///< see Grid::parse
    RenderSettings settings;
    bool keep_cells = false;  ///< write the single pictures too
    OutputChoice output;
};

/// Renders the cells and writes a sheet, or one for each value of the third axis. All cells have
/// the same seed unless an axis changes it. A cell that fails shows why, and the error at the end
/// counts them.
[[nodiscard]] Status render_grid(
    const GridRequest& request,
    RenderSession& session,
    PictureReport& report,
    Progress& progress,
    const std::stop_token& stop
);

}  // namespace tessera::cli
