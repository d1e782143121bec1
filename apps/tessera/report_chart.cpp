#include "tessera/report_chart.h"

#include "base/utf8.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"
#include "tessera/trace_chart.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;

Json part(const Json& json, const char* name) {
    const auto found = json.is_object() ? json.find(name) : json.end();
    return json.is_object() && found != json.end() ? *found : Json();
}

double number(const Json& json, const char* name) {
    const Json found = part(json, name);
    return found.is_number() ? found.get<double>() : 0.0;
}

std::string count(const Json& json, const char* name) {
    return fmt::format("{:.0f}", number(json, name));
}

std::string text(const Json& json, const char* name) {
    const Json found = part(json, name);
    return found.is_string() ? printable_line(found.get<std::string>()) : std::string();
}

std::vector<Json> list(const Json& json, const char* name) {
    const Json found = part(json, name);
    return found.is_array() ? std::vector<Json>(found.begin(), found.end()) : std::vector<Json>();
}

/// "2026-11-24T08:05:00.000Z" as "2026-11-24 08:05".
std::string minute(const std::string& time) {
    constexpr std::size_t kDay = 10;
    constexpr std::size_t kMinute = 16;
    return time.size() < kMinute
               ? time
               : time.substr(0, kDay) + " " + time.substr(kDay + 1, kMinute - kDay - 1);
}

using Row = std::vector<std::string>;

/// The first row is the head; the first column is words, the others are numbers.
void add_table(std::vector<std::string>& lines, const std::vector<Row>& rows) {
    constexpr std::size_t kWidest = 60;
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::min(kWidest, std::max(widths[i], display_width(row[i])));
        }
    }
    for (const Row& row : rows) {
        std::string line = "  " + fit_to_width(row[0], widths[0]);
        for (std::size_t i = 1; i < row.size(); ++i) {
            const std::size_t width = display_width(row[i]);
            line += "  " + std::string(widths[i] - std::min(width, widths[i]), ' ') + row[i];
        }
        lines.push_back(std::move(line));
    }
}

Row percentiles_row(const char* name, const Json& times) {
    Row row{name, count(times, "count")};
    for (const char* each : {"p50", "p90", "p99", "max", "mean"}) {
        row.push_back(short_time(number(times, each)));
    }
    return row;
}

