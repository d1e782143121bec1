#include "base/file.h"
#include "imaging/codec.h"
#include "imaging/foreign_metadata.h"
#include "tessera/commands.h"
#include "tessera/foreign_recipe.h"
#include "tessera/installed_models.h"
#include "tessera/picture_file.h"
#include "tessera/picture_report.h"
#include "tessera/render_session.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>

namespace tessera::cli {
namespace {

struct RepeatOptions {
    std::string picture;
    std::string model;
    std::string init;
    std::string mask;
    std::string upscaler;
    OutputChoice output;
    EngineChoice engine;
    bool strict = false;
    bool json = false;
};

/// What a picture's file says of how it was made.
struct Origin {
    Recipe recipe;
    std::string program;                    ///< another one's name; empty: ours
    std::vector<std::string> not_honoured;  ///< sentences
    std::string upscaler;                   ///< another program's name for it
};

/// Some programs leave out the size where a picture was given, whose own it then is.
Status complete_size(ForeignParameters& parameters, const std::string& init_path) {
    constexpr int kMultiple = 8;
    if (!parameters.from_picture || parameters.width || init_path.empty()) {
        return {};
    }
    TESSERA_ASSIGN(const auto init, read_init_picture(init_path));
    parameters.width = std::max(init.image.width / kMultiple, 1) * kMultiple;
    parameters.height = std::max(init.image.height / kMultiple, 1) * kMultiple;
    return {};
}

Result<Origin> read_origin(const std::string& path, const std::string& init) {
    TESSERA_ASSIGN(const auto file, read_file(path, DecodeLimits().max_bytes));
    const auto read = [&]() -> Result<Origin> {
        TESSERA_ASSIGN(const auto metadata, extract_metadata(as_bytes(file)));
        if (!metadata.tessera_json.empty()) {
            TESSERA_ASSIGN(auto recipe, recipe_from_json(metadata.tessera_json));
            Origin origin{std::move(recipe), "", {}, ""};
            if (was_postprocessed(metadata.tessera_json)) {
                origin.not_honoured.emplace_back(
                    "it was enlarged or repaired after it was rendered, and only the render is "
                    "repeated; tessera upscale does the rest"
                );
            }
            return origin;
        }
        TESSERA_ASSIGN(auto parameters, read_foreign_parameters(as_bytes(file)));
        TESSERA_TRY(complete_size(parameters, init));
        TESSERA_ASSIGN(auto foreign, to_recipe(parameters));
        return Origin{
            std::move(foreign.recipe),
            parameters.program.empty() ? "another program" : parameters.program,
            std::move(foreign.not_honoured),
            std::move(foreign.upscaler)};
    };
    auto origin = read();
    if (!origin) {
        return within(path, std::move(origin).error());
    }
    return origin;
}

using Hashes = std::map<std::string, std::string>;

void compare_files(
    const char* what, const Hashes& then, const Hashes& now, std::vector<std::string>& found
) {
    for (const auto& [name, hash] : then) {
        const auto here = now.find(name);
        if (here == now.end()) {
            found.push_back(fmt::format("the {} {} that it was made with is not used", what, name));
        } else if (here->second != hash) {
            found.push_back(fmt::format("the {} {} is another file than it was", what, name));
        }
    }
}

/// Why the picture may come out otherwise than it was.
std::vector<std::string> differences(const Origin& origin, const Recipe& now) {
    std::vector<std::string> found;
    const Recipe& then = origin.recipe;
    if (!origin.program.empty()) {
        found.push_back(
            fmt::format("{} made it, so a similar picture is the best to hope for", origin.program)
        );
    }
    found.insert(found.end(), origin.not_honoured.begin(), origin.not_honoured.end());
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
    compare_files("upscaler", then.upscalers, now.upscalers, found);
    compare_files("embedding", then.embeddings, now.embeddings, found);
    if (then.init && !then.init->sha256.empty() && then.init->sha256 != now.init->sha256) {
        found.emplace_back("the init picture is another file than it was");
    }
    if (then.inpaint && !then.inpaint->sha256.empty() &&
        then.inpaint->sha256 != now.inpaint->sha256) {
        found.emplace_back("the mask is another file than it was");
    }
    return found;
}

/// The pictures that it was made from must be named, and no others.
Status check_pictures(const RepeatOptions& options, const Origin& origin) {
    const Recipe& recipe = origin.recipe;
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
    const bool drawn =
        recipe.inpaint && (!recipe.inpaint->sha256.empty() || !origin.program.empty());
    if (drawn && options.mask.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} was made with a mask, which is not in it; name that with --mask",
            options.picture
        );
    }
    if (!drawn && !options.mask.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} was made without a drawn mask; leave --mask out",
            options.picture
        );
    }
    return {};
}

