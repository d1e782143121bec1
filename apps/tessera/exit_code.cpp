#include "tessera/exit_code.h"

namespace tessera::cli {

ExitCode exit_code_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInvalidArgument:
        case ErrorKind::kNotFound:
        case ErrorKind::kConflict:
        case ErrorKind::kUnsupported:
        case ErrorKind::kDenied:
            return ExitCode::kWrongUse;
        case ErrorKind::kCancelled:
            return ExitCode::kInterrupted;
        case ErrorKind::kExhausted:
        case ErrorKind::kUnavailable:
        case ErrorKind::kDeadline:
        case ErrorKind::kCorrupt:
        case ErrorKind::kInternal:
            break;
    }
    return ExitCode::kFailed;
}

std::string exit_code_help() {
    return "Exit codes:\n"
           "  0    done\n"
           "  1    failed while working: a damaged file, a full disk, no memory\n"
           "  2    wrong use: an option out of range, no such model or file, an unknown format\n"
           "  130  stopped by Ctrl-C or SIGTERM";
}

}  // namespace tessera::cli
