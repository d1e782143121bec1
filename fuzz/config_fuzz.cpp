#include "config/load.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

/// Any text at all gives problems or a configuration, whose values, written as TOML, say the same
/// again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto loaded = tessera::load_config_text(text, "fuzz.toml");
    for (const auto& problem : loaded.problems) {
        if (problem.where.empty() || problem.message.empty()) {
            std::abort();
        }
    }
    std::string again;
    for (const auto& origin : loaded.origins) {
        again += origin.key + " = " + origin.value + "\n";
    }
    const auto reloaded = tessera::load_config_text(again, "again.toml");
    if (!(reloaded.config == loaded.config)) {
        std::abort();
    }
    return 0;
}
