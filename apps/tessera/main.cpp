#include "tessera/commands.h"
#include "tessera/picture_decoder.h"
#include "tessera/terminal.h"
#include "tessera/version.h"

#include <CLI/CLI.hpp>

#include <cctype>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

namespace {

using namespace tessera::cli;

/// One sentence, and the exit code.
int complain(const std::string& message, ExitCode code) {
    std::fprintf(stderr, "tessera: %s\n", printable_line(message).c_str());
    return static_cast<int>(code);
}

/// Help and version come this way too.
int finish_parsing(const CLI::App& program, const CLI::ParseError& end) {
    if (end.get_exit_code() == 0) {
        return program.exit(end);
    }
    std::string message = end.what();
    // "The ..." and "A ..." in the middle of a line, but PROMPT as it is.
    if (message.size() > 1 && !std::isupper(static_cast<unsigned char>(message[1]))) {
        message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
    }
    if (end.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
        message += "; a prompt of several words stands in quotes";
    }
    return complain(message + " (tessera --help lists what there is)", ExitCode::kWrongUse);
}

int run(int argc, char** argv) {
    CLI::App program("Tessera makes pictures from words with Stable Diffusion models.", "tessera");
    program.set_version_flag("--version", version_text());
    program.require_subcommand(1);
    program.footer(
        "Examples:\n"
        "  tessera render \"a lighthouse by the sea at dawn\"\n"
        "  tessera serve\n"
        "  tessera submit \"a boat on a lake\" --count 4 --out pictures\n"
        "  tessera models\n"
        "  tessera info a-lighthouse-by-the-sea-at-dawn-42.png\n"
        "  tessera render --help\n\n"
        "Environment:\n"
        "  TESSERA_MODEL      the model to take without -m\n"
        "  TESSERA_MODELS     folders of further models, with \":\" between\n"
        "  TESSERA_CACHE_DIR  what can be made anew; else ~/.cache/tessera\n"
        "  TESSERA_DATA_DIR   what is shipped with the program\n"
        "  TESSERA_SERVER     the farm that submit, jobs, watch and so on talk to\n"
        "  TESSERA_KEY        the key for it\n"
        "  TESSERA_CONFIG     a farm's configuration file\n"
        "  NO_COLOR           no colours\n\n" +
        exit_code_help()
    );
    Action action;
    add_render(program, action);
    add_repeat(program, action);
    add_upscale(program, action);
    add_tokens(program, action);
    add_samplers(program, action);
    add_info(program, action);
    add_models(program, action);
    add_doctor(program, action);
    add_cache(program, action);
    add_export_onnx(program, action);
    add_serve(program, action);
    add_worker(program, action);
    add_submit(program, action);
    add_jobs(program, action);
    add_farm(program, action);
    add_logs(program, action);
    add_trace(program, action);
    add_top(program, action);
    add_report(program, action);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        return finish_parsing(program, end);
    }
    const auto done = action();
    if (!done) {
        const bool stopped = done.error().kind == tessera::ErrorKind::kCancelled;
        return complain(
            stopped ? "stopped" : done.error().message, exit_code_of(done.error().kind)
        );
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        return complain("cannot write to standard output", ExitCode::kFailed);
    }
    return static_cast<int>(*done);
}

}  // namespace

int main(int argc, char** argv) {
    serve_picture_decoder_if_asked(argc, argv);
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        return complain("there is not enough memory", ExitCode::kFailed);
    } catch (const std::exception& error) {
        return complain(std::string("internal error: ") + error.what(), ExitCode::kFailed);
    }
}
