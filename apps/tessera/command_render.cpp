#include "base/utf8.h"
#include "diffusion/sampler_registry.h"
#include "tessera/commands.h"
#include "tessera/init_picture.h"
#include "tessera/installed_models.h"
#include "tessera/painting.h"
#include "tessera/picture_report.h"
#include "tessera/quantity.h"

#include <CLI/CLI.hpp>

#include <limits>
#include <random>

namespace tessera::cli {
namespace {

constexpr double kUsualStrength = 0.75;
constexpr int kMostPictures = 1000;

struct RenderOptions {
    std::string prompt;
    std::string negative_prompt;
    std::string model = default_model();
    std::optional<int> steps;
    std::string sampler;
    std::optional<double> cfg;
    std::optional<std::int64_t> seed;
    std::string size;
    int count = 1;
    std::string init;
    std::optional<double> strength;
    OutputChoice output;
    EngineChoice engine;
    bool json = false;
};

/// What is wrong by itself, whatever the model.
Status check_options(const RenderOptions& options) {
    if (auto status = check_utf8(options.prompt); !status) {
        return within("the prompt", std::move(status).error());
    }
    if (auto status = check_utf8(options.negative_prompt); !status) {
        return within("the negative prompt", std::move(status).error());
    }
    if (options.count < 1 || options.count > kMostPictures) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} pictures are not possible; take --count 1 to {}",
            options.count,
            kMostPictures
        );
    }
    if (options.strength && options.init.empty()) {
        return fail(ErrorKind::kInvalidArgument, "--strength needs a picture to change: --init");
    }
    constexpr std::int64_t kMostSeed = std::numeric_limits<std::uint32_t>::max();
    if (options.seed && (*options.seed < -1 || *options.seed > kMostSeed)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "seed {} is not possible; take 0 to {}, or -1 for a random one",
            *options.seed,
            kMostSeed
        );
    }
    return {};
}

std::uint32_t choose_seed(const RenderOptions& options) {
    const std::int64_t seed = options.seed.value_or(-1);
    return seed < 0 ? std::random_device()() : static_cast<std::uint32_t>(seed);
}

/// The sampler's name as its makers write it.
Result<std::string> full_sampler_name(const std::string& name) {
    TESSERA_ASSIGN(const auto choice, find_sampler(name));
    std::string full(choice.sampler->name);
    if (choice.schedule != ScheduleKind::kAutomatic) {
        full += fmt::format(" {}", to_string(choice.schedule));
    }
    return full;
}

Result<Recipe> make_recipe(
    const RenderOptions& options, const OpenedModel& model, const std::optional<InitPicture>& init
) {
    const ModelInfo& info = model.pipeline->info();
    Recipe recipe;
    recipe.model = info.name;
    recipe.model_hash = model.hash;
    recipe.prompt = options.prompt;
    recipe.negative_prompt = options.negative_prompt;
    recipe.steps = options.steps.value_or(info.recommended.steps);
    recipe.cfg = options.cfg.value_or(info.recommended.guidance_scale);
    recipe.seed = choose_seed(options);
    recipe.fingerprint = model.engine->fingerprint().hash();
    TESSERA_ASSIGN(
        recipe.sampler,
        full_sampler_name(options.sampler.empty() ? info.recommended.sampler : options.sampler)
    );
    PictureSize size{info.native_width, info.native_height};
    if (!options.size.empty()) {
        TESSERA_ASSIGN(const auto asked, parse_width_height(options.size));
        size = {asked.first, asked.second};
    } else if (init) {
        size = size_for_init(init->image, size, info.vae.downscale());
    }
    recipe.width = size.width;
    recipe.height = size.height;
    if (init) {
        recipe.init = Recipe::Init{options.strength.value_or(kUsualStrength), init->sha256};
    }
    return recipe;
}

Status render(
    const RenderOptions& options,
    Progress& progress,
    PictureReport& report,
    const std::stop_token& stop
) {
    TESSERA_TRY(check_options(options));
    TESSERA_ASSIGN(const auto output, OutputPlan::make(options.output, options.count));
    std::optional<InitPicture> init;
    if (!options.init.empty()) {
        TESSERA_ASSIGN(init, read_init_picture(options.init));
    }
    const Locations locations = find_locations();
    TESSERA_ASSIGN(const auto folder, find_model(locations, options.model));
    TESSERA_ASSIGN(const auto model, open_model(locations, folder, options.engine, progress));
    TESSERA_ASSIGN(const auto recipe, make_recipe(options, model, init));
    TESSERA_TRY(check_recipe(recipe, *model.pipeline));
    std::optional<Tensor> start;
    if (init) {
        TESSERA_ASSIGN(start, init_tensor(init->image, {recipe.width, recipe.height}));
    }
    auto painted = paint(
        model,
        recipe,
        options.count,
        start,
        output,
        progress,
        stop,
        [&](const FinishedPicture& picture) { report.add(picture); }
    );
    finish_engines(model, painted.has_value(), progress, stop);
    return painted;
}

}  // namespace

void add_render(CLI::App& program, Action& action) {
    auto* command = program.add_subcommand("render", "Render pictures from a prompt");
    auto options = std::make_shared<RenderOptions>();
    command->add_option("PROMPT", options->prompt, "What the picture shows")->required();
    command->add_option("-m,--model", options->model, "A model's name or folder")
        ->capture_default_str();
    command->add_option("-n,--negative", options->negative_prompt, "What it does not show");
    command->add_option("--steps", options->steps, "Denoising steps [the model's own number]");
    command->add_option(
        "--sampler", options->sampler, "Such as \"Euler a\" or \"DPM++ 2M Karras\" [the model's]"
    );
    command->add_option(
        "--cfg", options->cfg, "How strictly the prompt is followed; 1 is off [the model's]"
    );
    command->add_option("--seed", options->seed, "0 to 4294967295, or -1 [random]");
    command->add_option(
        "--size",
        options->size,
        "WIDTHxHEIGHT in multiples of 8 [the model's own; with --init that picture's, unless it is "
        "more than twice or less than half of that]"
    );
    command->add_option("--count", options->count, "Pictures, with the seeds that follow")
        ->capture_default_str();
    command->add_option("--init", options->init, "A picture to change, cropped to the size");
    command->add_option(
        "--strength", options->strength, "How much of it is painted anew, 0 to 1 [0.75]"
    );
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
    command->add_flag("--json", options->json, "Tell of the pictures as JSON");
    command->footer(
        "Examples:\n"
        "  tessera render \"a lighthouse by the sea at dawn\"\n"
        "  tessera render \"a pine forest, fog\" --count 4 --seed 7 --out pictures/\n"
        "  tessera render \"dunes at night, stars\" -m ~/models/sd15 --size 512x768 --sampler "
        "\"Euler a\"\n"
        "  tessera render \"the same at sunset\" --init photo.jpg --strength 0.6 --out "
        "sunset.webp\n\n"
        "Paths go to stdout, all else to stderr. Ctrl-C stops within a step."
    );
    command->callback([options, &action] {
        action = [options] {
            return make_pictures(
                options->json,
                [&](Progress& progress, PictureReport& report, const std::stop_token& stop) {
                    return render(*options, progress, report, stop);
                }
            );
        };
    });
}

}  // namespace tessera::cli
