#pragma once

namespace tessera {

/// The helper's whole life: takes a request from standard input, locks itself in, decodes the
/// picture and writes the answer to standard output (imaging/sandbox_protocol.h). Called first of
/// all in main(), before there are threads. The result is the exit code; with it, call _exit():
/// a process locked in cannot tidy up.
[[nodiscard]] int serve_sandboxed_decoding();

}  // namespace tessera
