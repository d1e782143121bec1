#pragma once

#include "base/result.h"
#include "tessera/top_board.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace tessera::cli {

/// The whole terminal, through ncurses, which is hidden here: it has one screen and no threads.
/// Makes the terminal what it was before when it goes.
class Screen {
  public:
    /// kUnsupported when standard output is no terminal, or one that ncurses does not know.
    [[nodiscard]] static Result<Screen> open();
    ~Screen();
    Screen(Screen&& other) noexcept;
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    Screen& operator=(Screen&&) = delete;

    [[nodiscard]] std::size_t columns() const;
    [[nodiscard]] std::size_t rows() const;
    void show(const std::vector<BoardLine>& lines);
    /// Nothing when none was pressed in that time.
    [[nodiscard]] std::optional<Key> wait(std::chrono::milliseconds time);

  private:
    explicit Screen(void* handle, bool colour) : handle_(handle), colour_(colour) {}

    void* handle_;
    bool colour_;
};

}  // namespace tessera::cli
