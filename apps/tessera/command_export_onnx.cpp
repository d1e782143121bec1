#include "tessera/commands.h"
#include "tessera/installed_models.h"
#include "tessera/interrupt.h"
#include "tessera/onnx_export.h"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace tessera::cli {

void add_export_onnx(CLI::App& program, Action& action) {
    struct Options {
        std::string model;
        std::string folder;
    };
    auto* command =
        program.add_subcommand("export-onnx", "Write a model's networks as ordinary ONNX files");
    auto options = std::make_shared<Options>();
    command->add_option("MODEL", options->model, "A model's name or folder")->required();
    command->add_option("DIR", options->folder, "Where to; made if need be")->required();
    command->footer(
        "Example:\n"
        "  tessera export-onnx tessera-tiny tessera-tiny-onnx\n\n"
        "Writes text_encoder, unet, vae_decoder and vae_encoder in fp32 with standard operators\n"
        "(opset 17), the tokenizer, the noise schedule and a README that tells inputs and outputs."
    );
    command->callback([options, &action] {
        action = [options]() -> Result<ExitCode> {
            const Interrupt interrupt;
            Progress progress;
            const Locations locations = find_locations();
            TESSERA_ASSIGN(const auto model, find_model(locations, options->model));
            TESSERA_ASSIGN(
                const auto written,
                export_onnx(locations, model, options->folder, progress, interrupt.token())
            );
            for (const auto& path : written) {
                std::printf("%s\n", path.c_str());
            }
            return ExitCode::kDone;
        };
    });
}

}  // namespace tessera::cli
