// Checks reference tensors: tessera-goldens [--merges FILE] FOLDER
// Prints, per tensor, the largest error against its tolerance, then one summary line. Exit code 1
// if any fails or none was checked, 2 for wrong use.

#include "goldens/network_goldens.h"

#include <cstdio>
#include <string>

namespace {

const char* status_word(tessera::GoldenStatus status) {
    switch (status) {
        case tessera::GoldenStatus::kPass:
            return "ok";
        case tessera::GoldenStatus::kFail:
            return "FAIL";
        case tessera::GoldenStatus::kNotBuilt:
            return "not built yet";
    }
    return "";
}

int run(const std::filesystem::path& folder, const std::filesystem::path& merges) {
    auto engine = tessera::Engine::create({});
    if (!engine) {
        fmt::print(stderr, "tessera-goldens: {}\n", engine.error().message);
        return 1;
    }
    const auto rows = tessera::check_all(folder, {*engine, merges});
    int passed = 0;
    int failed = 0;
    int not_built = 0;
    for (const auto& row : rows) {
        fmt::print(
            "{:<24} {:<52} {:>9.2e} of {:>8.2e}  {}{}{}\n",
            row.golden,
            row.tensor,
            row.error,
            row.tolerance,
            status_word(row.status),
            row.note.empty() ? "" : ": ",
            row.note
        );
        passed += row.status == tessera::GoldenStatus::kPass ? 1 : 0;
        failed += row.status == tessera::GoldenStatus::kFail ? 1 : 0;
        not_built += row.status == tessera::GoldenStatus::kNotBuilt ? 1 : 0;
    }
    if (rows.empty()) {
        fmt::print(stderr, "tessera-goldens: no folder with a case.json in {}\n", folder.string());
    }
    fmt::print("goldens: {} passed, {} failed, {} not built yet\n", passed, failed, not_built);
    return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::filesystem::path folder;
    std::filesystem::path merges = TESSERA_CLIP_MERGES;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--merges" && i + 1 < argc) {
            merges = argv[++i];
        } else if (!argument.starts_with("--") && folder.empty()) {
            folder = argument;
        } else {
            folder.clear();
            break;
        }
    }
    if (folder.empty()) {
        fmt::print(stderr, "usage: tessera-goldens [--merges clip_merges.txt] FOLDER\n");
        return 2;
    }
    return run(folder, merges);
}
