#include "tessera/trace_chart.h"

#include "base/utf8.h"
#include "tessera/quantity.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <type_traits>
#include <utility>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kWidestLabel = 32;
constexpr std::size_t kLeastBar = 8;
constexpr std::size_t kWidestBar = 60;
/// A century in seconds: what a stranger may say at most.
constexpr double kLongest = 100.0 * 365.25 * 86'400.0;
constexpr std::size_t kEdges = 3;  ///< both of them, and the space before the words
constexpr std::string_view kColour = "\x1b[36m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kPlain = "\x1b[0m";

template <class T>
T field(const Json& object, const char* name, T otherwise) {
    if (!object.is_object() || !object.contains(name)) {
        return otherwise;
    }
    const Json& value = object[name];
    if constexpr (std::is_same_v<T, std::string>) {
        return value.is_string() ? value.get<std::string>() : otherwise;
    } else if constexpr (std::is_same_v<T, bool>) {
        return value.is_boolean() ? value.get<bool>() : otherwise;
    } else if constexpr (std::is_integral_v<T>) {
        return value.is_number_integer() ? value.get<T>() : otherwise;
    } else {
        return value.is_number() ? value.get<T>() : otherwise;
    }
}

double moment(const Json& object, const char* name, double otherwise) {
    return std::clamp(field(object, name, otherwise), 0.0, kLongest);
}

Json attributes_of(const Json& span) {
    return span.is_object() && span.contains("attributes") ? span["attributes"] : Json();
}

std::string words_of(const Json& span, const ChartRow& row, bool goes_on) {
    const Json attributes = attributes_of(span);
    std::string words = short_time(row.end - row.begin);
    const auto add = [&](const std::string& more) { words += more.empty() ? "" : "  " + more; };
    add(goes_on ? "so far" : "");
    add(field<std::string>(attributes, "tessera.worker", {}));
    const auto outcome = field<std::string>(attributes, "tessera.outcome", {});
    add(outcome == "done" ? "" : outcome);
    if (const int steps = field(attributes, "tessera.steps", 0); steps > 0) {
        add(fmt::format("at step {}/{}", field(attributes, "tessera.step", 0), steps));
    }
    add(field<std::string>(span, "error", {}));
    return words;
}

ChartRow row_of(const Json& span, double until) {
    ChartRow row;
    const auto name = field<std::string>(span, "name", "?");
    row.label = name;
    const Json attributes = attributes_of(span);
    if (attributes.is_object() && attributes.contains("tessera.unit")) {
        row.label += fmt::format(" {}", field(attributes, "tessera.unit", 0) + 1);
    }
    row.begin = moment(span, "begin", 0.0);
    row.end = std::max(row.begin, moment(span, "end", until));
    row.waits = name == "wait" || name == "pause" || name == "hand over" ||
                name == "before the restart" || name == "not recorded";
    row.failed = !field<std::string>(span, "error", {}).empty();
    row.words = words_of(span, row, !span.contains("end"));
    return row;
}

std::string bar_of(const ChartRow& row, double seconds, std::size_t width, const Terminal& look) {
    const double cells = static_cast<double>(width);
    const auto at = [&](double moment) {
        const double share = seconds > 0.0 ? std::clamp(moment / seconds, 0.0, 1.0) : 0.0;
        return static_cast<std::size_t>(std::lround(share * cells));
    };
    const std::size_t from = std::min(at(row.begin), width - 1);
    const std::size_t to = std::clamp(at(row.end), from + 1, width);
    const std::string_view cell = look.unicode ? (row.waits ? "░" : "█") : (row.waits ? "." : "#");
    std::string filled;
    for (std::size_t i = from; i < to; ++i) {
        filled += cell;
    }
    if (look.colour) {
        const std::string_view colour = row.failed ? kRed : row.waits ? kDim : kColour;
        filled = fmt::format("{}{}{}", colour, filled, kPlain);
    }
    return fmt::format(
        "{}{}{}{}{}",
        look.unicode ? "▕" : "|",
        std::string(from, ' '),
        filled,
        std::string(width - to, ' '),
        look.unicode ? "▏" : "|"
    );
}

std::string without_end_spaces(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

std::string fitted(const std::string& text, std::size_t columns) {
    return display_width(text) > columns ? fit_to_width(text, columns) : text;
}

}  // namespace

std::string short_time(double seconds) {
    if (seconds < 0.9995) {
        return fmt::format("{:.0f} ms", seconds * 1000.0);
    }
    return seconds < 9.995 ? fmt::format("{:.2f} s", seconds) : format_seconds(seconds);
}

TraceChart read_trace(std::string_view json) {
    const Json trace = Json::parse(json, nullptr, false);
    TraceChart chart;
    if (!trace.is_object() || !trace.contains("spans") || !trace["spans"].is_array()) {
        return chart;
    }
    chart.seconds = moment(trace, "seconds", 0.0);
    chart.headline = fmt::format(
        "job {}  {}{}  trace {}",
        field<std::string>(trace, "job", {}),
        short_time(chart.seconds),
        field(trace, "has_ended", true) ? "" : " so far",
        field<std::string>(trace, "trace_id", {})
    );
    // Parts stand below what they are a part of, in the order of the answer.
    std::map<std::string, std::vector<std::size_t>> parts;
    std::map<std::string, std::size_t> known;
    std::vector<std::size_t> firsts;
    const Json& spans = trace["spans"];
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const auto parent = field<std::string>(spans[i], "parent", {});
        const bool is_part = known.contains(parent);
        (is_part ? parts[parent] : firsts).push_back(i);
        known.emplace(field<std::string>(spans[i], "id", {}), i);
    }
    std::vector<std::pair<std::size_t, std::size_t>> waiting;  // span and depth, the next one last
    for (auto first = firsts.rbegin(); first != firsts.rend(); ++first) {
        waiting.emplace_back(*first, 0);
    }
    while (!waiting.empty()) {
        const auto [index, depth] = waiting.back();
        waiting.pop_back();
        ChartRow row = row_of(spans[index], chart.seconds);
        row.depth = depth;
        chart.rows.push_back(std::move(row));
        const auto id = field<std::string>(spans[index], "id", {});
        const bool is_first_of_its_name = known[id] == index;
        const auto found = parts.find(id);
        if (found != parts.end() && is_first_of_its_name) {
            for (auto part = found->second.rbegin(); part != found->second.rend(); ++part) {
                waiting.emplace_back(*part, depth + 1);
            }
        }
    }
    return chart;
}