/// What makes a second pass larger: another program's upscaler may have the name of one here.
Status choose_upscaler(
    const RepeatOptions& options, RenderSession& session, Origin& origin, Recipe& recipe
) {
    if (!options.upscaler.empty()) {
        TESSERA_ASSIGN(const auto name, session.name_of_upscaler(options.upscaler));
        if (recipe.hires) {
            recipe.hires->upscaler = name;
        }
        if (!recipe.enlarged_by.empty()) {
            recipe.enlarged_by = name;
        }
        return {};
    }
    if (!origin.upscaler.empty()) {
        if (const auto name = session.name_of_upscaler(origin.upscaler)) {
            recipe.hires->upscaler = *name;
        } else {
            origin.not_honoured.push_back(fmt::format(
                "there is no upscaler \"{:.60}\" here, {} takes its place; name another with "
                "--upscaler",
                origin.upscaler,
                recipe.hires->upscaler
            ));
        }
    }
    return {};
}

Status repeat(
    const RepeatOptions& options,
    Progress& progress,
    PictureReport& report,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(auto origin, read_origin(options.picture, options.init));
    TESSERA_TRY(check_pictures(options, origin));
    TESSERA_ASSIGN(const auto output, OutputPlan::make(options.output, 1));
    const Locations locations = find_locations();
    RenderSession session(locations, options.engine, "", progress, stop);
    TESSERA_TRY(session.read_pictures(options.init, options.mask));
    Recipe recipe = origin.recipe;
    if (recipe.init) {
        recipe.init->sha256 = session.given().init->sha256;
    }
    if (session.given().mask) {
        recipe.inpaint->sha256 = session.given().mask->sha256;
    }
    auto folder = options.model.empty() ? find_installed_model(locations, recipe.model)
                                        : find_model(locations, options.model);
    TESSERA_ASSIGN(const auto model, std::move(folder));
    TESSERA_TRY(session.open(model.string()));
    TESSERA_TRY(choose_upscaler(options, session, origin, recipe));
    TESSERA_TRY(session.prepare(recipe));
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
    progress.begin_picture(1, 1, recipe.prompt);
    FinishedPicture picture{{}, recipe, {}};
    TESSERA_ASSIGN(const Image image, session.paint(recipe, picture.seconds));
    TESSERA_TRY(write_picture(image, output, 1, picture));
    report.add(picture);
    session.finish(true);
    return {};
}

}  // namespace

void add_repeat(CLI::App& program, Action& action) {
    auto* command =
        program.add_subcommand("repeat", "Render a picture again from its own metadata");
    auto options = std::make_shared<RepeatOptions>();
    command->add_option("IMAGE", options->picture, "A PNG, JPEG or WebP with metadata")->required();
    command->add_option("-m,--model", options->model, "Another model than the picture names");
    command->add_option("--init", options->init, "The picture that it was made from, if any");
    command->add_option("--mask", options->mask, "The mask that it was made with, if any");
    command->add_option("--upscaler", options->upscaler, "Another upscaler than the picture names");
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
