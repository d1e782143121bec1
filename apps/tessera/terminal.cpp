#include "tessera/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace tessera::cli {
namespace {

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        std::string value(environment(name));
        if (!value.empty()) {
            std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) {
                return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
            });
            return value.find("utf-8") != std::string::npos ||
                   value.find("utf8") != std::string::npos;
        }
    }
    return false;
}

/// U+0080 to U+009F, which terminals also take for controls.
bool is_c1_control(std::string_view rest) {
    return rest.size() >= 2 && rest[0] == '\xC2' && static_cast<unsigned char>(rest[1]) < 0xA0U;
}

/// U+202A to U+202E and U+2066 to U+2069: they turn the direction of what follows.
bool is_direction_control(std::string_view rest) {
    if (rest.size() < 3 || rest[0] != '\xE2') {
        return false;
    }
    const auto last = static_cast<unsigned char>(rest[2]);
    return (rest[1] == '\x80' && last >= 0xAAU && last <= 0xAEU) ||
           (rest[1] == '\x81' && last >= 0xA6U && last <= 0xA9U);
}

std::string without_controls(std::string_view text, bool keep_lines) {
    constexpr char kDelete = 0x7F;
    std::string shown;
    shown.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto rest = text.substr(i);
        if (c == '\n' && keep_lines) {
            shown += c;
        } else if (static_cast<unsigned char>(c) < ' ' || c == kDelete) {
            shown += ' ';
        } else if (is_c1_control(rest)) {
            shown += ' ';
            i += 1;
        } else if (is_direction_control(rest)) {
            i += 2;
        } else {
            shown += c;
        }
    }
    return shown;
}

}  // namespace

Terminal look_at_terminal(int file) {
    Terminal terminal;
    terminal.interactive = ::isatty(file) == 1 && environment("TERM") != "dumb";
    terminal.colour = terminal.interactive && environment("NO_COLOR").empty();
    terminal.unicode = locale_is_utf8();
    return terminal;
}

std::size_t terminal_columns(int file) {
    constexpr std::size_t kUsual = 80;
    winsize size{};
    return ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string printable(std::string_view text) {
    return without_controls(text, true);
}

std::string printable_line(std::string_view text) {
    return without_controls(text, false);
}

}  // namespace tessera::cli
