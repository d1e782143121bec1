#include "base/file.h"
#include "imaging/codec.h"
#include "imaging/infotext.h"
#include "tessera/commands.h"
#include "tessera/picture_decoder.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace tessera::cli {
namespace {

struct PictureFacts {
    PictureFormat format = PictureFormat::kPng;
    std::size_t bytes = 0;
    Image image;
    PictureMetadata metadata;
};

Result<PictureFacts> read_facts(const std::string& path) {
    TESSERA_ASSIGN(const auto file, read_file(path, DecodeLimits().max_bytes));
    const auto bytes = as_bytes(file);
    const auto read = [&]() -> Result<PictureFacts> {
        PictureFacts facts;
        TESSERA_ASSIGN(facts.image, picture_decoder().decode(bytes));
        facts.format = sniff_format(bytes).value_or(facts.format);
        facts.bytes = bytes.size();
        TESSERA_ASSIGN(facts.metadata, extract_metadata(bytes));
        return facts;
    };
    auto facts = read();
    if (!facts) {
        return within(path, std::move(facts).error());
    }
    return facts;
}

/// What stands there as JSON if it is that, else as a string.
nlohmann::ordered_json as_json(const std::string& text) {
    auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    return json.is_discarded() ? nlohmann::ordered_json(text) : json;
}

void show_json(const std::string& path, const PictureFacts& facts) {
    nlohmann::ordered_json json{
        {"path", path},
        {"format", to_string(facts.format)},
        {"bytes", facts.bytes},
        {"width", facts.image.width},
        {"height", facts.image.height},
        {"channels", facts.image.channels},
    };
    const Infotext text = parse_infotext(facts.metadata.parameters);
    if (!facts.metadata.parameters.empty()) {
        json["prompt"] = text.prompt;
        json["negative_prompt"] = text.negative_prompt;
        auto& parameters = json["parameters"] = nlohmann::ordered_json::object();
        for (const auto& [key, value] : text.parameters) {
            parameters[key] = value;
        }
        json["parameters_text"] = facts.metadata.parameters;
    }
    if (!facts.metadata.tessera_json.empty()) {
        json["tessera"] = as_json(facts.metadata.tessera_json);
    }
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void show_line(const std::string& name, const std::string& value) {
    constexpr int kNameColumns = 20;
    std::printf("%s\n", fmt::format("{:<{}}{}", name, kNameColumns, printable_line(value)).c_str());
}

void show_text(const std::string& path, const PictureFacts& facts) {
    show_line("file", path);
    show_line(
        "picture",
        fmt::format(
            "{}, {}x{}{}, {}",
            to_string(facts.format),
            facts.image.width,
            facts.image.height,
            facts.image.channels == 4 ? " with transparency" : "",
            format_bytes(facts.bytes)
        )
    );
    if (facts.metadata.parameters.empty() && facts.metadata.tessera_json.empty()) {
        show_line("made with", "not known: the file says nothing of it");
        return;
    }
    const Infotext text = parse_infotext(facts.metadata.parameters);
    show_line("prompt", text.prompt);
    if (!text.negative_prompt.empty()) {
        show_line("negative prompt", text.negative_prompt);
    }
    for (const auto& [key, value] : text.parameters) {
        show_line(printable_line(key), value);
    }
    if (!facts.metadata.tessera_json.empty()) {
        show_line("tessera", facts.metadata.tessera_json);
    }
}

}  // namespace

void add_info(CLI::App& program, Action& action) {
    struct Options {
        std::string picture;
        bool json = false;
    };
    auto* command = program.add_subcommand("info", "Show what a picture says of how it was made");
    auto options = std::make_shared<Options>();
    command->add_option("IMAGE", options->picture, "A PNG, JPEG or WebP")->required();
    command->add_flag("--json", options->json, "Show it as JSON");
    command->footer(
        "Examples:\n"
        "  tessera info a-lighthouse-by-the-sea-42.png\n"
        "  tessera info picture.webp --json | jq .tessera"
    );
    command->callback([options, &action] {
        action = [options]() -> Result<ExitCode> {
            TESSERA_ASSIGN(const auto facts, read_facts(options->picture));
            options->json ? show_json(options->picture, facts) : show_text(options->picture, facts);
            return ExitCode::kDone;
        };
    });
}

}  // namespace tessera::cli
