#include "tessera/progress_line.h"

#include "base/utf8.h"
#include "tessera/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace tessera::cli {
namespace {

constexpr std::size_t kBarColumns = 20;
constexpr std::size_t kLeastCaption = 8;
constexpr std::string_view kColour = "\x1b[36m";
constexpr std::string_view kPlain = "\x1b[0m";

/// Eighths of a cell, so that the bar moves with every step.
std::string unicode_bar(double done) {
    constexpr std::array<std::string_view, 8> kParts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto eighths = static_cast<std::size_t>(done * static_cast<double>(kBarColumns * 8));
    const std::size_t full = eighths / 8;
    std::string bar;
    for (std::size_t i = 0; i < full; ++i) {
        bar += "█";
    }
    bar += kParts.at(eighths % 8);
    const std::size_t filled = full + (eighths % 8 == 0 ? 0 : 1);
    return bar + std::string(kBarColumns - filled, ' ');
}

std::string ascii_bar(double done) {
    const auto full = static_cast<std::size_t>(done * static_cast<double>(kBarColumns));
    return std::string(full, '#') + std::string(kBarColumns - full, '.');
}

std::string bar(const ProgressState& state, const Terminal& terminal) {
    const double done =
        std::clamp(static_cast<double>(state.step) / static_cast<double>(state.steps), 0.0, 1.0);
    const std::string cells = terminal.unicode ? unicode_bar(done) : ascii_bar(done);
    const std::string_view edge = terminal.unicode ? "▕" : "[";
    const std::string_view other_edge = terminal.unicode ? "▏" : "]";
    return terminal.colour ? fmt::format("{}{}{}{}{}", edge, kColour, cells, kPlain, other_edge)
                           : fmt::format("{}{}{}", edge, cells, other_edge);
}

}  // namespace

std::string format_rate(double steps_per_second) {
    return steps_per_second >= 1.0 ? fmt::format("{:.1f} it/s", steps_per_second)
                                   : fmt::format("{:.1f} s/it", 1.0 / steps_per_second);
}

std::string progress_words(const ProgressState& state) {
    std::string words;
    if (state.pictures > 1) {
        words = fmt::format("picture {}/{} ", state.picture, state.pictures);
    }
    words += state.phase;
    if (state.steps == 0) {
        return words;
    }
    words +=
        fmt::format(" {:>{}}/{}", state.step, fmt::formatted_size("{}", state.steps), state.steps);
    if (state.steps_per_second) {
        words += ", " + format_rate(*state.steps_per_second);
    }
    if (state.seconds_left) {
        words += fmt::format(", {} left", format_seconds(*state.seconds_left));
    }
    return words;
}

std::string progress_line(
    const ProgressState& state, std::size_t columns, const Terminal& terminal
) {
    const std::string words = progress_words(state);
    const std::size_t words_columns = display_width(words);
    if (words_columns >= columns) {
        return fit_to_width(words, columns);
    }
    std::string line;
    std::size_t used = words_columns;
    constexpr std::size_t kBarAndEdges = kBarColumns + 3;
    if (state.steps > 0 && used + kBarAndEdges <= columns) {
        line = bar(state, terminal) + " ";
        used += kBarAndEdges;
    }
    line += words;
    // The caption starts where the longest words end, so that it does not jump about.
    constexpr std::size_t kUsualWords = 44;
    const std::size_t gap = words_columns < kUsualWords ? kUsualWords - words_columns : 2;
    if (!state.caption.empty() && used + gap + kLeastCaption <= columns) {
        line += std::string(gap, ' ') + fit_to_width(state.caption, columns - used - gap);
    }
    return line;
}

}  // namespace tessera::cli
