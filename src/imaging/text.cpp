#include "imaging/text.h"

#include "imaging/vips_setup.h"

#include <fmt/format.h>
#include <vips/vips.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMaxCharacters = 2000;  // more fit no label
constexpr int kUnwrapped = 0;

struct Unref {
    void operator()(VipsImage* image) const { g_object_unref(image); }
};
struct Free {
    void operator()(void* memory) const { g_free(memory); }
};
using GlibText = std::unique_ptr<char, Free>;

/// The characters, each as its UTF-8, ready to be drawn.
std::vector<std::string> characters_of(std::string_view text) {
    const std::string beginning(text.substr(0, 6 * kMaxCharacters));
    const GlibText valid(g_utf8_make_valid(beginning.data(), static_cast<gssize>(beginning.size()))
    );
    std::vector<std::string> characters;
    for (const char* at = valid.get(); *at != '\0'; at = g_utf8_next_char(at)) {
        if (characters.size() == kMaxCharacters) {
            characters.back() = "…";
            break;
        }
        const char* const next = g_utf8_next_char(at);
        const bool is_control = *at != '\n' && g_unichar_iscntrl(g_utf8_get_char(at)) != FALSE;
        characters.emplace_back(is_control ? " " : std::string(at, next));
    }
    while (!characters.empty() && characters.back() == " ") {
        characters.pop_back();  // it would push right-aligned text off the edge
    }
    return characters;
}

std::string joined(const std::vector<std::string>& characters, std::size_t count) {
    std::string text;
    for (std::size_t at = 0; at < count; ++at) {
        text += characters[at];
    }
    return text;
}

bool is_blank(const std::string& valid) {
    for (const char* at = valid.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
        if (g_unichar_isgraph(g_utf8_get_char(at)) != FALSE) {
            return false;
        }
    }
    return true;
}

VipsAlign vips_align(TextAlign align) {
    switch (align) {
        case TextAlign::kLeft:
            return VIPS_ALIGN_LOW;
        case TextAlign::kCentre:
            return VIPS_ALIGN_CENTRE;
        case TextAlign::kRight:
            return VIPS_ALIGN_HIGH;
    }
    return VIPS_ALIGN_LOW;
}

}  // namespace

Result<TextPen> TextPen::make(int size, bool is_bold) {
    TESSERA_TRY(set_up_vips());
    TextPen pen(size, is_bold);
    const auto ink_height = [&](const char* sample) -> Result<int> {
        TESSERA_ASSIGN(
            const DrawnText drawn, pen.draw_wrapped(sample, kUnwrapped, TextAlign::kLeft, false)
        );
        return drawn.height;
    };
    TESSERA_ASSIGN(const int capital, ink_height("M"));
    TESSERA_ASSIGN(const int full_stop, ink_height("."));
    if (capital == full_stop) {  // boxes, both of them
        return fail(
            ErrorKind::kNotFound,
            "no font is installed to write labels with: install the package fonts-dejavu-core"
        );
    }
    TESSERA_ASSIGN(const int two_lines, ink_height("M\nM"));
    pen.line_height_ = std::max(two_lines - capital, 1);
    return pen;
}

Result<TextPen> TextPen::make_fitting(
    std::span<const std::string> texts, TextBox box, int largest, int smallest, bool is_bold
) {
    std::vector<std::string> ready;
    for (const std::string& text : texts) {
        const std::vector<std::string> characters = characters_of(text);
        ready.push_back(joined(characters, characters.size()));
    }
    for (int size = largest; size > smallest; --size) {
        TESSERA_ASSIGN(const TextPen pen, make(size, is_bold));
        bool all_fit = true;
        for (std::size_t at = 0; all_fit && at < ready.size(); ++at) {
            TESSERA_ASSIGN(
                const DrawnText drawn,
                pen.draw_wrapped(ready[at], box.width, TextAlign::kLeft, false)
            );
            all_fit = pen.fits(drawn, box);
        }
        if (all_fit) {
            return pen;
        }
    }
    return make(smallest, is_bold);
}

Result<DrawnText> TextPen::draw(std::string_view text, TextBox box, TextAlign align) const {
    const std::vector<std::string> characters = characters_of(text);
    const std::string whole = joined(characters, characters.size());
    for (const bool splits_words : {false, true}) {
        TESSERA_ASSIGN(DrawnText drawn, draw_wrapped(whole, box.width, align, splits_words));
        if (fits(drawn, box)) {
            return drawn;
        }
    }
    // The most characters that fit; the ellipsis alone is drawn in any case.
    std::size_t fitting = 0;
    std::size_t too_many = characters.size();
    TESSERA_ASSIGN(DrawnText best, draw_wrapped("…", box.width, align, true));
    while (too_many - fitting > 1) {
        const std::size_t middle = fitting + (too_many - fitting) / 2;
        TESSERA_ASSIGN(
            DrawnText drawn, draw_wrapped(joined(characters, middle) + "…", box.width, align, true)
        );
        if (fits(drawn, box)) {
            fitting = middle;
            best = std::move(drawn);
        } else {
            too_many = middle;
        }
    }
    return best;
}

bool TextPen::fits(const DrawnText& drawn, TextBox box) const {
    return drawn.left >= 0 && drawn.left + drawn.width <= box.width &&
           drawn.block_height <= std::max(box.height, line_height_);
}

Result<DrawnText> TextPen::draw_wrapped(
    const std::string& text, int width, TextAlign align, bool splits_words
) const {
    TESSERA_TRY(set_up_vips());
    if (is_blank(text)) {
        return DrawnText{};
    }
    const GlibText markup(g_markup_escape_text(text.c_str(), -1));
    const std::string font = fmt::format("sans{} {}", is_bold_ ? " bold" : "", size_);
    VipsImage* out = nullptr;
    const int status = vips_text(
        &out,
        markup.get(),
        "font",
        font.c_str(),
        "dpi",
        72,  // a point is a pixel
        "width",
        width,
        "align",
        vips_align(align),
        "wrap",
        splits_words ? VIPS_TEXT_WRAP_WORD_CHAR : VIPS_TEXT_WRAP_WORD,
        nullptr
    );
    if (status != 0) {
        // Invisible characters, if anything: what is blank to Pango is not always so to GLib.
        vips_error_clear();
        return DrawnText{};
    }
    const std::unique_ptr<VipsImage, Unref> image(out);
    DrawnText drawn{image->Xoffset, image->Yoffset, image->Xsize, image->Ysize, 0, {}};
    std::size_t size = 0;
    const std::unique_ptr<void, Free> pixels(vips_image_write_to_memory(image.get(), &size));
    if (pixels == nullptr ||
        size != static_cast<std::size_t>(drawn.width) * static_cast<std::size_t>(drawn.height)) {
        vips_error_clear();
        return fail(ErrorKind::kExhausted, "there is no memory to draw a label in");
    }
    const auto* bytes = static_cast<const std::uint8_t*>(pixels.get());
    drawn.coverage.assign(bytes, bytes + size);
    drawn.block_height = ((drawn.top + drawn.height - 1) / line_height_ + 1) * line_height_;
    return drawn;
}

}  // namespace tessera
