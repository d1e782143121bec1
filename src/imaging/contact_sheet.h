#pragma once

#include "base/result.h"
#include "imaging/image.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tessera {

/// One place in the grid. Without a picture the note stands there instead.
struct SheetCell {
    const Image* picture = nullptr;  ///< not owned
    std::string note;                ///< "failed: out of memory"; may be empty
};

/// A labelled grid, as A1111's X/Y plot. Labels, title and legend may be empty and hold any bytes:
/// what is not UTF-8, or has no glyph in the installed fonts, shows as a box.
struct ContactSheet {
    std::vector<std::string> columns;  ///< as many columns as labels, at least one
    std::vector<std::string> rows;     ///< as many rows as labels, at least one
    std::vector<SheetCell> cells;      ///< row by row: rows.size() x columns.size()
    std::string title;
    std::string legend;  ///< stands below the grid
};

struct SheetOptions {
    /// Pictures with a longer side than this are shrunk to it; 0 = none are.
    int max_cell_side = 0;
    std::int64_t max_pixels = 200'000'000;  ///< of the sheet; A1111's default
};

/// Draws the sheet, RGB. All cells are as large as the largest picture; smaller ones are centred.
/// Text is sized by the cells, wraps, shrinks where it must, and is cut with "…" as a last resort.
/// Transparent pictures are composited over white.
///
/// kInvalidArgument when the numbers of labels and cells disagree or a picture is malformed,
/// kExhausted when the sheet would be larger than the limit, kNotFound when there is text to draw
/// and no font installed. May be called from any thread.
[[nodiscard]] Result<Image> draw_contact_sheet(
    const ContactSheet& sheet, const SheetOptions& options = {}
);

}  // namespace tessera
