#include "tessera/job_watch.h"

#include "base/file.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kRedraw{120};
constexpr std::size_t kBar = 24;
constexpr std::size_t kMostTypeLetters = 64;
constexpr const char* kSilence = "the farm does not answer; trying again";

/// Rows of the terminal on stderr; 24 when it does not say.
std::size_t terminal_rows() {
    constexpr std::size_t kUsual = 24;
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kUsual;
}

struct UnitLine {
    std::string state = "queued";
    double fraction = 0.0;
    std::string words;
};

struct JobLine {
    std::string name;
    std::string state = "queued";
    std::string words;
    std::map<int, UnitLine> units;
    bool ended = false;
};

std::string bar(double fraction, const Terminal& terminal) {
    const auto filled = static_cast<std::size_t>(
        std::lround(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(kBar))
    );
    std::string text;
    for (std::size_t i = 0; i < kBar; ++i) {
        text += terminal.unicode ? (i < filled ? "█" : "░") : (i < filled ? "#" : ".");
    }
    return text;
}

std::string queued_words(const Json& event) {
    if (!event.contains("position")) {
        return "queued";
    }
    std::string words = fmt::format("queued, {} before it", event["position"].get<std::int64_t>());
    if (event.contains("seconds_to_finish")) {
        words += ", about " + format_seconds(event["seconds_to_finish"].get<double>()) + " to go";
    }
    return words;
}

/// All jobs that are watched, and the drawing of them. Thread-safe.
class Board {
  public:
    Board(const std::vector<std::string>& jobs, const std::vector<std::string>& names)
        : terminal_(look_at_terminal(STDERR_FILENO)) {
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            lines_.emplace_back();
            lines_.back().name = i < names.size() && !names[i].empty() ? names[i] : jobs[i];
        }
    }

    /// True until the job has ended.
    bool hear(std::size_t job, std::string_view data) {
        const Json event = Json::parse(data, nullptr, false);
        if (!event.is_object()) {
            return true;
        }
        const std::lock_guard lock(mutex_);
        is_silent_ = false;
        JobLine& line = lines_[job];
        const std::string kind = event.value("event", "");
        const std::string before = line.state;
        if (kind == "job" && event.contains("state")) {
            take_state(line, event["state"]);
        } else if (kind == "queued") {
            line.words = queued_words(event);
        } else if (kind == "started") {
            line.state = "running";
        } else if (kind == "progress") {
            take_progress(line, event);
        } else if (kind == "unit_done") {
            line.units[event.value("unit", 0)] = {"done", 1.0, "done"};
        } else if (kind == "retrying" || kind == "unit_failed") {
            UnitLine& unit = line.units[event.value("unit", 0)];
            unit.state = kind == "retrying" ? "retrying" : "failed";
            unit.words = unit.state + ": " + event.value("message", "");
        } else if (kind == "done" || kind == "failed" || kind == "cancelled" || kind == "deleted") {
            line.state = kind;
            line.words = event.value("message", kind);
            line.ended = true;
        }
        if (!terminal_.interactive && line.state != before) {
            std::fprintf(stderr, "%s: %s\n", printable_line(line.name).c_str(), line.state.c_str());
        }
        return !line.ended;
    }

    void hear_nothing() {
        const std::lock_guard lock(mutex_);
        if (!terminal_.interactive && !is_silent_) {
            std::fprintf(stderr, "%s\n", kSilence);
        }
        is_silent_ = true;
    }

    void draw() {
        const std::lock_guard lock(mutex_);
        if (!terminal_.interactive) {
            return;
        }
        const std::size_t columns = terminal_columns(STDERR_FILENO);
        std::vector<std::string> shown;
        if (is_silent_) {
            shown.push_back(cut(kSilence, columns));
        }
        for (const JobLine& job : lines_) {
            add_job(shown, job, columns);
        }
        fit(shown, terminal_rows() - 1);
        erase();
        for (const std::string& line : shown) {
            std::fprintf(stderr, "\x1b[K%s\n", line.c_str());
        }
        std::fprintf(stderr, "\x1b[J");
        std::fflush(stderr);
        drawn_ = shown.size();
    }

    /// The lines stay.
    Status end() {
        draw();
        const std::lock_guard lock(mutex_);
        for (const JobLine& line : lines_) {
            if (line.state != "done") {
                return fail(
                    line.state == "cancelled" ? ErrorKind::kCancelled : ErrorKind::kInternal,
                    "{}: {}",
                    line.name,
                    line.words.empty() ? line.state : line.words
                );
            }
        }
        return {};
    }

  private:
    static void take_state(JobLine& line, const Json& job) {
        line.state = job.value("state", line.state);
        line.ended = line.state != "queued" && line.state != "running";
        for (const Json& unit : job.value("units", Json::array())) {
            UnitLine& one = line.units[unit.value("unit", 0)];
            one.state = unit.value("state", "queued");
            one.fraction = unit.value("fraction", 0.0);
            one.words = unit.contains("failure") ? unit["failure"].value("message", "") : one.state;
        }
        if (line.state == "queued") {
            line.words = queued_words(job);
        }
    }

    static void take_progress(JobLine& line, const Json& event) {
        UnitLine& unit = line.units[event.value("unit", 0)];
        unit.state = "running";
        unit.fraction = event.value("unit_fraction", unit.fraction);
        const int steps = event.value("steps", 0);
        const std::string stage = event.value("stage", "");
        unit.words =
            steps > 0 ? fmt::format("{} {}/{}", stage, event.value("step", 0), steps) : stage;
    }

    void add_job(std::vector<std::string>& shown, const JobLine& job, std::size_t columns) const {
        std::string head = job.name + "  " + job.state;
        if (!job.words.empty() && job.words != job.state) {
            head += ": " + job.words;
        }
        shown.push_back(cut(head, columns));
        for (const auto& [number, unit] : job.units) {
            shown.push_back(cut(
                fmt::format("  {:>3} {} {}", number + 1, bar(unit.fraction, terminal_), unit.words),
                columns + (terminal_.unicode ? 2 * kBar : 0)
            ));
        }
    }

    /// What scrolled away could not be drawn again.
    static void fit(std::vector<std::string>& shown, std::size_t rows) {
        const std::size_t most = std::max<std::size_t>(rows, 1);
        if (shown.size() > most) {
            const std::size_t left_out = shown.size() - most + 1;
            shown.resize(most - 1);
            shown.push_back(fmt::format("... and {} more", left_out));
        }
    }

    static std::string cut(const std::string& text, std::size_t bytes) {
        std::string line = printable_line(text);
        if (line.size() > bytes) {
            while (bytes > 0 && (static_cast<unsigned char>(line[bytes]) & 0xC0U) == 0x80U) {
                --bytes;
            }
            line.resize(bytes);
        }
        return line;
    }

    void erase() const {
        if (drawn_ > 0) {
            std::fprintf(stderr, "\x1b[%zuA", drawn_);
        }
    }

    const Terminal terminal_;
    std::mutex mutex_;  // guards what follows
    std::vector<JobLine> lines_;
    std::size_t drawn_ = 0;
    bool is_silent_ = false;
};

