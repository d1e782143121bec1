#pragma once

#include "imaging/sandboxed_decoder.h"

namespace tessera::cli {

/// Decodes the pictures that come from outside, each in a process of its own (this program, run
/// again). Pictures that the program has made itself need it not.
[[nodiscard]] SandboxedDecoder picture_decoder();

/// When the process was started by such a decoder, this is its whole life and does not return.
/// Comes first in main().
void serve_picture_decoder_if_asked(int argc, char** argv);

}  // namespace tessera::cli
