#include "base/utf8.h"
#include "tessera/commands.h"
#include "tessera/installed_models.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace tessera::cli {
namespace {

void print(const std::string& line) {
    std::printf("%s\n", printable_line(line).c_str());
}

nlohmann::ordered_json to_json(const InstalledModel& model) {
    nlohmann::ordered_json json{{"name", model.name}, {"folder", model.folder.string()}};
    json["shipped"] = model.shipped;
    if (!model.found) {
        json["usable"] = false;
        json["problem"] = model.found.error().message;
        return json;
    }
    const auto& [info, weights] = *model.found;
    json["usable"] = true;
    json["title"] = info.title;
    json["family"] = info.family;
    json["native_width"] = info.native_width;
    json["native_height"] = info.native_height;
    json["precision"] = weights.precision;
    json["bytes"] = weights.bytes;
    json["recommended"] = {
        {"sampler", info.recommended.sampler},
        {"steps", info.recommended.steps},
        {"cfg", info.recommended.guidance_scale},
    };
    json["example_prompts"] = info.example_prompts;
    return json;
}

std::string dump(const nlohmann::ordered_json& json) {
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string row(
    std::size_t name_columns,
    const std::string& name,
    const std::string& family,
    const std::string& size,
    const std::string& precision,
    const std::string& bytes,
    const std::string& title
) {
    return fmt::format(
        "{}  {:<8}  {:<9}  {:<9}  {:>7}  {}",
        fit_to_width(printable_line(name), name_columns),
        family,
        size,
        precision,
        bytes,
        title
    );
}

void show_list(const Locations& locations, const std::vector<InstalledModel>& models) {
    std::size_t name_columns = std::string_view("name").size();
    for (const InstalledModel& model : models) {
        name_columns = std::max(name_columns, display_width(model.name));
    }
    if (!models.empty()) {
        print(row(name_columns, "name", "family", "size", "precision", "weights", "title"));
    }
    for (const InstalledModel& model : models) {
        if (!model.found) {
            print(fmt::format(
                "{}  not usable: {}",
                fit_to_width(printable_line(model.name), name_columns),
                model.found.error().message
            ));
            continue;
        }
        const auto& [info, weights] = *model.found;
        print(
            row(name_columns,
                model.name,
                info.family,
                fmt::format("{}x{}", info.native_width, info.native_height),
                weights.precision,
                format_bytes(weights.bytes),
                info.title)
        );
    }
    std::string places;
    for (const auto& folder : locations.models) {
        places += fmt::format("{}{}", places.empty() ? "" : " or ", folder.string());
    }
    if (::isatty(STDOUT_FILENO) == 1) {
        print("");
        print(fmt::format("Further models (folders in diffusers layout) go into {}.", places));
        print("`tessera models NAME` shows all of one, and the words that it knows.");
    }
}

Status show_one(const InstalledModel& model, bool json) {
    if (!model.found) {
        return tl::unexpected(model.found.error());
    }
    TESSERA_ASSIGN(const auto vocabulary, model_vocabulary(model.folder));
    if (json) {
        auto whole = to_json(model);
        whole["vocabulary"] = vocabulary;
        std::printf("%s\n", dump(whole).c_str());
        return {};
    }
    const auto& [info, weights] = *model.found;
    print(fmt::format("{}: {}", model.name, info.title));
    print(fmt::format("  folder       {}", model.folder.string()));
    print(fmt::format("  family       {}", info.family));
    print(fmt::format("  native size  {}x{}", info.native_width, info.native_height));
    print(fmt::format("  weights      {} in {}", format_bytes(weights.bytes), weights.precision));
    print(fmt::format(
        "  recommended  {} steps of {}, cfg {}",
        info.recommended.steps,
        info.recommended.sampler,
        info.recommended.guidance_scale
    ));
    if (!vocabulary.empty()) {
        print("");
        print("The words it knows:");
        for (const std::string& line : vocabulary) {
            print("  " + line);
        }
    }
    if (!info.example_prompts.empty()) {
        print("");
        print("Prompts to try:");
        for (const std::string& prompt : info.example_prompts) {
            print(fmt::format("  tessera render \"{}\" -m {}", prompt, model.name));
        }
    }
    return {};
}

}  // namespace

void add_models(CLI::App& program, Action& action) {
    struct Options {
        std::string name;
        bool json = false;
    };
    auto* command = program.add_subcommand("models", "List the installed models");
    auto options = std::make_shared<Options>();
    command->add_option("NAME", options->name, "Show all of this one, and the words it knows");
    command->add_flag("--json", options->json, "Show it as JSON");
    command->footer(
        "Examples:\n"
        "  tessera models\n"
        "  tessera models tessera-tiny\n\n"
        "Models are folders in diffusers layout: model_index.json beside unet/, vae/ and so on.\n"
        "They are looked for in $TESSERA_MODELS or ~/.local/share/tessera/models, and in what is\n"
        "shipped with the program."
    );
    command->callback([options, &action] {
        action = [options]() -> Result<ExitCode> {
            const Locations locations = find_locations();
            if (!options->name.empty()) {
                TESSERA_ASSIGN(const auto folder, find_model(locations, options->name));
                TESSERA_TRY(show_one(inspect_model(locations, folder), options->json));
                return ExitCode::kDone;
            }
            const auto models = installed_models(locations);
            if (options->json) {
                nlohmann::ordered_json json{{"models", nlohmann::ordered_json::array()}};
                for (const InstalledModel& model : models) {
                    json["models"].push_back(to_json(model));
                }
                std::printf("%s\n", dump(json).c_str());
            } else {
                show_list(locations, models);
            }
            return ExitCode::kDone;
        };
    });
}

}  // namespace tessera::cli
