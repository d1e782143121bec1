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
        {"seed", recipe.seed},
        {"width", recipe.width},
        {"height", recipe.height},
        {"model", recipe.model},
        {"model_sha256", recipe.model_hash},
        {"steps", recipe.steps},
        {"sampler", recipe.sampler},
        {"cfg", recipe.cfg},
    };
    if (recipe.init) {
        json["strength"] = recipe.init->strength;
    }
    json["seconds"] = {
        {"text", rounded(seconds.text)},
        {"steps", rounded(seconds.steps)},
        {"decoding", rounded(seconds.decoding)},
        {"writing", rounded(seconds.writing)},
    };
    json["fingerprint"] = recipe.fingerprint;
    return json;
}

}  // namespace

void PictureReport::add(const FinishedPicture& picture) {
    const StageSeconds& seconds = picture.seconds;
    const double all = seconds.text + seconds.steps + seconds.decoding + seconds.writing;
    progress_.rest();
    progress_.say(fmt::format(
        "seed {}, {}x{}, {} steps of {}, {}",
        picture.recipe.seed,
        picture.recipe.width,
        picture.recipe.height,
        picture.recipe.steps,
        picture.recipe.sampler,
        format_seconds(all)
    ));
    if (json_) {
        pictures_.push_back(picture);
    } else {
        std::printf("%s\n", picture.path.c_str());
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
