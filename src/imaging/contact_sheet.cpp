#include "imaging/contact_sheet.h"

#include "imaging/contact_sheet_layout.h"
#include "imaging/resize.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tessera {
namespace {

struct Grey {
    std::uint8_t level;
};
constexpr Grey kPaper{255};
constexpr Grey kEmptyPlace{244};
constexpr Grey kHairline{214};
constexpr Grey kInk{28};
constexpr Grey kPaleInk{112};

/// A white sheet that is drawn on; what reaches outside is cut off.
class Paper {
  public:
    Paper(int width, int height)
        : image_{
              width,
              height,
              3,
              std::vector<std::uint8_t>(
                  3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
                  kPaper.level
              )} {}

    void fill(int left, int top, int width, int height, Grey grey) {
        for (int y = std::max(top, 0); y < std::min(top + height, image_.height); ++y) {
            for (int x = std::max(left, 0); x < std::min(left + width, image_.width); ++x) {
                std::fill_n(pixel_at(x, y), 3, grey.level);
            }
        }
    }

    /// The box of the text begins at left, top.
    void write(const DrawnText& text, int left, int top, Grey ink) {
        std::size_t at = 0;
        for (int y = top + text.top; y < top + text.top + text.height; ++y) {
            for (int x = left + text.left; x < left + text.left + text.width; ++x) {
                const int coverage = text.coverage[at++];
                if (coverage != 0 && x >= 0 && x < image_.width && y >= 0 && y < image_.height) {
                    std::uint8_t* pixel = pixel_at(x, y);
                    const int mixed = *pixel * (255 - coverage) + ink.level * coverage;
                    std::fill_n(pixel, 3, static_cast<std::uint8_t>((mixed + 127) / 255));
                }
            }
        }
    }

    /// Must lie inside.
    void paste(const Image& rgb, int left, int top) {
        const auto row = 3 * static_cast<std::size_t>(rgb.width);
        for (int y = 0; y < rgb.height; ++y) {
            std::copy_n(
                &rgb.pixels[static_cast<std::size_t>(y) * row], row, pixel_at(left, top + y)
            );
        }
    }

    [[nodiscard]] Image take() { return std::move(image_); }

  private:
    std::uint8_t* pixel_at(int x, int y) {
        const auto row = static_cast<std::size_t>(y) * static_cast<std::size_t>(image_.width);
        return &image_.pixels[3 * (row + static_cast<std::size_t>(x))];
    }

    Image image_;
};

/// A text block's height with the space that follows it; none without text.
int with_space(int block_height, int space) {
    return block_height == 0 ? 0 : block_height + space;
}

/// Where everything lies. The grid is framed by hairlines in the middle of gaps.
struct Plan {
    SheetMeasures measures;
    int columns;
    int rows;
    int grid_left;  ///< of the first gap's hairline
    int grid_top;
    std::int64_t width;
    std::int64_t height;

