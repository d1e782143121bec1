#include "tessera/top_board.h"

#include "base/utf8.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace tessera::cli {
namespace {

using Look = BoardLine::Look;

struct Column {
    const char* name;
    bool is_number;
    std::size_t most;  ///< terminal columns; the last column takes what is left
};

const std::vector<Column>& columns_of(std::size_t pane) {
    static const std::array<std::vector<Column>, 3> columns{{
        {{"class", false, 11},
         {"tenant", false, 24},
         {"tasks", true, 9},
         {"work", true, 9},
         {"oldest", true, 14}},
        {{"worker", false, 26},
         {"state", false, 8},
         {"slots", true, 7},
         {"doing", false, 22},
         {"step/s", true, 7},
         {"memory", true, 8},
         {"done", true, 7},
         {"failed", true, 6},
         {"beat", true, 8},
         {"model", false, 22},
         {"last error", false, 200}},
        {{"job", false, 26},
         {"tenant", false, 16},
         {"class", false, 11},
         {"state", false, 9},
         {"done", true, 6},
         {"pictures", true, 9},
         {"prompt", false, 200}},
    }};
    return columns.at(pane);
}

constexpr std::array<const char*, 3> kTitles{"Queue", "Workers", "Jobs"};
constexpr std::array<const char*, 3> kEmpty{
    "nothing waits", "no worker is connected; tessera worker starts one", "no jobs run or wait"};
/// Lines of a pane beside its rows: title, head and an empty one.
constexpr std::size_t kPaneFrame = 3;
/// Above and below the panes.
constexpr std::size_t kBoardFrame = 4;
constexpr std::size_t kMostFilterLetters = 80;

constexpr auto kHelp = std::to_array<const char*>({
    "Tab, Shift-Tab   the next table, the one before",
    "Up, Down, j, k   the row below, above; PageUp, PageDown, Home, End too",
    "s, r             sort by the next column; the other way round",
    "/                show only rows with these letters; Escape shows all again",
    "d                drain the chosen worker: it ends what it has and leaves",
    "c                cancel the chosen job within a step",
    "p                hold the picture still; again: go on",
    "?                this help; any key ends it",
    "q, Ctrl-C        leave",
});

std::string lower(std::string_view text) {
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return lowered;
}

std::string padded(const std::string& text, std::size_t columns, bool right) {
    const std::size_t width = display_width(text);
    return right && width < columns ? std::string(columns - width, ' ') + text
                                    : fit_to_width(text, columns);
}

std::string doing(const FarmGlance::Worker& worker) {
    if (worker.tasks.empty()) {
        return worker.running > 0 ? fmt::format("{} tasks", worker.running) : "";
    }
    const FarmGlance::Task& first = worker.tasks.front();
    std::string words = first.stage.empty() ? "begins" : first.stage;
    if (first.steps > 0) {
        words += fmt::format(" {}/{}", first.step, first.steps);
    }
    return worker.tasks.size() > 1 ? words + fmt::format(" +{}", worker.tasks.size() - 1) : words;
}

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

void TopBoard::take(FarmGlance glance) {
    glance_ = std::move(glance);
    has_glance_ = true;
}

std::vector<TopBoard::Row> TopBoard::all_rows(Pane pane) const {
    const auto amount = [](std::size_t count) {
        return Cell{fmt::format("{}", count), static_cast<double>(count)};
    };
    std::vector<Row> rows;
    if (pane == kQueue) {
        for (const FarmGlance::Line& line : glance_.lines) {
            rows.push_back(
                {line.priority + "/" + line.tenant,
                 {{line.priority},
                  {line.tenant},
                  amount(line.tasks),
                  {fmt::format("{:.1f}", line.cost), line.cost},
                  {format_seconds(line.oldest_seconds), line.oldest_seconds}}}
            );
        }
    } else if (pane == kWorkers) {
        for (const FarmGlance::Worker& worker : glance_.workers) {
            rows.push_back(
                {worker.id,
                 {{worker.id},
                  {worker.state},
                  {fmt::format("{}/{}", worker.running, worker.slots),
                   static_cast<double>(worker.running)},
                  {doing(worker)},
                  {worker.steps_per_second > 0.0 ? fmt::format("{:.2f}", worker.steps_per_second)
                                                 : "",
                   worker.steps_per_second},
                  {format_bytes(worker.memory_bytes), static_cast<double>(worker.memory_bytes)},
                  amount(worker.done),
                  amount(worker.failed),
                  {format_seconds(worker.beat_seconds), worker.beat_seconds},
                  {joined(worker.models)},
                  {worker.last_error}},
                 worker.state == "silent"}
            );
        }
    } else {
        for (const FarmGlance::Job& job : glance_.jobs) {
            rows.push_back(
                {job.id,
                 {{job.id},
                  {job.tenant},
                  {job.priority},
                  {job.state},
                  {fmt::format("{:.0f} %", 100.0 * job.fraction), job.fraction},
                  {fmt::format("{}/{}", job.pictures_done, job.pictures),
                   static_cast<double>(job.pictures)},
                  {job.prompt}},
                 job.state == "failed"}
            );
        }
    }
    for (Row& row : rows) {
        for (Cell& cell : row.cells) {
            cell.text = printable_line(cell.text);
        }
    }
    return rows;
}

std::vector<TopBoard::Row> TopBoard::rows_of(Pane pane) const {
    std::vector<Row> rows = all_rows(pane);
    if (!filter_.empty()) {
        const std::string wanted = lower(filter_);
        rows.erase(
            std::remove_if(
                rows.begin(),
                rows.end(),
                [&](const Row& row) {
                    return std::none_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) {
                        return lower(cell.text).find(wanted) != std::string::npos;
                    });
                }
            ),
            rows.end()
        );
    }
    const View& view = views_.at(pane);
    // Numbers begin with the largest, words with the first.
    std::stable_sort(rows.begin(), rows.end(), [&](const Row& one, const Row& other) {
        const Cell& a = (view.reversed ? other : one).cells.at(view.sort);
        const Cell& b = (view.reversed ? one : other).cells.at(view.sort);
        return a.number && b.number ? *a.number > *b.number : a.text < b.text;
    });
    return rows;
}

