#include "base/utf8.h"
#include "tessera/commands.h"
#include "tessera/diagnosis.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace tessera::cli {
namespace {

struct VerdictWords {
    const char* shown;
    const char* colour;
    const char* json;
};

const VerdictWords& words_of(Finding::Verdict verdict) {
    static constexpr std::array<VerdictWords, 3> kWords{{
        {"ok  ", "\x1b[32m", "good"},
        {"weak", "\x1b[33m", "weak"},
        {"MISS", "\x1b[31m", "missing"},
    }};
    return kWords.at(static_cast<std::size_t>(verdict));
}

void show_json(const std::vector<Finding>& findings, bool healthy) {
    nlohmann::ordered_json json{
        {"healthy", healthy}, {"findings", nlohmann::ordered_json::array()}};
    for (const Finding& finding : findings) {
        json["findings"].push_back({
            {"subject", finding.subject},
            {"verdict", words_of(finding.verdict).json},
            {"detail", finding.detail},
            {"mend", finding.mend},
        });
    }
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void show_text(const std::vector<Finding>& findings, bool healthy) {
    const bool colour = look_at_terminal(STDOUT_FILENO).colour;
    std::size_t columns = 0;
    for (const Finding& finding : findings) {
        columns = std::max(columns, display_width(printable_line(finding.subject)));
    }
    for (const Finding& finding : findings) {
        const VerdictWords& words = words_of(finding.verdict);
        std::printf(
            "%s%s%s  %s  %s\n",
            colour ? words.colour : "",
            words.shown,
            colour ? "\x1b[0m" : "",
            fit_to_width(printable_line(finding.subject), columns).c_str(),
            printable_line(finding.detail).c_str()
        );
        if (!finding.mend.empty()) {
            std::printf(
                "      %s  mend: %s\n",
                std::string(columns, ' ').c_str(),
                printable_line(finding.mend).c_str()
            );
        }
    }
    std::printf(
        "\n%s\n",
        healthy ? "Ready to render: tessera render \"a lighthouse by the sea at dawn\""
                : "Something that rendering needs is missing; see above."
    );
}

}  // namespace

void add_doctor(CLI::App& program, Action& action) {
    auto* command = program.add_subcommand(
        "doctor", "Look at what rendering needs: what is found, what is missing, the mend"
    );
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "Show it as JSON");
    command->footer("Exit code 1 when something needed is missing.");
    command->callback([json, &action] {
        action = [json]() -> Result<ExitCode> {
            const auto findings = diagnose(find_locations());
            const bool healthy =
                std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
                    return finding.verdict == Finding::Verdict::kMissing;
                });
            *json ? show_json(findings, healthy) : show_text(findings, healthy);
            return healthy ? ExitCode::kDone : ExitCode::kFailed;
        };
    });
}

}  // namespace tessera::cli