    [[nodiscard]] int cell_left(int column) const {
        return grid_left + measures.gap / 2 + 1 + column * (measures.cell_width + measures.gap);
    }
    [[nodiscard]] int cell_top(int row) const {
        return grid_top + measures.gap / 2 + 1 + row * (measures.cell_height + measures.gap);
    }
    [[nodiscard]] int grid_width() const { return columns * (measures.cell_width + measures.gap); }
    [[nodiscard]] int grid_height() const { return rows * (measures.cell_height + measures.gap); }
    [[nodiscard]] int title_top() const { return measures.margin; }
    [[nodiscard]] int legend_top() const { return grid_top + grid_height() + measures.gap * 2; }
};

Plan plan_of(const ContactSheet& sheet, const SheetMeasures& measures, const SheetText& text) {
    Plan plan{
        measures,
        static_cast<int>(sheet.columns.size()),
        static_cast<int>(sheet.rows.size()),
        measures.margin + with_space(text.gutter, measures.gap),
        measures.margin + with_space(text.title.block_height, measures.gap * 2) +
            with_space(text.header, measures.gap),
        0,
        0};
    const std::int64_t legend = with_space(text.legend.block_height, measures.gap * 2);
    plan.width = std::int64_t{plan.grid_left} + plan.grid_width() + 1 + measures.margin;
    plan.height = std::int64_t{plan.grid_top} + plan.grid_height() + 1 + legend + measures.margin;
    return plan;
}

void draw_grid(Paper& paper, const Plan& plan) {
    const SheetMeasures& measures = plan.measures;
    for (int column = 0; column <= plan.columns; ++column) {
        const int x = plan.grid_left + column * (measures.cell_width + measures.gap);
        paper.fill(x, plan.grid_top, 1, plan.grid_height() + 1, kHairline);
    }
    for (int row = 0; row <= plan.rows; ++row) {
        const int y = plan.grid_top + row * (measures.cell_height + measures.gap);
        paper.fill(plan.grid_left, y, plan.grid_width() + 1, 1, kHairline);
    }
}

void write_labels(Paper& paper, const Plan& plan, const SheetText& text) {
    const SheetMeasures& measures = plan.measures;
    paper.write(text.title, measures.margin, plan.title_top(), kInk);
    paper.write(text.legend, measures.margin, plan.legend_top(), kPaleInk);
    for (int column = 0; column < plan.columns; ++column) {
        const DrawnText& label = text.columns[static_cast<std::size_t>(column)];
        const int bottom = plan.grid_top - measures.gap;
        paper.write(label, plan.cell_left(column), bottom - label.block_height, kInk);
    }
    for (int row = 0; row < plan.rows; ++row) {
        const DrawnText& label = text.rows[static_cast<std::size_t>(row)];
        const int left = plan.grid_left - measures.gap - measures.gutter_room;
        const int top = plan.cell_top(row) + (measures.cell_height - label.block_height) / 2;
        paper.write(label, left, top, kInk);
    }
}

Status draw_cell(
    Paper& paper,
    const Plan& plan,
    const SheetCell& cell,
    const DrawnText& note,
    std::size_t at,
    int max_cell_side
) {
    const auto columns = static_cast<std::size_t>(plan.columns);
    const int left = plan.cell_left(static_cast<int>(at % columns));
    const int top = plan.cell_top(static_cast<int>(at / columns));
    const int cell_width = plan.measures.cell_width;
    const int cell_height = plan.measures.cell_height;
    if (cell.picture == nullptr) {
        paper.fill(left, top, cell_width, cell_height, kEmptyPlace);
        const int note_left = left + (cell_width - cell_width * 7 / 8) / 2;
        paper.write(note, note_left, top + (cell_height - note.block_height) / 2, kPaleInk);
        return {};
    }
    const PictureSize size = size_in_cell(*cell.picture, max_cell_side);
    TESSERA_ASSIGN(const Image picture, resize(flatten(*cell.picture), size.width, size.height));
    paper.paste(
        picture, left + (cell_width - size.width) / 2, top + (cell_height - size.height) / 2
    );
    return {};
}

}  // namespace

Result<Image> draw_contact_sheet(const ContactSheet& sheet, const SheetOptions& options) {
    TESSERA_ASSIGN(const SheetMeasures measures, measure_sheet(sheet, options));
    TESSERA_ASSIGN(const SheetText text, draw_sheet_text(sheet, measures));
    const Plan plan = plan_of(sheet, measures, text);
    if (plan.width * plan.height > options.max_pixels) {
        return fail(
            ErrorKind::kExhausted,
            "the contact sheet would be {}x{}, beyond {} pixels, the limit: use fewer or smaller "
            "pictures",
            plan.width,
            plan.height,
            options.max_pixels
        );
    }
    Paper paper(static_cast<int>(plan.width), static_cast<int>(plan.height));
    draw_grid(paper, plan);
    write_labels(paper, plan, text);
    for (std::size_t at = 0; at < sheet.cells.size(); ++at) {
        TESSERA_TRY(
            draw_cell(paper, plan, sheet.cells[at], text.notes[at], at, options.max_cell_side)
        );
    }
    return paper.take();
}

}  // namespace tessera
