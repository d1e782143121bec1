#include "checkpoint/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace tessera {

std::string in_quotes(std::string_view name) {
    constexpr std::size_t kShown = 200;
    if (name.size() <= kShown) {
        return fmt::format("{:?}", name);
    }
    return fmt::format(
        "{:?}...{:?}", name.substr(0, kShown / 2), name.substr(name.size() - kShown / 2)
    );
}

bool is_plain_file_name(std::string_view name) {
    constexpr std::size_t kLongestFileName = 255;
    const auto is_harmless = [](char c) {
        const auto code = static_cast<unsigned char>(c);
        return code >= 0x20 && code != 0x7f && c != '/' && c != '\\';
    };
    return !name.empty() && name.size() <= kLongestFileName && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), is_harmless);
}

}  // namespace tessera
