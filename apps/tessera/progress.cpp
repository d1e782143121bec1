#include "tessera/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace tessera::cli {
namespace {

constexpr std::chrono::milliseconds kRedrawInterval{100};
constexpr std::chrono::seconds kLineInterval{2};

void write_stderr(const std::string& text) {
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

}  // namespace

Progress::Progress() : terminal_(look_at_terminal(STDERR_FILENO)) {
    if (terminal_.interactive) {
        drawer_ = std::jthread([this](const std::stop_token& stop) { redraw_often(stop); });
    }
}

Progress::~Progress() {
    if (drawer_.joinable()) {
        drawer_.request_stop();
        drawer_.join();
    }
    erase();
}

void Progress::begin_picture(
    std::size_t picture, std::size_t pictures, const std::string& caption
) {
    const std::scoped_lock lock(mutex_);
    state_.picture = picture;
    state_.pictures = pictures;
    state_.caption = printable_line(caption);
}

void Progress::phase(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    state_.phase = name;
    state_.step = 0;
    state_.steps = 0;
    state_.seconds_left.reset();
    if (!terminal_.interactive) {
        write_stderr(progress_words(state_) + "\n");
        last_line_ = Clock::now();
    }
}

void Progress::step(std::size_t step, std::size_t steps, const std::string& unit) {
    const std::scoped_lock lock(mutex_);
    const auto now = Clock::now();
    state_.phase = unit;
    state_.step = step;
    state_.steps = steps;
    last_step_ = now;
    if (step <= 1) {
        first_step_ = now;
    } else {
        const std::chrono::duration<double> spent = now - first_step_;
        if (spent.count() > 0.0) {
            state_.steps_per_second = static_cast<double>(step - 1) / spent.count();
        }
    }
    estimate(now);
    if (!terminal_.interactive && step > 0 && now - last_line_ >= kLineInterval) {
        write_stderr(progress_words(state_) + "\n");
        last_line_ = now;
    }
}

void Progress::estimate(Clock::time_point now) {
    if (state_.steps == 0 || !state_.steps_per_second) {
        state_.seconds_left.reset();
        return;
    }
    const std::size_t steps_left =
        state_.steps - state_.step + (state_.pictures - state_.picture) * state_.steps;
    const std::chrono::duration<double> since_step = now - last_step_;
    const double seconds =
        static_cast<double>(steps_left) / *state_.steps_per_second - since_step.count();
    state_.seconds_left = std::max(0.0, seconds);
}

void Progress::rest() {
    const std::scoped_lock lock(mutex_);
    state_.phase.clear();
    erase();
}

void Progress::say(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    erase();
    write_stderr(printable_line(line) + "\n");
}

void Progress::redraw_often(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        wake_.wait_for(lock, stop, kRedrawInterval, [] { return false; });
        if (!stop.stop_requested() && !state_.phase.empty()) {
            estimate(Clock::now());
            draw();
        }
    }
}

void Progress::draw() {
    // Room for the ^C that the terminal itself may add, which must not begin a new line.
    constexpr std::size_t kRoom = 3;
    const std::size_t columns = terminal_columns(STDERR_FILENO);
    const std::size_t used = columns > kRoom ? columns - kRoom : 1;
    write_stderr("\r" + progress_line(state_, used, terminal_) + "\x1b[K");
    shown_ = true;
}

void Progress::erase() {
    if (std::exchange(shown_, false)) {
        write_stderr("\r\x1b[K");
    }
}

}  // namespace tessera::cli