std::string TopBoard::selected_id() const {
    const auto rows = rows_of(focus_);
    const View& view = views_.at(focus_);
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
        return row.id == view.selected;
    });
    if (found != rows.end()) {
        return found->id;
    }
    return rows.empty() ? std::string() : rows.at(std::min(view.at, rows.size() - 1)).id;
}

void TopBoard::move(std::ptrdiff_t by) {
    const auto rows = rows_of(focus_);
    if (rows.empty()) {
        return;
    }
    const std::string from = selected_id();
    std::ptrdiff_t at = 0;
    while (rows.at(static_cast<std::size_t>(at)).id != from) {
        ++at;
    }
    at = std::clamp<std::ptrdiff_t>(at + by, 0, std::ssize(rows) - 1);
    View& view = views_.at(focus_);
    view.at = static_cast<std::size_t>(at);
    view.selected = rows.at(view.at).id;
}

void TopBoard::type_filter(const Key& key) {
    if (key.kind == Key::Kind::kEscape) {
        filter_.clear();
        is_typing_ = false;
    } else if (key.kind == Key::Kind::kEnter) {
        is_typing_ = false;
    } else if (key.kind == Key::Kind::kBackspace) {
        while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xC0U) == 0x80U) {
            filter_.pop_back();
        }
        if (!filter_.empty()) {
            filter_.pop_back();
        }
    } else if (key.kind == Key::Kind::kCharacter && filter_.size() < kMostFilterLetters) {
        filter_ += printable_line(key.character);
    }
}

