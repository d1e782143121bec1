#include "base/file.h"
#include "config/units.h"
#include "imaging/codec.h"
#include "imaging/drawing.h"
#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/report_chart.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace tessera::cli {
namespace {

struct ReportArguments {
    FarmChoice farm;
    std::string since = "24h";
    std::string plot;
    bool json = false;
};

/// Of a PNG's pixels, for each unit of the drawing.
constexpr double kPngScale = 2.0;

Status write_plot(const std::filesystem::path& path, const std::string& svg) {
    if (path.extension() == ".svg") {
        return write_file_atomically(path, as_bytes(svg));
    }
    TESSERA_ASSIGN(const Image picture, draw_svg(svg, kPngScale));
    TESSERA_ASSIGN(const Bytes file, encode(picture, PictureFormat::kPng));
    return write_file_atomically(path, file);
}

Result<ExitCode> report(const ReportArguments& arguments) {
    TESSERA_ASSIGN(const Duration since, parse_duration(arguments.since));
    const std::filesystem::path plot = arguments.plot;
    if (!plot.empty() && plot.extension() != ".svg" && plot.extension() != ".png") {
        return fail(
            ErrorKind::kInvalidArgument,
            "--plot draws an SVG or a PNG file; '{}' ends in neither .svg nor .png",
            plot.string()
        );
    }
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(since).count();
    TESSERA_ASSIGN(const auto answer, client.get(fmt::format("/api/v1/report?since={}", seconds)));
    if (!plot.empty()) {
        TESSERA_TRY(write_plot(plot, report_svg(answer)));
    }
    if (arguments.json) {
        std::printf("%s\n", answer.c_str());
        return ExitCode::kDone;
    }
    for (const std::string& line : report_lines(answer)) {
        std::printf("%s\n", line.c_str());
    }
    return ExitCode::kDone;
}

}  // namespace

void add_report(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<ReportArguments>();
    CLI::App* command = program.add_subcommand(
        "report", "Show what a farm did: jobs, pictures, waits, failures, each tenant's share"
    );
    command->footer(
        "An administrator's key shows all tenants, another one its own. Deleted jobs are not in "
        "it.\n\n"
        "Examples:\n"
        "  tessera report\n"
        "  tessera report --since 7d --plot week.svg\n"
        "  tessera report --since 30m --json"
    );
    command->add_option("--since", arguments->since, "How long ago it begins: 30m, 24h, 7d")
        ->capture_default_str();
    command->add_option("--plot", arguments->plot, "Draw it over time, into this SVG or PNG file");
    command->add_flag("--json", arguments->json, "Print the server's answer");
    add_farm_options(*command, arguments->farm);
    command->callback([arguments, &action] { action = [arguments] { return report(*arguments); }; }
    );
}

}  // namespace tessera::cli
