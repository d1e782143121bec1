#include "tessera/batch.h"
#include "tessera/commands.h"
#include "tessera/grid_axes.h"
#include "tessera/grid_sheet.h"
#include "tessera/installed_models.h"
#include "tessera/picture_file.h"
#include "tessera/picture_report.h"
#include "tessera/render_session.h"

#include <CLI/CLI.hpp>

namespace tessera::cli {
namespace {

struct RenderOptions {
    RenderSettings settings;
    std::string init;
    std::string mask;
    std::string styles;
    int count = 1;
    std::string prompts;
    std::vector<std::string> grid;
    bool keep_cells = false;
    OutputChoice output;
    EngineChoice engine;
    std::string preview;
    bool json = false;
};

/// What is wrong by itself, whatever the model.
Status check_options(const RenderOptions& options) {
    if (options.count < 1 || options.count > kMostPictures) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} pictures are not possible; take --count 1 to {}",
            options.count,
            kMostPictures
        );
    }
    const bool has_prompt = !options.settings.prompt.empty();
    if (!options.prompts.empty() && (has_prompt || !options.grid.empty())) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--prompts brings the prompts; leave {} out",
            has_prompt ? "PROMPT" : "--grid"
        );
    }
    if (!options.grid.empty() && options.count > 1) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--grid renders one picture a cell; leave --count out, or make seed an axis"
        );
    }
    return {};
}

Status render_one_after_the_other(
    const RenderOptions& options, RenderSession& session, PictureReport& report, Progress& progress
) {
    TESSERA_ASSIGN(const auto output, OutputPlan::make(options.output, options.count));
    TESSERA_ASSIGN(const auto first, session.plan(options.settings));
    for (int number = 1; number <= options.count; ++number) {
        progress.begin_picture(
            static_cast<std::size_t>(number), static_cast<std::size_t>(options.count), first.prompt
        );
        FinishedPicture picture{{}, nth_of(first, number), {}};
        TESSERA_ASSIGN(const Image image, session.paint(picture.recipe, picture.seconds));
        TESSERA_TRY(write_picture(image, output, number, picture));
        report.add(picture);
    }
    return {};
}

Status render(
    const RenderOptions& options,
    Progress& progress,
    PictureReport& report,
    const std::stop_token& stop
) {
    TESSERA_TRY(check_options(options));
    RenderSettings settings = options.settings;
    settings.mask_from_alpha = options.mask == "alpha";
    RenderSession session(find_locations(), options.engine, options.preview, progress, stop);
    session.use_styles(options.styles);
    TESSERA_TRY(session.read_pictures(options.init, settings.mask_from_alpha ? "" : options.mask));
    Status rendered;
    if (!options.prompts.empty()) {
        const BatchRequest batch{options.prompts, settings, options.count, options.output};
        rendered = render_batch(batch, session, report, progress, stop);
    } else if (!options.grid.empty()) {
        const GridRequest grid{options.grid, settings, options.keep_cells, options.output};
        rendered = render_grid(grid, session, report, progress, stop);
    } else {
        RenderOptions plain = options;
        plain.settings = settings;
        rendered = render_one_after_the_other(plain, session, report, progress);
    }
    session.finish(rendered.has_value());
    return rendered;
}

void add_prompt_options(CLI::App& command, RenderOptions& options) {
    RenderSettings& settings = options.settings;
    constexpr const char* kGroup = "Prompt";
    command.add_option("PROMPT", settings.prompt, "What the picture shows")->group(kGroup);
    command.add_option("-n,--negative", settings.negative_prompt, "What it does not show")
        ->group(kGroup);
    command.add_option("--style", settings.styles, "A style of the styles file, joined to both")
        ->group(kGroup);
    command.add_option("--styles", options.styles, "The styles file, A1111's styles.csv")
        ->group(kGroup);
    command.add_flag("--plain", settings.plain, "Brackets and BREAK mean nothing, as in diffusers")
        ->group(kGroup);
    command
        .add_option(
            "--clip-skip", settings.clip_skip, "2 leaves out the text encoder's last layer [1]"
        )
        ->group(kGroup);
}

