#pragma once

#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

enum class TextAlign : std::uint8_t { kLeft, kCentre, kRight };

/// The room a text has, in pixels.
struct TextBox {
    int width = 0;
    int height = 0;
};

/// The ink of a text, cut to where there is any; nothing (0 x 0) for a text of spaces.
struct DrawnText {
    int left = 0;  ///< of the ink in the text's box
    int top = 0;
    int width = 0;
    int height = 0;
    int block_height = 0;                ///< of its lines, from the top of the box
    std::vector<std::uint8_t> coverage;  ///< 255 = all ink
};

/// Draws text in the system's sans-serif font at one size, through Pango. Any bytes will do:
/// control characters become spaces, what is not UTF-8 or has no glyph shows as a box. May be used
/// from any thread.
class TextPen {
  public:
    /// `size` in pixels, about the height of a line. kNotFound when no font is installed.
    [[nodiscard]] static Result<TextPen> make(int size, bool is_bold);

    /// The largest pen from `largest` down with which all of the texts fit the box, words whole;
    /// `smallest` when there is none.
    [[nodiscard]] static Result<TextPen> make_fitting(
        std::span<const std::string> texts, TextBox box, int largest, int smallest, bool is_bold
    );

    /// Wrapped at the box's width: between words where that fits the box, else also inside of
    /// them. What is too long even so ends with "…".
    [[nodiscard]] Result<DrawnText> draw(std::string_view text, TextBox box, TextAlign align) const;

    [[nodiscard]] int size() const { return size_; }
    [[nodiscard]] int line_height() const { return line_height_; }

  private:
    TextPen(int size, bool is_bold) : size_(size), is_bold_(is_bold) {}

    [[nodiscard]] Result<DrawnText> draw_wrapped(
        const std::string& text, int width, TextAlign align, bool splits_words
    ) const;
    [[nodiscard]] bool fits(const DrawnText& drawn, TextBox box) const;

    int size_;
    bool is_bold_;
    int line_height_ = 1;
};

}  // namespace tessera
