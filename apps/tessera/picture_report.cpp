#include "tessera/picture_report.h"

#include "tessera/interrupt.h"
#include "tessera/quantity.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>

namespace tessera::cli {
namespace {

double rounded(double seconds) {
    constexpr double kMilliseconds = 1000.0;
    return std::round(seconds * kMilliseconds) / kMilliseconds;
}

nlohmann::ordered_json to_json(const FinishedPicture& picture) {
    const Recipe& recipe = picture.recipe;
    const StageSeconds& seconds = picture.seconds;
    nlohmann::ordered_json json{
        {"path", picture.path.string()},
        {"prompt", recipe.prompt},
        {"negative_prompt", recipe.negative_prompt},
        {"seed", recipe.seed.seed},
        {"width", recipe.size.width},
        {"height", recipe.size.height},
        {"model", recipe.model},
        {"model_sha256", recipe.model_hash},
        {"steps", recipe.steps},
        {"sampler", recipe.sampler},
        {"cfg", recipe.guidance.scale},
    };
    if (recipe.init) {
        json["strength"] = recipe.init->strength;
    }
    if (recipe.rendered != recipe.size) {
        json["rendered_width"] = recipe.rendered.width;
        json["rendered_height"] = recipe.rendered.height;
    }
    json["seconds"] = {
        {"text", rounded(seconds.text)},
        {"steps", rounded(seconds.steps)},
        {"decoding", rounded(seconds.decoding)},
        {"enlarging", rounded(seconds.enlarging)},
        {"writing", rounded(seconds.writing)},
    };
    json["fingerprint"] = recipe.fingerprint;
    return json;
}

/// "512x512 (rendered at 128x128, enlarged by tessera-tiny-upscaler-x2)".
std::string describe_sizes(const Recipe& recipe) {
    std::string text = fmt::format("{}x{}", recipe.size.width, recipe.size.height);
    if (recipe.rendered == recipe.size) {
        return text;
    }
    text += fmt::format(" (rendered at {}x{}", recipe.rendered.width, recipe.rendered.height);
    if (recipe.hires) {
        text += fmt::format(
            ", then {}x{} by a second pass", recipe.hires->size.width, recipe.hires->size.height
        );
    }
    if (!recipe.enlarged_by.empty()) {
        text += fmt::format(", enlarged by {}", recipe.enlarged_by);
    }
    return text + ")";
}

}  // namespace

void PictureReport::add(const FinishedPicture& picture) {
    const StageSeconds& seconds = picture.seconds;
    const double all =
        seconds.text + seconds.steps + seconds.decoding + seconds.enlarging + seconds.writing;
    progress_.rest();
    progress_.say(fmt::format(
        "seed {}, {}, {} steps of {}, {}",
        picture.recipe.seed.seed,
        describe_sizes(picture.recipe),
        picture.recipe.steps,
        picture.recipe.sampler,
        format_seconds(all)
    ));
    pictures_.push_back(picture);
    tell_path(picture.path);
}

void PictureReport::add_sheet(const std::filesystem::path& path, std::size_t cells) {
    progress_.rest();
    progress_.say(fmt::format("a sheet of {} pictures", cells));
    sheets_.push_back(path);
    tell_path(path);
}

void PictureReport::tell_path(const std::filesystem::path& path) const {
    if (!json_) {
        std::printf("%s\n", path.c_str());
        std::fflush(stdout);
    }
}

void PictureReport::end(const Status& result) const {
    if (!json_) {
        return;
    }
    progress_.rest();
    nlohmann::ordered_json json{{"pictures", nlohmann::ordered_json::array()}};
    for (const FinishedPicture& picture : pictures_) {
        json["pictures"].push_back(to_json(picture));
    }
    for (const std::filesystem::path& sheet : sheets_) {
        json["sheets"].push_back({{"path", sheet.string()}});
    }
    if (!result) {
        json["error"] = {
            {"kind", to_string(result.error().kind)}, {"message", result.error().message}};
    }
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    std::fflush(stdout);
}

Result<ExitCode> make_pictures(
    bool json,
    const std::function<Status(Progress&, PictureReport&, const std::stop_token&)>& command
) {
    const Interrupt interrupt;  // before the thread of Progress, which must not take the signals
    Progress progress;
    PictureReport report(json, progress);
    const Status result = command(progress, report, interrupt.token());
    report.end(result);
    TESSERA_TRY(result);
    return ExitCode::kDone;
}

}  // namespace tessera::cli