std::string escaped(const std::string& words) {
    std::string safe;
    for (const char c : words) {
        switch (c) {
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '&':
                safe += "&amp;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

// All in user units of the drawing.
constexpr double kWidth = 960.0;
constexpr double kLeft = 72.0;
constexpr double kPlot = 860.0;
constexpr double kPanelHeight = 120.0;
constexpr double kPanelStep = 178.0;
constexpr double kFirstPanel = 112.0;

struct Series {
    const char* colour;
    std::vector<double> values;
};

struct Panel {
    std::string title;
    std::vector<Series> stacked;
    double (*scale)(double most);  ///< where its axis ends, not less than `most`
    std::string (*label)(double value);
};

/// The next of 1, 2, 5, 10, 20, ... that is not less.
double round_up(double value) {
    if (value <= 0.0) {
        return 1.0;
    }
    const double power = std::pow(10.0, std::floor(std::log10(value)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (value <= factor * power * (1.0 + 1e-9)) {
            return factor * power;
        }
    }
    return 10.0 * power;
}

/// The same of seconds, in the steps of a clock.
double round_up_time(double seconds) {
    constexpr double kSecond = 10.0;
    constexpr double kHour = 3600.0;
    if (seconds <= kSecond) {
        return round_up(seconds);
    }
    for (const double step : {20.0, 30.0, 60.0, 120.0, 240.0, 600.0, 1200.0, 1800.0, kHour}) {
        if (seconds <= step) {
            return step;
        }
    }
    return round_up(seconds / kHour) * kHour;
}

std::string plain_label(double value) {
    return fmt::format("{:g}", value);
}

/// "500 ms", "15 s", "5 min", "2 h"
std::string time_label(double seconds) {
    if (seconds == 0.0) {
        return "0";
    }
    if (seconds < 1.0) {
        return fmt::format("{:g} ms", seconds * 1000.0);
    }
    if (seconds < 60.0) {
        return fmt::format("{:g} s", seconds);
    }
    return seconds < 3600.0 ? fmt::format("{:g} min", seconds / 60.0)
                            : fmt::format("{:g} h", seconds / 3600.0);
}

void draw_panel(std::string& svg, const Panel& panel, double top) {
    const std::size_t slices = panel.stacked.front().values.size();
    double most = 0.0;
    for (std::size_t i = 0; i < slices; ++i) {
        double sum = 0.0;
        for (const Series& series : panel.stacked) {
            sum += series.values[i];
        }
        most = std::max(most, sum);
    }
    const double scale = panel.scale(most);
    const double bottom = top + kPanelHeight;
    const auto out = std::back_inserter(svg);
    fmt::format_to(
        out,
        "<text x=\"{}\" y=\"{}\" font-weight=\"600\">{}</text>\n",
        kLeft,
        top - 12.0,
        panel.title
    );
    for (const double share : {0.0, 0.5, 1.0}) {
        const double y = bottom - share * kPanelHeight;
        fmt::format_to(
            out,
            "<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{1}\" stroke=\"#dfe3e8\"/>\n"
            "<text x=\"{3}\" y=\"{4}\" text-anchor=\"end\" fill=\"#5b6570\">{5}</text>\n",
            kLeft,
            y,
            kLeft + kPlot,
            kLeft - 8.0,
            y + 4.0,
            panel.label(share * scale)
        );
    }
    const double step = kPlot / static_cast<double>(std::max<std::size_t>(slices, 1));
    for (std::size_t i = 0; i < slices; ++i) {
        double y = bottom;
        for (const Series& series : panel.stacked) {
            const double height = kPanelHeight * series.values[i] / scale;
            y -= height;
            if (height > 0.0) {
                fmt::format_to(
                    out,
                    "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
                    "fill=\"{}\"/>\n",
                    kLeft + static_cast<double>(i) * step,
                    y,
                    step * 0.86,
                    height,
                    series.colour
                );
            }
        }
    }
}

/// Below a panel: when.
void draw_times(std::string& svg, const std::vector<Json>& slices, const Json& report, double y) {
    constexpr std::size_t kLabels = 4;
    const auto label = [&](double x, const char* anchor, const std::string& words) {
        fmt::format_to(
            std::back_inserter(svg),
            "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"#5b6570\">{}</text>\n",
            x,
            y,
            anchor,
            escaped(words)
        );
    };
    for (std::size_t i = 0; i < kLabels && !slices.empty(); ++i) {
        const std::size_t at = i * slices.size() / kLabels;
        const double x =
            kLeft + kPlot * static_cast<double>(at) / static_cast<double>(slices.size());
        label(x, i == 0 ? "start" : "middle", minute(text(slices[at], "begin")));
    }
    label(kLeft + kPlot, "end", minute(text(report, "to")));
}

std::vector<double> values_of(const std::vector<Json>& slices, const char* name, double factor) {
    std::vector<double> values;
    values.reserve(slices.size());
    for (const Json& slice : slices) {
        values.push_back(std::max(0.0, number(slice, name)) * factor);
    }
    return values;
}

}  // namespace

std::vector<std::string> report_lines(std::string_view json) {
    const Json report = Json::parse(json, nullptr, false);
    const Json jobs = part(report, "jobs");
    const Json retries = part(report, "retries");
    std::vector<std::string> lines;
    lines.push_back(
        fmt::format("From {} to {} (UTC)", minute(text(report, "from")), minute(text(report, "to")))
    );
    if (part(report, "is_complete") == Json(false)) {
        lines.emplace_back("There are more jobs than are counted here; take a shorter time.");
    }
    lines.emplace_back();
    lines.push_back(fmt::format(
        "Jobs      {} handed in: {} done, {} failed, {} cancelled; {} wait or run",
        count(jobs, "submitted"),
        count(jobs, "done"),
        count(jobs, "failed"),
        count(jobs, "cancelled"),
        count(jobs, "unfinished")
    ));
    lines.push_back(fmt::format("Pictures  {}", count(report, "pictures")));
    lines.push_back(fmt::format(
        "Retries   {} after failures of tasks, {} after losses of workers or stores",
        count(retries, "own"),
        count(retries, "infrastructure")
    ));
    lines.push_back(fmt::format(
        "Busy      {} of slots{}",
        format_seconds(number(report, "busy_seconds")),
        part(report, "utilisation").is_number()
            ? fmt::format(
                  ", {:.0f} % of those that are connected", 100.0 * number(report, "utilisation")
              )
            : ""
    ));
    lines.emplace_back();
    add_table(
        lines,
        {{"Times", "jobs", "median", "90 %", "99 %", "longest", "mean"},
         percentiles_row("wait", part(report, "wait")),
         percentiles_row("run", part(report, "run"))}
    );
    if (const auto failures = list(report, "failures"); !failures.empty()) {
        std::vector<Row> rows{{"Failures by reason", "tasks", "fault"}};
        for (const Json& each : failures) {
            rows.push_back({text(each, "reason"), count(each, "tasks"), text(each, "fault")});
        }
        if (number(report, "failures_left_out") > 0.0) {
            rows.push_back({"other reasons", count(report, "failures_left_out"), ""});
        }
        lines.emplace_back();
        add_table(lines, rows);
    }
    std::vector<Row> rows{{"Tenants", "jobs", "failed", "pictures", "work", "busy"}};
    for (const Json& each : list(report, "tenants")) {
        rows.push_back(
            {text(each, "tenant"),
             count(each, "jobs"),
             count(each, "failed_jobs"),
             count(each, "pictures"),
             fmt::format("{:.1f}", number(each, "cost")),
             format_seconds(number(each, "busy_seconds"))}
        );
    }
    if (rows.size() > 1) {
        lines.emplace_back();
        add_table(lines, rows);
    }
    return lines;
}

std::string report_svg(std::string_view json) {
    const Json report = Json::parse(json, nullptr, false);
    const auto slices = list(report, "slices");
    const double seconds =
        slices.empty() ? 0.0 : number(report, "seconds") / static_cast<double>(slices.size());
    const std::array<Panel, 3> panels{{
        {fmt::format("Pictures delivered, tasks failed (red), every {}", time_label(seconds)),
         {{"#3b7dd8", values_of(slices, "pictures", 1.0)},
          {"#d64545", values_of(slices, "failed_tasks", 1.0)}},
         round_up,
         plain_label},
        {"Wait before a job begins, mean",
         {{"#c98a1b", values_of(slices, "mean_wait", 1.0)}},
         round_up_time,
         time_label},
        {"Busy slots, mean",
         {{"#3a9a6b", values_of(slices, "busy_seconds", seconds > 0.0 ? 1.0 / seconds : 0.0)}},
         round_up,
         plain_label},
    }};
    const double height = kFirstPanel + kPanelStep * static_cast<double>(panels.size()) - 12.0;
    const Json jobs = part(report, "jobs");
    const Json wait = part(report, "wait");
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"12\" "
        "fill=\"#1d242b\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
        "<text x=\"{2}\" y=\"34\" font-size=\"19\" font-weight=\"600\">What the farm did, {3} to "
        "{4} UTC</text>\n"
        "<text x=\"{2}\" y=\"58\" fill=\"#5b6570\">{5} pictures; {6} jobs done, {7} failed, {8} "
        "cancelled; half waited less than {9}, one in a hundred more than {10}</text>\n",
        kWidth,
        height,
        kLeft,
        escaped(minute(text(report, "from"))),
        escaped(minute(text(report, "to"))),
        count(report, "pictures"),
        count(jobs, "done"),
        count(jobs, "failed"),
        count(jobs, "cancelled"),
        short_time(number(wait, "p50")),
        short_time(number(wait, "p99"))
    );
    double top = kFirstPanel;
    for (const Panel& panel : panels) {
        draw_panel(svg, panel, top);
        draw_times(svg, slices, report, top + kPanelHeight + 18.0);
        top += kPanelStep;
    }
    return svg + "</svg>\n";
}

}  // namespace tessera::cli
