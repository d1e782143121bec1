#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera {

/// A1111's text of a picture's parameters, taken apart:
///
///     a castle on a hill,
///     oil painting
///     Negative prompt: blurry
///     Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512
///
/// The form is not exact for every prompt: readers strip the space around each line, and a line of
/// the prompt that starts with "Negative prompt:" begins the negative prompt. Whoever must repeat
/// a picture exactly keeps the prompts elsewhere too (PictureMetadata::tessera_json).
struct Infotext {
    std::string prompt;
    std::string negative_prompt;
    /// In the order of the text; a key may come twice.
    std::vector<std::pair<std::string, std::string>> parameters;

    /// The value of the last such key, as readers in Python have it; nothing without one.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;

    bool operator==(const Infotext&) const = default;
};

/// The text, without a line end at its end. Values that need it are quoted as JSON strings; no
/// negative prompt and no parameters mean no line for them. kInvalidArgument when a key is not one
/// that readers recognise (a letter, digit or underscore, then at least one of these, space, `-`
/// or `/`), when there are one or two parameters (readers want three to tell the line from a
/// prompt), when there are none and the prompt's last line reads as if it were them, or when a text
/// is not UTF-8.
[[nodiscard]] Result<std::string> write_infotext(const Infotext& infotext);

/// Never fails: text without a line of parameters is a prompt. Takes the text as A1111's
/// parse_generation_parameters does, but leaves values as they are written (see parse_size).
[[nodiscard]] Infotext parse_infotext(std::string_view text);

/// "512x768" as {512, 768}; nothing when it is not two positive numbers.
[[nodiscard]] std::optional<std::pair<int, int>> parse_size(std::string_view value);

}  // namespace tessera
