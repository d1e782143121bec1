#include "base/file.h"
#include "imaging/codec.h"
#include "tessera/commands.h"
#include "tessera/installed_upscalers.h"
#include "tessera/interrupt.h"
#include "tessera/opened_model.h"
#include "tessera/output_plan.h"
#include "tessera/picture_decoder.h"
#include "tessera/upscale_metadata.h"
#include "tessera/upscale_report.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace tessera::cli {
namespace {

constexpr double kMostScale = 8.0;
constexpr int kWidestWebp = 16383;

struct UpscaleOptions {
    std::vector<std::string> pictures;
    double scale = 2.0;
    std::string upscaler = kDefaultUpscaler;
    bool restore = false;
    int tile = 0;
    OutputChoice output;
    EngineChoice engine;
    bool json = false;
    bool list = false;

    [[nodiscard]] bool only_restores() const { return restore && scale == 1.0; }
};

Status check_options(const UpscaleOptions& options) {
    if (options.pictures.empty()) {
        return fail(ErrorKind::kInvalidArgument, "no picture is named; see tessera upscale --help");
    }
    if (!(options.scale >= 1.0 && options.scale <= kMostScale)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "scale {} is not possible; take 1 to {}",
            options.scale,
            kMostScale
        );
    }
    if (options.tile != 0 && (options.tile < kSmallestTile || options.tile > kLargestTile)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "tiles of {} pixels are not possible; take {} to {}, or leave --tile out",
            options.tile,
            kSmallestTile,
            kLargestTile
        );
    }
    return {};
}

/// The two stages; either may be absent.
struct Stages {
    std::optional<Upscaler> restorer;
    std::optional<Upscaler> upscaler;
};

Result<Stages> open_stages(
    const UpscaleOptions& options, const Locations& locations, Engine& engine
) {
    Stages stages;
    if (options.restore) {
        TESSERA_ASSIGN(const auto file, find_installed_upscaler(locations, kRestoreNetwork));
        TESSERA_ASSIGN(stages.restorer, open_upscaler(file, engine));
        if (stages.restorer->scale() != 1) {
            return fail(
                ErrorKind::kInvalidArgument,
                "{} enlarges by {}; --restore needs a network that keeps the size",
                file.string(),
                stages.restorer->scale().value_or(1)
            );
        }
    }
    if (!options.only_restores()) {
        TESSERA_ASSIGN(const auto file, find_upscaler(locations, options.upscaler));
        TESSERA_ASSIGN(stages.upscaler, open_upscaler(file, engine));
    }
    return stages;
}

struct Source {
    Image image;
    PictureMetadata metadata;
};

Result<Source> read_source(const std::string& path, const std::stop_token& stop) {
    const DecodeLimits limits;
    TESSERA_ASSIGN(const auto file, read_file(path, limits.max_bytes));
    Source source;
    TESSERA_ASSIGN(source.image, picture_decoder().decode(as_bytes(file), limits, stop));
    TESSERA_ASSIGN(source.metadata, extract_metadata(as_bytes(file)));
    return source;
}

/// The result must be a picture that can be read again.
Result<UpscaleRequest> request_for(
    const Image& image, const UpscaleOptions& options, PictureFormat format
) {
    const DecodeLimits limits;
    const int most_side = format == PictureFormat::kWebp ? kWidestWebp : limits.max_side;
    const double width = std::round(image.width * options.scale);
    const double height = std::round(image.height * options.scale);
    if (std::max(width, height) > most_side ||
        width * height > static_cast<double>(limits.max_pixels)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{}x{} times {} is more than the limit of {} pixels on a side and {} million in all; "
            "take a smaller --scale",
            image.width,
            image.height,
            options.scale,
            most_side,
            limits.max_pixels / 1'000'000
        );
    }
    UpscaleRequest request;
    request.width = static_cast<int>(width);
    request.height = static_cast<int>(height);
    request.tile = options.tile;
    return request;
}

/// Everything that one picture after another is made with.
struct Workshop {
    const UpscaleOptions& options;
    const Stages& stages;
    const OutputPlan& output;
    Progress& progress;
    const std::stop_token& stop;

    [[nodiscard]] Result<Image> work(Image image, const UpscaleRequest& request) const;
    [[nodiscard]] Result<UpscaledPicture> make(int number) const;
};

Result<Image> Workshop::work(Image image, const UpscaleRequest& request) const {
    const auto tell = [this](const char* unit) {
        return [this, unit](std::size_t done, std::size_t all) { progress.step(done, all, unit); };
    };
    if (stages.restorer) {
        UpscaleRequest same = request;
        same.width = image.width;
        same.height = image.height;
        TESSERA_ASSIGN(image, stages.restorer->upscale(image, same, tell("restoring tile"), stop));
    }
    if (stages.upscaler) {
        if (!stages.upscaler->scale()) {
            progress.phase("resizing");
        }
        TESSERA_ASSIGN(image, stages.upscaler->upscale(image, request, tell("tile"), stop));
    }
    return image;
}

