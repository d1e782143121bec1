#include "prompt/composition.h"

#include "prompt/attention.h"
#include "prompt/prompt_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tessera {
namespace {

constexpr std::string_view kAnd = "AND";
constexpr std::size_t kMostParts = 64;

/// Reads [-+]?(\d+\.?|\d*\.\d+) whole; too large a one as infinite.
std::optional<double> part_weight(std::string_view text) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative || text.starts_with('+') ? 1 : 0);
    if (text.empty() || text.find_first_not_of(".0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    double weight = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    if (read.ec == std::errc::result_out_of_range) {
        weight = 2 * kMaxPromptWeight;
    }
    return negative ? -weight : weight;
}

Result<ComposedText> composed_text(std::string_view text) {
    text = trimmed_back(text);
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return ComposedText{text};
    }
    const auto number = trimmed_front(text.substr(colon + 1));
    const auto weight = part_weight(number);
    if (!weight) {
        return ComposedText{text};
    }
    if (*weight < -kMaxPromptWeight || *weight > kMaxPromptWeight) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the weight {} of {} is not between -{} and {}",
            quoted_text(number),
            quoted_text(trimmed(text.substr(0, colon))),
            kMaxPromptWeight,
            kMaxPromptWeight
        );
    }
    return ComposedText{trimmed_back(text.substr(0, colon)), *weight};
}

}  // namespace

Result<std::vector<ComposedText>> split_composition(std::string_view prompt) {
    std::vector<ComposedText> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = find_word(prompt, kAnd, begin);
        TESSERA_ASSIGN(parts.emplace_back(), composed_text(prompt.substr(begin, end - begin)));
        if (end == std::string_view::npos) {
            return parts;
        }
        if (parts.size() == kMostParts) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the prompt joins more than {} parts with AND; each is predicted by itself",
                kMostParts
            );
        }
        begin = end + kAnd.size();
    }
}

}  // namespace tessera
