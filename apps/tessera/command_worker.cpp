#include "tessera/commands.h"
#include "tessera/farm_config.h"
#include "tessera/farm_log.h"
#include "tessera/interrupt.h"
#include "tessera/terminal.h"
#include "tessera/worker_program.h"

#include <CLI/CLI.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>

namespace tessera::cli {
namespace {

struct WorkerArguments {
    ConfigChoice config;
    WorkerProcess process;
};

/// A worker process does not outlive its supervisor.
Status end_with(int supervisor) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != supervisor) {
        return fail(ErrorKind::kUnavailable, "the supervisor of this worker process has ended");
    }
    return {};
}

Result<ExitCode> run(const WorkerArguments& arguments) {
    if (!arguments.process.worker.empty()) {
        TESSERA_TRY(end_with(arguments.process.supervisor));
    }
    TESSERA_ASSIGN(const auto config, read_config(arguments.config));
    TESSERA_ASSIGN(const auto setup, worker_setup(config));
    const Interrupt interrupt([] {});
    if (!arguments.process.worker.empty()) {
        const auto ended =
            run_worker_process(setup, arguments.process, interrupt.token(), interrupt.haste());
        return static_cast<ExitCode>(ended);
    }
    const auto log = open_log(config.log);
    const auto say = [&log](const std::string& line) { log->write(LogLevel::kInfo, line); };
    say(fmt::format(
        "{} worker {} for {}; Ctrl-C finishes what is begun and leaves, a second one leaves at "
        "once",
        setup.processes,
        setup.processes == 1 ? "process" : "processes",
        setup.farm.url
    ));
    TESSERA_TRY(run_workers(setup, say, interrupt.token(), interrupt.haste()));
    return ExitCode::kDone;
}

}  // namespace

void add_worker(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<WorkerArguments>();
    CLI::App* command = program.add_subcommand("worker", "Render for a farm on this machine");
    command->footer(
        "Examples:\n"
        "  TESSERA_KEY=tsr_... tessera worker --server https://farm.example:7860\n"
        "  tessera worker --processes 2 --threads 4\n\n"
        "The key is made by: tessera keys add NAME --role worker\n"
        "tessera config check --list shows every key of the configuration."
    );
    ConfigChoice& config = arguments->config;
    add_config_option(*command, config, "--server", "worker.server", "The farm's address");
    add_config_option(
        *command, config, "--processes", "worker.processes", "Worker processes on this machine"
    );
    add_config_option(*command, config, "--slots", "worker.slots", "Tasks at once in each");
    add_config_option(
        *command, config, "--threads", "worker.threads", "Threads of each; 0: the cores divided"
    );
    add_config_option(
        *command, config, "--key-file", "worker.token_file", "A file with the worker's key"
    );
    add_config_options(*command, config);
    command->add_option("--process", arguments->process.worker)->group("");
    command->add_option("--number", arguments->process.number)->group("");
    command->add_option("--supervisor", arguments->process.supervisor)->group("");
    command->add_option("--predecessor", arguments->process.predecessor)->group("");
    command->add_option("--crash", arguments->process.crash)->group("");
    command->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace tessera::cli
