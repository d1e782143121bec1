#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/terminal.h"
#include "tessera/trace_chart.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace tessera::cli {
namespace {

/// More rows than anybody reads at once.
constexpr std::size_t kUsualRows = 200;

struct TraceArguments {
    FarmChoice farm;
    std::vector<std::string> jobs;
    bool all = false;
    bool json = false;
};

Result<ExitCode> trace(const TraceArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    const Terminal terminal = look_at_terminal(STDOUT_FILENO);
    const std::size_t columns = terminal.interactive ? terminal_columns(STDOUT_FILENO) : 0;
    for (const std::string& job : arguments.jobs) {
        TESSERA_ASSIGN(
            const auto answer, client.get("/api/v1/jobs/" + path_segment(job) + "/trace")
        );
        if (arguments.json) {
            std::printf("%s\n", answer.c_str());
            continue;
        }
        const auto lines = chart_lines(read_trace(answer), columns, terminal);
        const std::size_t shown =
            arguments.all ? lines.size() : std::min(lines.size(), kUsualRows + 1);
        for (std::size_t i = 0; i < shown; ++i) {
            std::printf("%s\n", lines[i].c_str());
        }
        if (shown < lines.size()) {
            std::printf("and %zu more; --all shows them\n", lines.size() - shown);
        }
    }
    return ExitCode::kDone;
}

}  // namespace

void add_trace(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<TraceArguments>();
    CLI::App* command =
        program.add_subcommand("trace", "Show where a job's time went, a bar for each part");
    command->footer(
        "The server has the traces of jobs that run and of the last that ended since it "
        "started.\n\n"
        "Examples:\n"
        "  tessera trace ID\n"
        "  tessera trace ID --json"
    );
    command->add_option("job", arguments->jobs, "Ids of jobs")->required();
    command->add_flag("--all", arguments->all, "Every row of a large job");
    command->add_flag("--json", arguments->json, "Print the server's answer");
    add_farm_options(*command, arguments->farm);
    command->callback([arguments, &action] { action = [arguments] { return trace(*arguments); }; });
}

}  // namespace tessera::cli
