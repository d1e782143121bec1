#include "base/utf8.h"

#include <utf8proc.h>

#include <algorithm>

namespace tessera {
namespace {

struct Character {
    std::size_t bytes;
    std::size_t columns;
    bool valid;
};

Character first_character(std::string_view text) {
    utf8proc_int32_t code = 0;
    const auto length = utf8proc_iterate(
        reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
        static_cast<utf8proc_ssize_t>(text.size()),
        &code
    );
    if (length < 1) {
        return {1, 1, false};
    }
    return {
        static_cast<std::size_t>(length),
        static_cast<std::size_t>(std::max(0, utf8proc_charwidth(code))),
        true,
    };
}

}  // namespace

Status check_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Character next = first_character(text.substr(at));
        if (!next.valid) {
            return fail(
                ErrorKind::kInvalidArgument,
                "byte {} (0x{:02x}) is not valid UTF-8",
                at,
                static_cast<unsigned char>(text[at])
            );
        }
        at += next.bytes;
    }
    return {};
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character next = first_character(text);
        columns += next.columns;
        text.remove_prefix(next.bytes);
    }
    return columns;
}

std::string fit_to_width(std::string_view text, std::size_t columns) {
    const std::size_t width = display_width(text);
    if (width <= columns) {
        return std::string(text) + std::string(columns - width, ' ');
    }
    std::string fitted;
    std::size_t used = 0;
    while (!text.empty()) {
        const Character next = first_character(text);
        if (used + next.columns + 1 > columns) {
            break;
        }
        fitted += text.substr(0, next.bytes);
        used += next.columns;
        text.remove_prefix(next.bytes);
    }
    if (used < columns) {
        fitted += "…";
        ++used;
    }
    return fitted + std::string(columns - used, ' ');
}

}  // namespace tessera