void add_sampling_options(CLI::App& command, RenderSettings& settings) {
    constexpr const char* kGroup = "Sampling";
    const auto add = [&](const char* name, auto& value, const char* help) {
        command.add_option(name, value, help)->group(kGroup);
    };
    add("--steps", settings.steps, "Denoising steps [the model's own number]");
    add("--sampler",
        settings.sampler,
        "Such as \"Euler a\" or \"DPM++ 2M Karras\" [the model's]; see tessera samplers");
    add("--schedule",
        settings.schedule,
        "How noise falls: Karras, \"SGM Uniform\", ... [the sampler's]");
    add("--cfg", settings.cfg, "How strictly the prompt is followed; 1 is off [the model's]");
    add("--cfg-rescale", settings.cfg_rescale, "Tames strong guidance, 0 to 1 [0]");
    add("--cfg-interval", settings.cfg_interval, "The part of the steps that is guided [0-1]");
    add("--eta", settings.eta, "Share of fresh noise, for samplers that take one");
    add("--s-noise", settings.s_noise, "Factor on that noise");
    command.add_flag("--zero-snr", settings.zero_snr, "Begin from pure noise (zero terminal SNR)")
        ->group(kGroup);
}

void add_noise_options(CLI::App& command, RenderSettings& settings) {
    constexpr const char* kGroup = "Noise";
    const auto add = [&](const char* name, auto& value, const char* help) {
        command.add_option(name, value, help)->group(kGroup);
    };
    add("--seed", settings.seed, "0 to 18446744073709551615, or -1 [random]");
    add("--rng", settings.rng, "cpu, or cuda for seeds of programs that draw on a GPU [cpu]");
    add("--variation-seed", settings.variation_seed, "Seed of a variation [random]");
    add("--variation-strength", settings.variation_strength, "How much of it counts, 0 to 1");
    add("--seed-resize", settings.seed_resize, "Keep the composition that the seed has at this size"
    );
    add("--ensd", settings.later_seed_offset, "A1111's eta noise seed delta");
}

void add_size_options(CLI::App& command, RenderSettings& settings) {
    constexpr const char* kGroup = "Size";
    const auto add = [&](const char* name, auto& value, const char* help) {
        command.add_option(name, value, help)->group(kGroup);
    };
    add("--size",
        settings.size,
        "WIDTHxHEIGHT of the picture. What the model was not trained for is rendered at its own "
        "size and enlarged [the model's own]");
    command.add_flag("--exact-size", settings.exact_size, "Render at --size whatever the model")
        ->group(kGroup);
    add("--hires", settings.hires, "A second pass: so many times larger, or WIDTHxHEIGHT");
    add("--hires-steps", settings.hires_steps, "Steps of the second pass [as many as the first]");
    add("--hires-strength", settings.hires_strength, "How much it paints anew, 0 to 1 [0.7]");
    add("--upscaler",
        settings.upscaler,
        "What enlarges: a name, a file or Lanczos [the shipped one]");
    command
        .add_flag("--restore", settings.restore, "Repair noise, blur and JPEG damage at the end")
        ->group(kGroup);
}

void add_init_options(CLI::App& command, RenderOptions& options) {
    RenderSettings& settings = options.settings;
    constexpr const char* kGroup = "From a picture";
    const auto add = [&](const char* name, auto& value, const char* help) {
        command.add_option(name, value, help)->group(kGroup);
    };
    add("--init", options.init, "A picture to change");
    add("--strength",
        settings.strength,
        "How much of it is painted anew, 0 to 1 [0.75; outpainting 1]");
    add("--resize-mode", settings.resize_mode, "stretch, crop or pad it to the size [crop]");
    add("--mask",
        options.mask,
        "Inpaint: a picture that is white where it is painted, or alpha for where --init is "
        "transparent");
    command.add_flag("--mask-invert", settings.mask_invert, "Paint where the mask is black")
        ->group(kGroup);
    add("--mask-blur", settings.mask_blur, "Softness of the mask's edge in pixels [4]");
    add("--masked-content",
        settings.masked_content,
        "What is there before: fill, original, latent-noise or latent-nothing [original]");
    add("--only-masked",
        settings.only_masked,
        "Render the mask's surroundings alone, with so many pixels around it");
    add("--outpaint", settings.outpaint, "Extend by 64 pixels, or by left=64,bottom=32");
}