std::optional<BoardOrder> TopBoard::answer_question(const Key& key) {
    BoardOrder order = *std::exchange(asked_, std::nullopt);
    if (key.kind == Key::Kind::kCharacter && (key.character == "y" || key.character == "Y")) {
        message_ = order.kind == BoardOrder::Kind::kDrainWorker ? "draining " : "cancelling ";
        message_ += order.id;
        return order;
    }
    message_ = "nothing was done";
    return std::nullopt;
}

void TopBoard::ask(BoardOrder::Kind kind) {
    const bool drains = kind == BoardOrder::Kind::kDrainWorker;
    if (focus_ != (drains ? kWorkers : kJobs)) {
        message_ = drains ? "choose a worker first: Tab goes to its table"
                          : "choose a job first: Tab goes to its table";
        return;
    }
    const std::string id = selected_id();
    if (id.empty()) {
        message_ = drains ? "there is no worker to drain" : "there is no job to cancel";
        return;
    }
    asked_ = BoardOrder{kind, id};
}

std::optional<BoardOrder> TopBoard::press_letter(std::string_view letter) {
    View& view = views_.at(focus_);
    if (letter == "q") {
        return BoardOrder{};
    }
    if (letter == "j") {
        move(1);
    } else if (letter == "k") {
        move(-1);
    } else if (letter == "s") {
        view.sort = (view.sort + 1) % columns_of(focus_).size();
    } else if (letter == "r") {
        view.reversed = !view.reversed;
    } else if (letter == "/") {
        is_typing_ = true;
    } else if (letter == "p") {
        is_paused_ = !is_paused_;
    } else if (letter == "?" || letter == "h") {
        shows_help_ = true;
    } else if (letter == "d") {
        ask(BoardOrder::Kind::kDrainWorker);
    } else if (letter == "c") {
        ask(BoardOrder::Kind::kCancelJob);
    }
    return std::nullopt;
}

std::optional<BoardOrder> TopBoard::press(const Key& key) {
    constexpr std::ptrdiff_t kPage = 10;
    constexpr std::ptrdiff_t kFar = 1'000'000'000;
    if (key.kind == Key::Kind::kResize) {
        return std::nullopt;
    }
    if (shows_help_) {
        shows_help_ = false;
        return std::nullopt;
    }
    if (asked_) {
        return answer_question(key);
    }
    if (is_typing_) {
        type_filter(key);
        return std::nullopt;
    }
    message_.clear();
    switch (key.kind) {
        case Key::Kind::kUp:
            move(-1);
            break;
        case Key::Kind::kDown:
            move(1);
            break;
        case Key::Kind::kPageUp:
            move(-kPage);
            break;
        case Key::Kind::kPageDown:
            move(kPage);
            break;
        case Key::Kind::kHome:
            move(-kFar);
            break;
        case Key::Kind::kEnd:
            move(kFar);
            break;
        case Key::Kind::kTab:
            focus_ = static_cast<Pane>((focus_ + 1) % kPanes);
            break;
        case Key::Kind::kBackTab:
            focus_ = static_cast<Pane>((focus_ + kPanes - 1) % kPanes);
            break;
        case Key::Kind::kEscape:
            filter_.clear();
            break;
        case Key::Kind::kCharacter:
            return press_letter(key.character);
        case Key::Kind::kEnter:
        case Key::Kind::kBackspace:
        case Key::Kind::kResize:
            break;
    }
    return std::nullopt;
}