Result<UpscaledPicture> Workshop::make(int number) const {
    const auto start = std::chrono::steady_clock::now();
    const std::string& path = options.pictures[static_cast<std::size_t>(number - 1)];
    progress.begin_picture(static_cast<std::size_t>(number), options.pictures.size(), path);
    progress.phase("reading the picture");
    UpscaledPicture made;
    made.source = path;
    TESSERA_ASSIGN(auto source, read_source(path, stop));
    made.from_width = source.image.width;
    made.from_height = source.image.height;
    TESSERA_ASSIGN(const auto request, request_for(source.image, options, output.format()));
    TESSERA_ASSIGN(const Image image, work(std::move(source.image), request));
    progress.phase("writing");
    made.record.scale = options.scale;
    made.record.width = image.width;
    made.record.height = image.height;
    if (stages.restorer) {
        made.record.restorer = stages.restorer->name();
        made.tile = stages.restorer->tile_side(request);
    }
    if (stages.upscaler) {
        made.record.upscaler = stages.upscaler->name();
        made.tile = stages.upscaler->tile_side(request);
    }
    TESSERA_ASSIGN(const auto metadata, add_to_metadata(std::move(source.metadata), made.record));
    EncodeOptions encoding;
    encoding.quality = output.quality().value_or(encoding.quality);
    TESSERA_ASSIGN(const auto file, encode(image, output.format(), encoding, metadata));
    const auto name =
        fmt::format("{}-x{}", std::filesystem::path(path).stem().string(), options.scale);
    TESSERA_ASSIGN(made.path, output.write_as(number, name, file));
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    made.seconds = spent.count();
    return made;
}

/// Goes on after a picture that fails, and tells of all those at the end.
Status upscale_each(const Workshop& workshop, UpscaleReport& report) {
    const auto& pictures = workshop.options.pictures;
    for (int number = 1; number <= static_cast<int>(pictures.size()); ++number) {
        const std::string& path = pictures[static_cast<std::size_t>(number - 1)];
        auto made = workshop.make(number);
        if (made) {
            report.add(*made);
            continue;
        }
        Error problem = std::move(made).error();
        if (problem.kind == ErrorKind::kCancelled) {
            return tl::unexpected(std::move(problem));
        }
        // Files that cannot be read name themselves.
        if (!problem.message.starts_with(path)) {
            problem.message = path + ": " + problem.message;
        }
        report.add_failure(path, std::move(problem));
    }
    return report.failures();
}

Status upscale(
    const UpscaleOptions& options,
    Progress& progress,
    UpscaleReport& report,
    const std::stop_token& stop
) {
    TESSERA_TRY(check_options(options));
    TESSERA_ASSIGN(
        const auto output,
        OutputPlan::make(options.output, static_cast<int>(options.pictures.size()))
    );
    const Locations locations = find_locations();
    progress.phase("reading the upscaler");
    TESSERA_ASSIGN(const auto engine, make_engine(locations, options.engine, progress));
    TESSERA_ASSIGN(const auto stages, open_stages(options, locations, *engine));
    const auto done = upscale_each(Workshop{options, stages, output, progress, stop}, report);
    const bool stopped = !done && done.error().kind == ErrorKind::kCancelled;
    finish_engine(*engine, !stopped, progress, stop);
    return done;
}

Result<ExitCode> run(const UpscaleOptions& options) {
    if (options.list) {
        list_upscalers(find_locations(), options.json);
        return ExitCode::kDone;
    }
    const Interrupt interrupt;  // before the thread of Progress, which must not take the signals
    Progress progress;
    UpscaleReport report(options.json, progress, options.pictures.size());
    const Status result = upscale(options, progress, report, interrupt.token());
    report.end(result);
    TESSERA_TRY(result);
    return ExitCode::kDone;
}

}  // namespace

void add_upscale(CLI::App& program, Action& action) {
    auto* command = program.add_subcommand("upscale", "Enlarge pictures, or repair them");
    auto options = std::make_shared<UpscaleOptions>();
    command->add_option("IMAGE", options->pictures, "PNG, JPEG or WebP files");
    command->add_option("--scale", options->scale, "1 to 8, such as 2 or 1.5")
        ->capture_default_str();
    command
        ->add_option(
            "--upscaler", options->upscaler, "A network's name or file (.safetensors), or Lanczos"
        )
        ->capture_default_str();
    command->add_flag(
        "--restore",
        options->restore,
        "First remove noise, blur and JPEG damage; with --scale 1 that alone"
    );
    command->add_option(
        "--tile", options->tile, "Side of the tiles it works on, 32 to 4096 [the network's own]"
    );
    command->add_option("--format", options->output.format, "png, jpeg or webp [--out's, or png]");
    command->add_option("--quality", options->output.quality, "1 to 100, for JPEG and WebP [90]");
    command->add_option(
        "-o,--out",
        options->output.path,
        "A file, which is replaced, or a folder [a new file here, named by source and scale]"
    );
    command->add_option("--threads", options->engine.threads, "CPU threads [one per core]");
    command->add_flag_callback(
        "--no-cache",
        [options] { options->engine.cache = false; },
        "Neither read nor fill the engine cache"
    );
    command->add_flag("--list", options->list, "List the installed upscalers");
    command->add_flag("--json", options->json, "Tell of the pictures, or the list, as JSON");
    command->footer(
        "Examples:\n"
        "  tessera upscale sea.png --scale 4\n"
        "  tessera upscale old/*.jpg --restore --scale 1.5 --out new/ --format webp\n"
        "  tessera upscale sea.png --upscaler ~/networks/RealESRGAN_x4plus.safetensors --scale 4\n"
        "  tessera upscale --list\n\n"
        "Networks of Real-ESRGAN and ESRGAN (RRDBNet, SRVGGNetCompact) as .safetensors are looked "
        "for\n"
        "in upscalers/ in the folders of models. A network is repeated and Lanczos does the rest "
        "until\n"
        "the size is the one asked for. A smaller --tile takes less memory.\n"
        "Paths go to stdout, all else to stderr. Ctrl-C stops within a tile."
    );
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tessera::cli
