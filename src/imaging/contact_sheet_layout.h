#pragma once

#include "base/result.h"
#include "imaging/contact_sheet.h"
#include "imaging/text.h"

#include <cstdint>
#include <vector>

namespace tessera {

/// Sizes that all follow from the pictures'; in pixels.
struct SheetMeasures {
    int cell_width;
    int cell_height;
    int gap;          ///< between cells, with a hairline in its middle
    int margin;       ///< round the whole
    int text_size;    ///< of labels that have room
    int gutter_room;  ///< the most that row labels may take in width
};

/// kInvalidArgument when labels and cells disagree or a picture is malformed, kExhausted when the
/// cells alone go beyond the limit.
[[nodiscard]] Result<SheetMeasures> measure_sheet(
    const ContactSheet& sheet, const SheetOptions& options
);

/// The side lengths of a picture in its cell.
struct PictureSize {
    int width;
    int height;
};
[[nodiscard]] PictureSize size_in_cell(const Image& picture, int max_cell_side);

/// All text of a sheet, drawn, but not yet put anywhere.
struct SheetText {
    DrawnText title;
    DrawnText legend;
    std::vector<DrawnText> columns;
    std::vector<DrawnText> rows;   ///< right-aligned in the gutter
    std::vector<DrawnText> notes;  ///< one for each cell
    int gutter = 0;                ///< width of the row labels; 0 = there are none
    int header = 0;                ///< height of the column labels; 0 = there are none
};

[[nodiscard]] Result<SheetText> draw_sheet_text(
    const ContactSheet& sheet, const SheetMeasures& measures
);

}  // namespace tessera