/// The server's word becomes part of a path, so it is one of these.
Result<std::string> suffix_of(const std::string& media_type) {
    const std::map<std::string, std::string> suffixes{
        {"image/png", "png"}, {"image/jpeg", "jpg"}, {"image/webp", "webp"}};
    const auto found = suffixes.find(media_type);
    if (found == suffixes.end()) {
        return fail(
            ErrorKind::kUnsupported,
            "the farm sends a {}; tessera saves PNG, JPEG and WebP",
            media_type.substr(0, kMostTypeLetters)
        );
    }
    return found->second;
}

}  // namespace

Status watch_jobs(
    const FarmChoice& farm,
    const std::vector<std::string>& jobs,
    const std::vector<std::string>& names,
    const std::stop_token& stop
) {
    Board board(jobs, names);
    std::vector<Status> ends(jobs.size());
    std::atomic<std::size_t> open = jobs.size();
    {
        std::vector<std::jthread> threads;
        threads.reserve(jobs.size());
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            threads.emplace_back([&, i] {
                ends[i] = [&]() -> Status {
                    TESSERA_ASSIGN(auto client, FarmClient::open(farm));
                    return client.follow(
                        "/api/v1/events?job=" + path_segment(jobs[i]),
                        [&](std::string_view data) { return board.hear(i, data); },
                        [&] { board.hear_nothing(); },
                        stop
                    );
                }();
                --open;
            });
        }
        while (open > 0) {
            board.draw();
            std::this_thread::sleep_for(kRedraw);
        }
    }
    for (const Status& end : ends) {
        TESSERA_TRY(end);
    }
    return board.end();
}

Status save_pictures(
    FarmClient& client, const std::string& job, const std::filesystem::path& folder
) {
    if (!is_job_id(job)) {
        return fail(ErrorKind::kInvalidArgument, "'{}' is no job's id", job);
    }
    TESSERA_ASSIGN(const auto text, client.get("/api/v1/jobs/" + path_segment(job)));
    const Json view = Json::parse(text, nullptr, false);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    for (const Json& unit : view.value("units", Json::array())) {
        if (!unit.contains("image") || unit.contains("part_of")) {
            continue;
        }
        const Json& image = unit["image"];
        TESSERA_ASSIGN(const auto suffix, suffix_of(image.value("media_type", "image/png")));
        TESSERA_ASSIGN(const auto picture, client.get(image.value("href", "")));
        const auto path = folder / fmt::format("{}-{}.{}", job, unit.value("unit", 0) + 1, suffix);
        TESSERA_TRY(write_file_atomically(path, as_bytes(picture)));
        std::printf("%s\n", path.c_str());
    }
    std::fflush(stdout);
    return {};
}

}  // namespace tessera::cli
