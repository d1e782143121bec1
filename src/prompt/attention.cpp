#include "prompt/attention.h"

#include "prompt/prompt_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace tessera {
namespace {

constexpr double kRoundBracket = 1.1;
constexpr double kSquareBracket = 1 / 1.1;
constexpr std::size_t kMostNested = 100;
constexpr std::size_t kMostRemarks = 8;
constexpr std::string_view kBreak = "BREAK";
constexpr std::string_view kEscapable = "\\()[]";
constexpr std::string_view kSigns = "\\()[]:";
constexpr std::string_view kDigits = ".0123456789";

struct WeightText {
    std::string_view number;
    std::size_t length;  ///< from the colon to the bracket, both included
};

/// What stands between a colon, which the text begins with, and the round bracket after it, if that
/// is digits and points and may have a sign. What else reads as a number (1e9, nan, inf) comes too.
std::optional<WeightText> weight_text(std::string_view text) {
    const std::size_t close = text.find_first_of(kSigns, 1);
    if (close == std::string_view::npos || text[close] != ')') {
        return std::nullopt;
    }
    const std::string_view number = trimmed(text.substr(1, close - 1));
    std::string_view digits = number;
    if (digits.starts_with('+') || digits.starts_with('-')) {
        digits.remove_prefix(1);
    }
    if (digits.empty()) {
        return std::nullopt;
    }
    if (digits.find_first_not_of(kDigits) != std::string_view::npos) {
        double value = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (read.ptr != digits.data() + digits.size() || digits.front() == '-') {
            return std::nullopt;
        }
    }
    return WeightText{number, close + 1};
}

class AttentionParser {
  public:
    AttentionParser(std::string_view text, std::size_t first_character)
        : text_(text), position_(first_character) {}

    Result<ParsedAttention> parse() {
        while (at_ < text_.size()) {
            TESSERA_TRY(take_piece());
        }
        close_the_rest();
        return finished();
    }

  private:
    struct Piece {
        std::string text;
        double weight;
        std::size_t position;
        bool is_break;
    };
    struct Opening {
        std::size_t first_piece;
        std::size_t position;
    };

    Status take_piece() {
        const char sign = text_[at_];
        switch (sign) {
            case '\\':
                take_escape();
                return {};
            case '(':
                return open(round_, sign);
            case '[':
                return open(square_, sign);
            case ')':
                close(round_, sign, kRoundBracket);
                return {};
            case ']':
                close(square_, sign, kSquareBracket);
                return {};
            case ':':
                return take_colon();
            default:
                take_text(std::min(text_.find_first_of(kSigns, at_), text_.size()) - at_);
                return {};
        }
    }

    void take_escape() {
        const auto next = text_.substr(at_ + 1, 1);
        const bool is_sign = !next.empty() && kEscapable.find(next) != kEscapable.npos;
        pieces_.push_back({std::string(is_sign ? next : ""), 1, position_, false});
        advance(is_sign ? 2 : 1);
    }

