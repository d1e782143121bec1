#include "inference/system_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace tessera {
namespace {

constexpr auto kUnknown = std::numeric_limits<std::uint64_t>::max();

/// The number after `word` in a file of lines "word number ...".
std::optional<std::uint64_t> number_after(const char* path, const std::string& word) {
    std::ifstream file(path);
    std::string found;
    std::uint64_t number = 0;
    for (std::string rest; file >> found; std::getline(file, rest)) {
        if (found == word) {
            return file >> number ? std::optional(number) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_in(const char* path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    return file >> number ? std::optional(number) : std::nullopt;
}

std::uint64_t left_by_control_group() {
    const auto limit = number_in("/sys/fs/cgroup/memory.max");
    const auto used = number_in("/sys/fs/cgroup/memory.current");
    if (!limit || !used) {
        return kUnknown;
    }
    // Pages of files not lately read count as used but make room on demand.
    const auto reclaimable =
        number_after("/sys/fs/cgroup/memory.stat", "inactive_file").value_or(0);
    const std::uint64_t kept = *used - std::min(*used, reclaimable);
    return *limit - std::min(*limit, kept);
}

}  // namespace

std::uint64_t available_memory() {
    const auto kibibytes = number_after("/proc/meminfo", "MemAvailable:");
    return std::min(kibibytes ? *kibibytes * 1024 : kUnknown, left_by_control_group());
}

}  // namespace tessera
