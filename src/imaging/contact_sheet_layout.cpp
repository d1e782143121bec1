#include "imaging/contact_sheet_layout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

namespace tessera {
namespace {

constexpr int kSmallestCell = 64;  // labels need some room
constexpr int kEmptyCell = 256;    // when there is no picture at all
constexpr int kSmallestText = 9;   // below, letters run together
constexpr int kColumnLabelLines = 4;
constexpr int kTitleLines = 3;
constexpr int kLegendLines = 6;

Status check(const ContactSheet& sheet, const SheetOptions& options) {
    if (sheet.columns.empty() || sheet.rows.empty()) {
        return fail(
            ErrorKind::kInvalidArgument, "a contact sheet needs at least one column and one row"
        );
    }
    if (sheet.cells.size() / sheet.columns.size() != sheet.rows.size() ||
        sheet.cells.size() % sheet.columns.size() != 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a contact sheet of {} columns and {} rows cannot hold {} cells",
            sheet.columns.size(),
            sheet.rows.size(),
            sheet.cells.size()
        );
    }
    if (options.max_cell_side < 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "cells of a contact sheet cannot be limited to {} pixels: use 0 for no limit",
            options.max_cell_side
        );
    }
    for (std::size_t at = 0; at < sheet.cells.size(); ++at) {
        if (sheet.cells[at].picture != nullptr && !is_well_formed(*sheet.cells[at].picture)) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the picture in column {}, row {} of the contact sheet has no pixels",
                at % sheet.columns.size() + 1,
                at / sheet.columns.size() + 1
            );
        }
    }
    return {};
}

PictureSize cell_size(const ContactSheet& sheet, int max_cell_side) {
    PictureSize largest{0, 0};
    for (const SheetCell& cell : sheet.cells) {
        if (cell.picture != nullptr) {
            const PictureSize size = size_in_cell(*cell.picture, max_cell_side);
            largest.width = std::max(largest.width, size.width);
            largest.height = std::max(largest.height, size.height);
        }
    }
    if (largest.width == 0) {
        const int side = max_cell_side == 0 ? kEmptyCell : std::min(max_cell_side, kEmptyCell);
        largest = {side, side};
    }
    return {std::max(largest.width, kSmallestCell), std::max(largest.height, kSmallestCell)};
}

Result<std::vector<DrawnText>> draw_labels(
    const std::vector<std::string>& labels, TextBox box, int largest, TextAlign align
) {
    TESSERA_ASSIGN(
        const TextPen pen, TextPen::make_fitting(labels, box, largest, kSmallestText, false)
    );
    std::vector<DrawnText> drawn;
    for (const std::string& label : labels) {
        TESSERA_ASSIGN(DrawnText text, pen.draw(label, box, align));
        drawn.push_back(std::move(text));
    }
    return drawn;
}

/// A paragraph over the width of the sheet.
Result<DrawnText> draw_paragraph(
    const std::string& text, int width, int lines, int largest, bool is_bold
) {
    if (text.empty()) {
        return DrawnText{};
    }
    const TextBox box{width, lines * (largest + largest / 4)};
    TESSERA_ASSIGN(
        const TextPen pen,
        TextPen::make_fitting(std::span(&text, 1), box, largest, kSmallestText, is_bold)
    );
    return pen.draw(text, box, TextAlign::kLeft);
}

bool has_text(const std::vector<std::string>& labels) {
    return std::any_of(labels.begin(), labels.end(), [](const std::string& label) {
        return !label.empty();
    });
}

}  // namespace

PictureSize size_in_cell(const Image& picture, int max_cell_side) {
    const int longest = std::max(picture.width, picture.height);
    if (max_cell_side == 0 || longest <= max_cell_side) {
        return {picture.width, picture.height};
    }
    const auto scaled = [&](int side) {
        const double exact = static_cast<double>(side) * max_cell_side / longest;
        return std::max(1, static_cast<int>(std::lround(exact)));
    };
    return {scaled(picture.width), scaled(picture.height)};
}

Result<SheetMeasures> measure_sheet(const ContactSheet& sheet, const SheetOptions& options) {
    TESSERA_TRY(check(sheet, options));
    const PictureSize cell = cell_size(sheet, options.max_cell_side);
    const auto width = static_cast<double>(cell.width) * static_cast<double>(sheet.columns.size());
    const auto height = static_cast<double>(cell.height) * static_cast<double>(sheet.rows.size());
    if (width * height > static_cast<double>(options.max_pixels)) {
        return fail(
            ErrorKind::kExhausted,
            "a contact sheet of {} by {} pictures of {}x{} goes beyond {} pixels, the limit: use "
            "fewer or smaller pictures",
            sheet.columns.size(),
            sheet.rows.size(),
            cell.width,
            cell.height,
            options.max_pixels
        );
    }
    const int side = (cell.width + cell.height) / 2;
    const int gap = std::clamp(side / 32, 4, 24) | 1;  // odd: a hairline has a middle
    return SheetMeasures{
        cell.width,
        cell.height,
        gap,
        std::clamp(side / 12, 12, 64),
        std::clamp(6 + side / 26, 11, 48),
        std::max(96, cell.width * 3 / 4)};
}

Result<SheetText> draw_sheet_text(const ContactSheet& sheet, const SheetMeasures& measures) {
    SheetText text;
    text.columns.resize(sheet.columns.size());
    text.rows.resize(sheet.rows.size());
    text.notes.resize(sheet.cells.size());
    if (has_text(sheet.columns)) {
        const TextBox box{
            measures.cell_width, kColumnLabelLines * (measures.text_size + measures.text_size / 4)};
        TESSERA_ASSIGN(
            text.columns, draw_labels(sheet.columns, box, measures.text_size, TextAlign::kCentre)
        );
        for (const DrawnText& label : text.columns) {
            text.header = std::max(text.header, label.block_height);
        }
    }
    if (has_text(sheet.rows)) {
        const TextBox box{measures.gutter_room, measures.cell_height};
        TESSERA_ASSIGN(
            text.rows, draw_labels(sheet.rows, box, measures.text_size, TextAlign::kRight)
        );
        for (const DrawnText& label : text.rows) {
            const int needed = label.width == 0 ? 0 : measures.gutter_room - label.left;
            text.gutter = std::max(text.gutter, needed);
        }
    }
    const TextBox inside{measures.cell_width * 7 / 8, measures.cell_height * 7 / 8};
    for (std::size_t at = 0; at < sheet.cells.size(); ++at) {
        const std::string& note = sheet.cells[at].note;
        if (sheet.cells[at].picture == nullptr && !note.empty()) {
            TESSERA_ASSIGN(
                std::vector<DrawnText> drawn,
                draw_labels({note}, inside, measures.text_size, TextAlign::kCentre)
            );
            text.notes[at] = std::move(drawn.front());
        }
    }
    const int pitch = measures.cell_width + measures.gap;
    const int width = text.gutter + (text.gutter > 0 ? measures.gap : 0) +
                      static_cast<int>(sheet.columns.size()) * pitch;
    const int title_size = measures.text_size * 5 / 4;
    TESSERA_ASSIGN(text.title, draw_paragraph(sheet.title, width, kTitleLines, title_size, true));
    const int legend_size = std::max(measures.text_size * 7 / 8, kSmallestText);
    TESSERA_ASSIGN(
        text.legend, draw_paragraph(sheet.legend, width, kLegendLines, legend_size, false)
    );
    return text;
}

}  // namespace tessera