    Status open(std::vector<Opening>& openings, char sign) {
        if (openings.size() == kMostNested) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the \"{}\" at character {} stands within {} others; write \\{} for the sign "
                "itself",
                sign,
                position_,
                kMostNested,
                sign
            );
        }
        openings.push_back({pieces_.size(), position_});
        advance(1);
        return {};
    }

    void close(std::vector<Opening>& openings, char sign, double factor) {
        if (openings.empty()) {
            remark(fmt::format(
                "the \"{}\" at character {} closes nothing and was taken as a sign; write \\{} to "
                "say so",
                sign,
                position_,
                sign
            ));
            pieces_.push_back({std::string(1, sign), 1, position_, false});
        } else {
            multiply(openings, factor);
        }
        advance(1);
    }

    Status take_colon() {
        const auto weight = weight_text(text_.substr(at_));
        if (!weight || round_.empty()) {
            take_text(1);
            return {};
        }
        std::string_view number = weight->number;
        const bool negative = number.front() == '-';
        number.remove_prefix(number.front() == '+' || negative ? 1 : 0);
        double value = 0;
        const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
        if (read.ec != std::errc() || read.ptr != number.data() + number.size() ||
            number.find_first_not_of(kDigits) != std::string_view::npos ||
            value > kMaxPromptWeight) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the weight {} at character {} is not a plain number between -{} and {}, as in "
                "(word:1.3)",
                quoted_text(weight->number),
                position_,
                kMaxPromptWeight,
                kMaxPromptWeight
            );
        }
        multiply(round_, negative ? -value : value);
        advance(weight->length);
        return {};
    }

    /// Text without signs, or one sign to be taken as text; BREAK stands in it as a word.
    void take_text(std::size_t length) {
        std::string_view rest = text_.substr(at_, length);
        for (;;) {
            const std::size_t found = find_word(rest, kBreak, 0);
            if (found == std::string_view::npos) {
                break;
            }
            const auto before = trimmed_back(rest.substr(0, found));
            pieces_.push_back({std::string(before), 1, position_, false});
            advance(found);
            pieces_.push_back({std::string(kBreak), -1, position_, true});
            const auto after = trimmed_front(rest.substr(found + kBreak.size()));
            advance(rest.size() - found - after.size());
            rest = after;
        }
        pieces_.push_back({std::string(rest), 1, position_, false});
        advance(rest.size());
    }

    void close_the_rest() {
        for (const Opening& opening : round_) {
            multiply_from(opening, kRoundBracket);
            remark_unclosed('(', opening.position);
        }
        for (const Opening& opening : square_) {
            multiply_from(opening, kSquareBracket);
            remark_unclosed('[', opening.position);
        }
    }

    void remark_unclosed(char sign, std::size_t position) {
        remark(fmt::format(
            "the \"{}\" at character {} is never closed and was taken to close at the end; write "
            "\\{} for the sign itself",
            sign,
            position,
            sign
        ));
    }

    void multiply(std::vector<Opening>& openings, double factor) {
        multiply_from(openings.back(), factor);
        openings.pop_back();
    }

    void multiply_from(const Opening& opening, double factor) {
        for (Piece& piece : std::span(pieces_).subspan(opening.first_piece)) {
            piece.weight *= factor;
        }
    }

    Result<ParsedAttention> finished() {
        ParsedAttention attention;
        for (Piece& piece : pieces_) {
            if (!(std::abs(piece.weight) <= kMaxPromptWeight)) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "the brackets around {} at character {} make its weight {:.6g}, which is not "
                    "between -{} and {}",
                    quoted_text(piece.text),
                    piece.position,
                    piece.weight,
                    kMaxPromptWeight,
                    kMaxPromptWeight
                );
            }
            if (piece.is_break && piece.weight != -1) {
                remark(fmt::format(
                    "the BREAK at character {} stands within brackets, where it is only a word; "
                    "write it outside of them",
                    piece.position
                ));
            }
            add(attention.fragments, std::move(piece));
        }
        if (attention.fragments.empty()) {
            attention.fragments.emplace_back();
        }
        for (PromptFragment& fragment : attention.fragments) {
            // As there: what makes a BREAK is that it reads so and weighs -1.
            if (fragment.weight == -1 && fragment.text == kBreak) {
                fragment = {"", 1, true};
            }
        }
        if (remark_count_ > kMostRemarks) {
            remarks_.push_back(
                fmt::format("{} more brackets are like these", remark_count_ - kMostRemarks)
            );
        }
        attention.remarks = std::move(remarks_);
        return attention;
    }

    static void add(std::vector<PromptFragment>& fragments, Piece piece) {
        if (!fragments.empty() && fragments.back().weight == piece.weight) {
            fragments.back().text += piece.text;
        } else {
            fragments.push_back({std::move(piece.text), piece.weight, false});
        }
    }

    void remark(std::string sentence) {
        if (++remark_count_ <= kMostRemarks) {
            remarks_.push_back(std::move(sentence));
        }
    }

    void advance(std::size_t bytes) {
        position_ += character_count(text_.substr(at_, bytes));
        at_ += bytes;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t position_;
    std::vector<Piece> pieces_;
    std::vector<Opening> round_;
    std::vector<Opening> square_;
    std::vector<std::string> remarks_;
    std::size_t remark_count_ = 0;
};

/// Whether a weight as that of a part of AND, ": 1.2", may begin with the colon at the front.
bool may_weigh_part(std::string_view text) {
    const auto number = trimmed_front(text.substr(1));
    constexpr std::string_view kFirst = "+-.0123456789";
    return !number.empty() && kFirst.find(number.front()) != kFirst.npos;
}

}  // namespace

Result<ParsedAttention> parse_attention(std::string_view text, std::size_t first_character) {
    return AttentionParser(text, first_character).parse();
}

std::string escape_prompt(std::string_view text) {
    constexpr std::array<std::string_view, 2> kWords{kBreak, "AND"};
    std::string escaped;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto rest = text.substr(at);
        // A backslash before any other character vanishes, but breaks up what would be read.
        if (kEscapable.find(rest.front()) != kEscapable.npos) {
            escaped += '\\';
        }
        escaped += rest.front();
        const bool tag = rest.front() == '<' && rest.size() > 1 &&
                         is_word_character(tessera::first_character(rest.substr(1)).code);
        const bool is_word = std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
            return rest.starts_with(word) && stands_alone(text, at, word.size());
        });
        if (tag || is_word || (rest.front() == ':' && may_weigh_part(rest))) {
            escaped += '\\';
        }
    }
    return escaped;
}

}  // namespace tessera
