#pragma once

#include "base/result.h"
#include "tessera/output_plan.h"
#include "tessera/picture_report.h"
#include "tessera/render_session.h"
#include "tessera/render_settings.h"

#include <stop_token>
#include <string>

namespace tessera::cli {

/// A prompt file to render.
struct BatchRequest {
    std::string prompts;  ///< a path, or "-" for standard input
    RenderSettings settings;
    int count = 1;  ///< pictures of each line that does not say otherwise
    OutputChoice output;
};

/// Renders the pictures of all lines. A line that fails is told of and the next one follows; the
/// error at the end counts them. Pictures that an interrupted run of the same command has finished
/// are not made again (BatchJournal). A stop or a full disk ends the batch at once.
[[nodiscard]] Status render_batch(
    const BatchRequest& request,
    RenderSession& session,
    PictureReport& report,
    Progress& progress,
    const std::stop_token& stop
);

}  // namespace tessera::cli
