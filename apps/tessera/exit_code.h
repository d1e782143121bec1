#pragma once

#include "base/result.h"

#include <string>

namespace tessera::cli {

/// What the program's exit code says.
enum class ExitCode : int {
    kDone = 0,
    kFailed = 1,        ///< it began to work and could not finish
    kWrongUse = 2,      ///< the request itself cannot be met; change it
    kInterrupted = 130  ///< Ctrl-C or SIGTERM, as shells report it
};

[[nodiscard]] ExitCode exit_code_of(ErrorKind kind);

/// The table of exit codes as `tessera --help` shows it.
[[nodiscard]] std::string exit_code_help();

}  // namespace tessera::cli