std::string TopBoard::summary() const {
    if (!has_glance_) {
        return trouble_.empty() ? "asking the farm" : "";
    }
    int slots = 0;
    int busy = 0;
    for (const FarmGlance::Worker& worker : glance_.workers) {
        slots += worker.slots;
        busy += std::min(worker.running, worker.slots);
    }
    std::string words = fmt::format(
        "{} worker{}, {} of {} slots busy; {} ready, {} running",
        glance_.workers.size(),
        glance_.workers.size() == 1 ? "" : "s",
        busy,
        slots,
        glance_.ready,
        glance_.running
    );
    if (glance_.blocked > 0) {
        words += fmt::format(", {} wait for others", glance_.blocked);
    }
    if (glance_.delayed > 0) {
        words += fmt::format(", {} to be tried again", glance_.delayed);
    }
    if (glance_.backlog_seconds > 0.0) {
        words += "; about " + format_seconds(glance_.backlog_seconds) + " of work";
    }
    return words;
}

std::string TopBoard::bottom_line() const {
    if (asked_) {
        return fmt::format(
            "{} {}? y: yes, any other key: no",
            asked_->kind == BoardOrder::Kind::kDrainWorker ? "drain" : "cancel",
            asked_->id
        );
    }
    if (is_typing_) {
        return "only rows with: " + filter_ + (unicode_ ? "▏" : "_");
    }
    if (!message_.empty()) {
        return message_;
    }
    std::string words =
        "Tab table  s sort  r reverse  / filter  d drain  c cancel  p pause  "
        "? help  q quit";
    if (!filter_.empty()) {
        words = "only \"" + filter_ + "\", Escape: all  " + words;
    }
    return words;
}

std::string TopBoard::pane_title(Pane pane, std::size_t shown) const {
    const View& view = views_.at(pane);
    const std::size_t all = pane == kQueue     ? glance_.lines.size()
                            : pane == kWorkers ? glance_.workers.size()
                                               : glance_.jobs.size();
    return fmt::format(
        "{} {} ({}{}), by {}{}",
        pane != focus_ ? " " : (unicode_ ? "▸" : ">"),
        kTitles.at(pane),
        shown,
        shown == all ? "" : fmt::format(" of {}", all),
        columns_of(pane).at(view.sort).name,
        view.reversed ? ", reversed" : ""
    );
}

namespace {

/// Each column is as wide as what is in it, and no wider than it may be; the last takes the rest.
template <class Rows>
std::vector<std::size_t> widths_of(const std::vector<Column>& columns, const Rows& rows) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::size_t width = display_width(columns[i].name);
        for (const auto& row : rows) {
            width = std::max(width, display_width(row.cells.at(i).text));
        }
        widths.push_back(std::min(width, columns[i].most));
    }
    return widths;
}

template <class Texts>
std::string line_of(
    const std::vector<Column>& columns, const std::vector<std::size_t>& widths, const Texts& text_at
) {
    std::string line = "  ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        line += padded(text_at(i), widths[i], columns[i].is_number);
        line += i + 1 < columns.size() ? "  " : "";
    }
    return line;
}

}  // namespace

void TopBoard::draw_pane(
    Pane pane,
    const std::vector<Row>& rows,
    std::size_t height,
    std::size_t columns,
    std::vector<BoardLine>& lines
) {
    const auto& names = columns_of(pane);
    const auto add = [&](const std::string& text, Look look) {
        lines.push_back({fit_to_width(text, columns), look});
    };
    add(pane_title(pane, rows.size()), Look::kTitle);
    if (rows.empty()) {
        add(std::string("  ") + (filter_.empty() ? kEmpty.at(pane) : "no such row"), Look::kFaint);
        return;
    }
    const auto widths = widths_of(names, rows);
    add(line_of(names, widths, [&](std::size_t i) { return std::string(names[i].name); }),
        Look::kHead);
    View& view = views_.at(pane);
    const std::string selected = pane == focus_ ? selected_id() : view.selected;
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.id == selected; });
    const auto at =
        found == rows.end() ? std::size_t{0} : static_cast<std::size_t>(found - rows.begin());
    if (pane == focus_) {
        view.selected = selected;
        view.at = at;
    }
    // The chosen row stays in sight.
    view.first = std::min(view.first, rows.size() - std::min(rows.size(), height));
    if (at < view.first) {
        view.first = at;
    } else if (at >= view.first + height) {
        view.first = at + 1 - height;
    }
    for (std::size_t i = view.first; i < std::min(rows.size(), view.first + height); ++i) {
        const Row& row = rows[i];
        const bool is_selected = pane == focus_ && i == at;
        add(line_of(names, widths, [&](std::size_t k) { return row.cells[k].text; }),
            is_selected ? Look::kSelected : (row.in_trouble ? Look::kTrouble : Look::kPlain));
    }
}

