#pragma once

#include "tessera/farm_glance.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// What was pressed.
struct Key {
    enum class Kind : std::uint8_t {
        kCharacter,
        kUp,
        kDown,
        kPageUp,
        kPageDown,
        kHome,
        kEnd,
        kTab,
        kBackTab,
        kEnter,
        kEscape,
        kBackspace,
        kResize,
    };
    Kind kind = Kind::kCharacter;
    std::string character;  ///< in UTF-8, of a kCharacter
};

/// A line of the screen.
struct BoardLine {
    enum class Look : std::uint8_t { kPlain, kTitle, kHead, kSelected, kTrouble, kFaint };
    std::string text;
    Look look = Look::kPlain;
};

/// What the person at the terminal wants of the farm.
struct BoardOrder {
    enum class Kind : std::uint8_t { kQuit, kDrainWorker, kCancelJob };
    Kind kind = Kind::kQuit;
    std::string id;
};

/// The screen of `tessera top`: what is on it and what keys do to it. It draws nothing and asks
/// nobody. One thread.
class TopBoard {
  public:
    explicit TopBoard(std::string farm, bool unicode) : farm_(std::move(farm)), unicode_(unicode) {}

    void take(FarmGlance glance);
    /// What does not work now; empty: all is well again.
    void set_trouble(std::string trouble) { trouble_ = std::move(trouble); }
    /// The answer to an order.
    void set_message(std::string message) { message_ = std::move(message); }
    [[nodiscard]] bool is_paused() const { return is_paused_; }

    std::optional<BoardOrder> press(const Key& key);

    /// At most `rows` lines of exactly `columns` terminal columns, without control characters.
    [[nodiscard]] std::vector<BoardLine> draw(std::size_t columns, std::size_t rows);
    /// Every row, nothing chosen and no help for keys.
    [[nodiscard]] std::vector<std::string> print(std::size_t columns) const;

  private:
    enum Pane : std::uint8_t { kQueue, kWorkers, kJobs, kPanes };

    /// Something to sort by: numbers are compared as such.
    struct Cell {
        std::string text;
        std::optional<double> number = std::nullopt;
    };
    struct Row {
        std::string id;
        std::vector<Cell> cells;
        bool in_trouble = false;
    };
    struct View {
        std::size_t sort = 0;
        bool reversed = false;
        std::string selected;   ///< Row::id
        std::size_t at = 0;     ///< where it was
        std::size_t first = 0;  ///< row that is shown at the top
    };

    /// As they are shown: filtered and sorted.
    [[nodiscard]] std::vector<Row> rows_of(Pane pane) const;
    [[nodiscard]] std::vector<Row> all_rows(Pane pane) const;
    [[nodiscard]] std::string summary() const;
    [[nodiscard]] std::string bottom_line() const;
    [[nodiscard]] std::string pane_title(Pane pane, std::size_t shown) const;
    void draw_pane(
        Pane pane,
        const std::vector<Row>& rows,
        std::size_t height,
        std::size_t columns,
        std::vector<BoardLine>& lines
    );
    static std::array<std::size_t, kPanes> heights(
        const std::array<std::vector<Row>, kPanes>& rows, std::size_t room
    );
    void move(std::ptrdiff_t by);
    void type_filter(const Key& key);
    std::optional<BoardOrder> answer_question(const Key& key);
    std::optional<BoardOrder> press_letter(std::string_view letter);
    void ask(BoardOrder::Kind kind);
    [[nodiscard]] std::string selected_id() const;

    const std::string farm_;
    const bool unicode_;
    FarmGlance glance_;
    bool has_glance_ = false;
    std::array<View, kPanes> views_;
    Pane focus_ = kWorkers;
    std::string filter_;
    std::string trouble_;
    std::string message_;
    std::optional<BoardOrder> asked_;  ///< waits for a yes
    bool is_typing_ = false;
    bool is_paused_ = false;
    bool shows_help_ = false;
};

}  // namespace tessera::cli
