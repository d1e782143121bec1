#include "base/result.h"

namespace tessera {

const char* to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInvalidArgument:
            return "invalid argument";
        case ErrorKind::kNotFound:
            return "not found";
        case ErrorKind::kConflict:
            return "conflict";
        case ErrorKind::kDenied:
            return "denied";
        case ErrorKind::kExhausted:
            return "exhausted";
        case ErrorKind::kUnavailable:
            return "unavailable";
        case ErrorKind::kDeadline:
            return "deadline exceeded";
        case ErrorKind::kCancelled:
            return "cancelled";
        case ErrorKind::kCorrupt:
            return "corrupt";
        case ErrorKind::kUnsupported:
            return "unsupported";
        case ErrorKind::kInternal:
            return "internal error";
    }
    return "unknown";
}

tl::unexpected<Error> within(std::string_view what, Error error) {
    error.message = fmt::format("{}: {}", what, error.message);
    return tl::unexpected(std::move(error));
}

}  // namespace tessera