/// As many rows as each pane has; when there is no room for that, the longest give way first.
std::array<std::size_t, TopBoard::kPanes> TopBoard::heights(
    const std::array<std::vector<Row>, kPanes>& rows, std::size_t room
) {
    std::array<std::size_t, kPanes> heights{};
    std::size_t sum = 0;
    for (std::size_t i = 0; i < kPanes; ++i) {
        heights.at(i) = std::max<std::size_t>(1, rows.at(i).size());
        sum += heights.at(i);
    }
    while (sum > room) {
        const auto longest = std::max_element(heights.begin(), heights.end());
        if (*longest <= 1) {
            break;
        }
        const std::size_t less = std::min(sum - room, std::max<std::size_t>(1, *longest / 4));
        *longest -= std::min(less, *longest - 1);
        sum -= std::min(less, sum);
    }
    return heights;
}

std::vector<BoardLine> TopBoard::draw(std::size_t columns, std::size_t rows) {
    std::vector<BoardLine> lines;
    const auto add = [&](const std::string& text, Look look) {
        lines.push_back({fit_to_width(printable_line(text), columns), look});
    };
    add("tessera top - " + farm_ + (is_paused_ ? " - held still, p goes on" : ""), Look::kTitle);
    add(trouble_.empty() ? summary() : trouble_, trouble_.empty() ? Look::kPlain : Look::kTrouble);
    add("", Look::kPlain);
    if (shows_help_) {
        for (const char* line : kHelp) {
            add(std::string("  ") + line, Look::kPlain);
        }
    } else if (has_glance_) {
        std::array<std::vector<Row>, kPanes> all;
        for (const Pane pane : {kQueue, kWorkers, kJobs}) {
            all.at(pane) = rows_of(pane);
        }
        const std::size_t frame = kBoardFrame + kPanes * kPaneFrame;
        const auto tall = heights(all, rows > frame ? rows - frame : 0);
        for (const Pane pane : {kQueue, kWorkers, kJobs}) {
            draw_pane(pane, all.at(pane), tall.at(pane), columns, lines);
            add("", Look::kPlain);
        }
    }
    const std::size_t above = rows > 0 ? rows - 1 : 0;
    lines.resize(std::min(lines.size(), above));
    while (lines.size() < above) {
        add("", Look::kPlain);
    }
    if (rows > 0) {
        add(bottom_line(), asked_ || is_typing_ ? Look::kHead : Look::kFaint);
    }
    return lines;
}

std::vector<std::string> TopBoard::print(std::size_t columns) const {
    std::vector<std::string> lines{printable_line(summary())};
    const auto add = [&](const std::string& text) {
        std::string line = columns == 0 ? text : fit_to_width(text, columns);
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
    };
    for (const Pane pane : {kQueue, kWorkers, kJobs}) {
        const auto& names = columns_of(pane);
        const auto rows = rows_of(pane);
        add("");
        add(kTitles.at(pane));
        if (rows.empty()) {
            add(std::string("  ") + kEmpty.at(pane));
            continue;
        }
        const auto widths = widths_of(names, rows);
        add(line_of(names, widths, [&](std::size_t i) { return std::string(names[i].name); }));
        for (const Row& row : rows) {
            add(line_of(names, widths, [&](std::size_t i) { return row.cells[i].text; }));
        }
    }
    return lines;
}

}  // namespace tessera::cli
