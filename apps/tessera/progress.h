#pragma once

#include "tessera/progress_line.h"
#include "tessera/render_listener.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace tessera::cli {

/// Tells on stderr how far the work is: one line that is redrawn on a terminal, and plain lines
/// elsewhere (every phase, and at most one step in two seconds). With its end the redrawn line is
/// gone. Thread-safe.
class Progress final : public RenderListener {
  public:
    Progress();
    ~Progress() override;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Begins one of several pictures; `caption` is its prompt.
    void begin_picture(std::size_t picture, std::size_t pictures, const std::string& caption);
    void phase(const std::string& name) override;
    void step(std::size_t step, std::size_t steps, const std::string& unit) override;
    /// Nothing is shown until the next phase: before stdout is written to, which may be the same
    /// terminal.
    void rest();
    /// A line that stays.
    void say(const std::string& line) override;

  private:
    using Clock = std::chrono::steady_clock;

    void redraw_often(const std::stop_token& stop);
    void draw();
    void erase();
    void estimate(Clock::time_point now);

    const Terminal terminal_;
    std::mutex mutex_;  // guards all below
    ProgressState state_;
    bool shown_ = false;
    /// When the picture's first step ended: that one includes loading, so rates count from it.
    Clock::time_point first_step_;
    Clock::time_point last_step_;
    Clock::time_point last_line_;
    std::condition_variable_any wake_;
    std::jthread drawer_;  // last: it uses the rest
};

}  // namespace tessera::cli
