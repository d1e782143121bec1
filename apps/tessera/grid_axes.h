#pragma once

#include "base/result.h"
#include "tessera/picture_option.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// One dimension of a grid: an option, or search and replace in the prompts (A1111's "Prompt S/R").
struct GridAxis {
    std::string name;  ///< as in "cfg" or "sr"
    /// Nothing: search and replace. The first value is what is searched for, and each value is put
    /// in its place in one cell.
    std::optional<PictureOption> option;
    std::vector<std::string> values;  ///< checked and as they are passed on; one or more
    std::vector<std::string> labels;  ///< one per value, for people

    [[nodiscard]] ChangeCost cost() const;

    bool operator==(const GridAxis&) const = default;
};

/// Which value of each axis; 0 for axes that are not there.
using GridCell = std::array<std::size_t, 3>;

/// One to three axes: the first goes along columns, the second along rows, the third over sheets.
class Grid {
  public:
    static constexpr std::size_t kMostAxes = 3;
    static constexpr std::size_t kMostCells = 400;

    /// Each as `AXIS=VALUES`: `sampler=Euler,DDIM`, `cfg=3,5,7`, `sr=cat,dog`. A value with a comma
    /// stands in double quotes, as in CSV. Whole and real numbers and seeds may be ranges:
    /// `10-30` (by ones), `10-30+5`, A1111's `10-30 (+5)`, `30-10 (-5)` and `10-30 [3]` (three in
    /// all, evenly). kInvalidArgument or kNotFound naming the axis and the value; kExhausted for
    /// more cells than there may be.
    [[nodiscard]] static Result<Grid> parse(std::span<const std::string> texts);

    [[nodiscard]] const std::vector<GridAxis>& axes() const { return axes_; }
    [[nodiscard]] std::size_t columns() const { return extent(0); }
    [[nodiscard]] std::size_t rows() const { return extent(1); }
    [[nodiscard]] std::size_t sheets() const { return extent(2); }

    /// All combinations, ordered so that what is costly to change changes least often: a model,
    /// then prompts, then the rest; among equals columns change fastest.
    [[nodiscard]] std::vector<GridCell> cells() const;

  private:
    [[nodiscard]] std::size_t extent(std::size_t axis) const {
        return axis < axes_.size() ? axes_[axis].values.size() : 1;
    }

    std::vector<GridAxis> axes_;
};

/// Names of axes, for help: options, and "sr".
[[nodiscard]] std::vector<std::string_view> grid_axis_names();

/// `text` with each `from` replaced by `to`; an empty `from` replaces nothing.
[[nodiscard]] std::string replace_all(
    std::string_view text, std::string_view from, std::string_view to
);

}  // namespace tessera::cli
