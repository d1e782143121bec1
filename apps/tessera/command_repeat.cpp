#include "base/file.h"
#include "imaging/codec.h"
#include "tessera/commands.h"
#include "tessera/init_picture.h"
#include "tessera/installed_models.h"
#include "tessera/painting.h"
#include "tessera/picture_report.h"

#include <CLI/CLI.hpp>

namespace tessera::cli {
namespace {

struct RepeatOptions {
    std::string picture;
    std::string model;
    std::string init;
    OutputChoice output;
    EngineChoice engine;
    bool strict = false;
    bool json = false;
};

/// What a picture's file says of how it was made.
struct Origin {
    Recipe recipe;
    bool ours;                         ///< complete; else from A1111's text
    std::vector<std::string> ignored;  ///< of that text
};

Result<Origin> read_origin(const std::string& path) {
    TESSERA_ASSIGN(const auto file, read_file(path, DecodeLimits().max_bytes));
    const auto read = [&]() -> Result<Origin> {
        TESSERA_ASSIGN(const auto metadata, extract_metadata(as_bytes(file)));
        if (!metadata.tessera_json.empty()) {
            TESSERA_ASSIGN(auto recipe, recipe_from_json(metadata.tessera_json));
            return Origin{std::move(recipe), true, {}};
        }
        TESSERA_ASSIGN(auto foreign, recipe_from_infotext(metadata.parameters));
        return Origin{std::move(foreign.recipe), false, std::move(foreign.ignored)};
    };
    auto origin = read();
    if (!origin) {
        return within(path, std::move(origin).error());
    }
    return origin;
}

/// Why the picture may come out otherwise than it was.
std::vector<std::string> differences(const Origin& origin, const Recipe& now) {
    std::vector<std::string> found;
    const Recipe& then = origin.recipe;
    if (!origin.ours) {
        found.emplace_back("another program made it, so a similar picture is the best to hope for");
    }
    for (const std::string& parameter : origin.ignored) {
        found.push_back(fmt::format("\"{}\" has no meaning here and is ignored", parameter));
    }
    if (!now.model_hash.starts_with(then.model_hash)) {
        found.push_back(fmt::format(
            "it was made with other weights (model hash {:.10}, here {:.10})",
            then.model_hash,
            now.model_hash
        ));
    }
    if (!then.fingerprint.empty() && then.fingerprint != now.fingerprint) {
        found.push_back(fmt::format(
            "it was made on another engine or kind of CPU (fingerprint {:.10}, here {:.10}), so "
            "pixels may differ a little",
            then.fingerprint,
            now.fingerprint
        ));
    }
    if (then.init && now.init && !then.init->sha256.empty() &&
        then.init->sha256 != now.init->sha256) {
        found.emplace_back("the init picture is another file than it was");
    }
    return found;
}

Status check_init(const RepeatOptions& options, const Recipe& recipe) {
    if (recipe.init && options.init.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} was made from another picture, which is not in it; name that with --init",
            options.picture
        );
    }
    if (!recipe.init && !options.init.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} was not made from another picture; leave --init out",
            options.picture
        );
    }
    return {};
}

Status repeat(
    const RepeatOptions& options,
    Progress& progress,
    PictureReport& report,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto origin, read_origin(options.picture));
    Recipe recipe = origin.recipe;
    TESSERA_TRY(check_init(options, recipe));
    TESSERA_ASSIGN(const auto output, OutputPlan::make(options.output, 1));
    const Locations locations = find_locations();
    auto folder = options.model.empty() ? find_installed_model(locations, recipe.model)
                                        : find_model(locations, options.model);
    TESSERA_ASSIGN(const auto model_folder, std::move(folder));
    TESSERA_ASSIGN(const auto model, open_model(locations, model_folder, options.engine, progress));
    recipe.model = model.pipeline->info().name;
    recipe.model_hash = model.hash;
    recipe.fingerprint = model.engine->fingerprint().hash();
    std::optional<InitPicture> init;
    if (recipe.init) {
        TESSERA_ASSIGN(init, read_init_picture(options.init));
        recipe.init->sha256 = init->sha256;
    }
    TESSERA_TRY(check_recipe(recipe, *model.pipeline));
    const auto found = differences(origin, recipe);
    for (const std::string& difference : found) {
        progress.say("note: " + difference);
    }
    if (options.strict && !found.empty()) {
        return fail(
            ErrorKind::kConflict,
            "{} would not come out the same; leave --strict out to render it all the same",
            options.picture
        );
    }
    std::optional<Tensor> start;
    if (init) {
        TESSERA_ASSIGN(start, init_tensor(init->image, {recipe.width, recipe.height}));
    }
    auto painted =
        paint(model, recipe, 1, start, output, progress, stop, [&](const FinishedPicture& picture) {
            report.add(picture);
        });
    finish_engines(model, painted.has_value(), progress, stop);
    return painted;
}

}  // namespace

void add_repeat(CLI::App& program, Action& action) {
    auto* command =
        program.add_subcommand("repeat", "Render a picture again from its own metadata");
    auto options = std::make_shared<RepeatOptions>();
    command->add_option("IMAGE", options->picture, "A PNG, JPEG or WebP with metadata")->required();
    command->add_option("-m,--model", options->model, "Another model than the picture names");
    command->add_option("--init", options->init, "The picture that it was made from, if any");
    command->add_option("--format", options->output.format, "png, jpeg or webp [--out's, or png]");
    command->add_option("--quality", options->output.quality, "1 to 100, for JPEG and WebP [90]");
    command->add_option(
        "-o,--out",
        options->output.path,
        "A file, which is replaced, or a folder [a new file here, named by prompt and seed]"
    );
    command->add_option("--threads", options->engine.threads, "CPU threads [one per core]");
    command->add_flag_callback(
        "--no-cache",
        [options] { options->engine.cache = false; },
        "Neither read nor fill the engine cache"
    );
    command->add_flag("--strict", options->strict, "Refuse when it may not come out the same");
    command->add_flag("--json", options->json, "Tell of the picture as JSON");
    command->footer(
        "Examples:\n"
        "  tessera repeat dunes-at-night-7.png --out again.png && cmp dunes-at-night-7.png "
        "again.png\n"
        "  tessera repeat from-another-program.png -m ~/models/sd15\n\n"
        "With equal weights on an equal engine (tessera doctor shows its fingerprint) the PNG is "
        "the\n"
        "same to the byte. What differs is told on stderr."
    );
    command->callback([options, &action] {
        action = [options] {
            return make_pictures(
                options->json,
                [&](Progress& progress, PictureReport& report, const std::stop_token& stop) {
                    return repeat(*options, progress, report, stop);
                }
            );
        };
    });
}

}  // namespace tessera::cli