std::vector<std::string> chart_lines(
    const TraceChart& chart, std::size_t columns, const Terminal& terminal
) {
    const bool is_bounded = columns > 0;
    std::vector<std::string> labels;
    std::size_t widest = 0;
    for (const ChartRow& row : chart.rows) {
        labels.push_back(
            std::string(2 * std::min<std::size_t>(row.depth, 8), ' ') + printable_line(row.label)
        );
        widest = std::max(widest, display_width(labels.back()));
    }
    widest = std::min(widest, kWidestLabel);
    const std::size_t room =
        is_bounded ? columns - std::min(columns, widest + kEdges) : 2 * kWidestBar;
    const std::size_t bar = std::clamp(room / 2, kLeastBar, kWidestBar);
    const bool has_bars = !is_bounded || widest + kEdges + kLeastBar <= columns;

    std::vector<std::string> lines;
    const std::string headline = printable_line(chart.headline);
    lines.push_back(is_bounded ? fitted(headline, columns) : headline);
    for (std::size_t i = 0; i < chart.rows.size(); ++i) {
        const ChartRow& row = chart.rows[i];
        if (!has_bars) {
            lines.push_back(fitted(labels[i] + "  " + printable_line(row.words), columns));
            continue;
        }
        std::string words = printable_line(row.words);
        if (is_bounded) {
            words = fitted(words, columns - (widest + kEdges + bar));
        }
        lines.push_back(without_end_spaces(fmt::format(
            "{}{} {}",
            fit_to_width(labels[i], widest),
            bar_of(row, chart.seconds, bar, terminal),
            words
        )));
    }
    return lines;
}

}  // namespace tessera::cli
