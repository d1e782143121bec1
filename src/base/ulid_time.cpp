#include "base/ulid_time.h"

#include <cstddef>
#include <cstdint>

namespace tessera {

std::optional<WallTime> ulid_time(std::string_view id) {
    constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
    constexpr std::size_t kLength = 26;
    constexpr std::size_t kTimeDigits = 10;
    constexpr std::string_view kFirstDigits = "01234567";  // of 48 bits in 10 digits of 5
    if (id.size() != kLength || id.find_first_not_of(kDigits) != std::string_view::npos ||
        kFirstDigits.find(id.front()) == std::string_view::npos) {
        return std::nullopt;
    }
    std::int64_t milliseconds = 0;
    for (const char digit : id.substr(0, kTimeDigits)) {
        milliseconds = (milliseconds << 5) | static_cast<std::int64_t>(kDigits.find(digit));
    }
    return WallTime(std::chrono::milliseconds(milliseconds));
}

}  // namespace tessera