void add_output_options(CLI::App& command, RenderOptions& options) {
    constexpr const char* kGroup = "Pictures";
    const auto add = [&](const char* name, auto& value, const char* help) {
        return command.add_option(name, value, help)->group(kGroup);
    };
    add("--count", options.count, "Pictures, with the seeds (or variation seeds) that follow")
        ->capture_default_str();
    add("--prompts", options.prompts, "A file with a prompt on each line, or - for stdin; resumes");
    add("--grid",
        options.grid,
        "An axis of a contact sheet, as cfg=3,5,7 or sampler=Euler,DDIM or sr=cat,dog; up to three"
    );
    command.add_flag("--keep-cells", options.keep_cells, "Write the sheet's single pictures too")
        ->group(kGroup);
    add("--format", options.output.format, "png, jpeg or webp [--out's, or png]");
    add("--quality", options.output.quality, "1 to 100, for JPEG and WebP [90]");
    add("-o,--out",
        options.output.path,
        "A file, which is replaced, or a folder [a new file here, named by prompt and seed]");
    add("--preview", options.preview, "A small PNG that shows each step as it is taken");
    command.add_flag("--json", options.json, "Tell of the pictures as JSON")->group(kGroup);
}

void add_engine_options(CLI::App& command, RenderOptions& options) {
    constexpr const char* kGroup = "Engine";
    command.add_option("-m,--model", options.settings.model, "A model's name or folder")
        ->capture_default_str()
        ->group(kGroup);
    command.add_option("--threads", options.engine.threads, "CPU threads [one per core]")
        ->group(kGroup);
    command
        .add_flag_callback(
            "--no-cache",
            [&options] { options.engine.cache = false; },
            "Neither read nor fill the engine cache"
        )
        ->group(kGroup);
}

}  // namespace

void add_render(CLI::App& program, Action& action) {
    auto* command = program.add_subcommand("render", "Render pictures from a prompt");
    auto options = std::make_shared<RenderOptions>();
    options->settings.model = default_model();
    add_prompt_options(*command, *options);
    add_sampling_options(*command, options->settings);
    add_noise_options(*command, options->settings);
    add_size_options(*command, options->settings);
    add_init_options(*command, *options);
    add_output_options(*command, *options);
    add_engine_options(*command, *options);
    command->footer(
        "Examples:\n"
        "  tessera render \"a lighthouse by the sea at dawn\"\n"
        "  tessera render \"a pine forest, (fog:1.3)\" --count 4 --seed 7 --out pictures/\n"
        "  tessera render \"dunes at night, stars\" -m ~/models/sd15 --size 512x768 --sampler "
        "\"Euler a\"\n"
        "  tessera render \"the same at sunset\" --init photo.jpg --strength 0.6 --out "
        "sunset.webp\n"
        "  tessera render \"a red boat\" --init lake.png --mask boat-mask.png --masked-content "
        "fill\n"
        "  tessera render \"a castle\" --seed 1 --grid sampler=Euler,DDIM --grid cfg=3,5,7\n"
        "  tessera render --prompts prompts.txt --out pictures/\n\n"
        "Paths go to stdout, all else to stderr. Ctrl-C stops within a step."
    );
    command->callback([options, command, &action] {
        if (options->settings.prompt.empty() && options->prompts.empty() &&
            command->count("PROMPT") == 0) {
            throw CLI::RequiredError("PROMPT or --prompts");
        }
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
