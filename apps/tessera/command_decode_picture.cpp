#include "imaging/sandbox_helper.h"
#include "tessera/exit_code.h"
#include "tessera/picture_decoder.h"

#include <unistd.h>

#include <cstdio>
#include <string_view>

namespace tessera::cli {
namespace {

constexpr const char* kCommand = "decode-picture";

}  // namespace

SandboxedDecoder picture_decoder() {
    // The very file that runs, even if another version has taken its place meanwhile.
    return {"/proc/self/exe", {"tessera", kCommand}};
}

void serve_picture_decoder_if_asked(int argc, char** argv) {
    if (argc != 2 || std::string_view(argv[1]) != kCommand) {
        return;
    }
    const int code = serve_sandboxed_decoding();
    if (code == static_cast<int>(ExitCode::kWrongUse)) {
        std::fputs("tessera: decode-picture is for the program's own use\n", stderr);
    }
    ::_exit(code);
}

}  // namespace tessera::cli
