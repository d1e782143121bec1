#include "imaging/xmp.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

namespace tessera {
namespace {

constexpr std::string_view kBefore =
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
    "<rdf:Description rdf:about=\"\" xmlns:tessera=\"urn:tessera:1.0\">"
    "<tessera:json>";
constexpr std::string_view kAfter = "</tessera:json></rdf:Description></rdf:RDF></x:xmpmeta>";

// A bare carriage return would be read back as a line feed, as XML has it.
constexpr std::array<std::pair<char, std::string_view>, 6> kEntities{{
    {'&', "&amp;"},
    {'<', "&lt;"},
    {'>', "&gt;"},
    {'"', "&quot;"},
    {'\'', "&apos;"},
    {'\r', "&#13;"},
}};

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (const char letter : text) {
        std::string_view written(&letter, 1);
        for (const auto& [character, entity] : kEntities) {
            if (letter == character) {
                written = entity;
            }
        }
        out += written;
    }
    return out;
}

/// The character that an entity such as "&#x0A;" stands for: one of those above, or an ASCII
/// character by number.
std::optional<char> character_of(std::string_view entity) {
    for (const auto& [character, known] : kEntities) {
        if (entity == known) {
            return character;
        }
    }
    if (!entity.starts_with("&#")) {
        return std::nullopt;
    }
    std::string_view digits = entity.substr(2, entity.size() - 3);
    const bool hexadecimal = digits.starts_with('x');
    digits.remove_prefix(hexadecimal ? 1 : 0);
    unsigned code = 0;
    const char* start = digits.data();
    const char* end = start + digits.size();
    const auto parsed = std::from_chars(start, end, code, hexadecimal ? 16 : 10);
    if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != end || code == 0 ||
        code > 0x7FU) {
        return std::nullopt;
    }
    return static_cast<char>(code);
}

std::optional<std::string> unescape(std::string_view text) {
    constexpr std::size_t kLongestEntity = 12;
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '&') {
            out += text[at];
            continue;
        }
        const std::size_t length = text.substr(at, kLongestEntity).find(';');
        if (length == std::string_view::npos) {
            return std::nullopt;
        }
        const auto character = character_of(text.substr(at, length + 1));
        if (!character) {
            return std::nullopt;
        }
        out += *character;
        at += length;
    }
    return out;
}

std::optional<std::string> between(
    std::string_view packet, std::string_view opening, std::string_view closing
) {
    const std::size_t start = packet.find(opening);
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view rest = packet.substr(start + opening.size());
    const std::size_t length = rest.find(closing);
    if (length == std::string_view::npos) {
        return std::nullopt;
    }
    return unescape(rest.substr(0, length));
}

}  // namespace

std::string write_xmp(std::string_view json) {
    std::string packet(kBefore);
    packet += escape(json);
    packet += kAfter;
    return packet;
}

std::optional<std::string> read_xmp(std::string_view packet) {
    if (auto element = between(packet, "<tessera:json>", "</tessera:json>")) {
        return element;
    }
    if (auto attribute = between(packet, "tessera:json=\"", "\"")) {
        return attribute;
    }
    return between(packet, "tessera:json='", "'");
}

}  // namespace tessera
