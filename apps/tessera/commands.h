#pragma once

#include "base/result.h"
#include "tessera/exit_code.h"

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace tessera::cli {

/// What the chosen subcommand does, once the command line is read.
using Action = std::function<Result<ExitCode>()>;

/// Each adds its subcommand to the program; when it is the chosen one, parsing sets `action`.
void add_serve(CLI::App& program, Action& action);
void add_worker(CLI::App& program, Action& action);
void add_submit(CLI::App& program, Action& action);
/// jobs, show, watch, cancel, retry, forget.
void add_jobs(CLI::App& program, Action& action);
/// workers, keys, config, backup, restore, store.
void add_farm(CLI::App& program, Action& action);
void add_logs(CLI::App& program, Action& action);
void add_trace(CLI::App& program, Action& action);
void add_top(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);
void add_render(CLI::App& program, Action& action);
void add_repeat(CLI::App& program, Action& action);
void add_upscale(CLI::App& program, Action& action);
void add_tokens(CLI::App& program, Action& action);
void add_samplers(CLI::App& program, Action& action);
void add_info(CLI::App& program, Action& action);
void add_models(CLI::App& program, Action& action);
void add_doctor(CLI::App& program, Action& action);
void add_cache(CLI::App& program, Action& action);
void add_export_onnx(CLI::App& program, Action& action);

}  // namespace tessera::cli
