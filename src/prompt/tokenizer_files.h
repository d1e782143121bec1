#pragma once

#include "base/result.h"
#include "prompt/byte_pair_encoding.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tessera {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>()(text);
    }
};
using TokenMap = std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>>;

/// Reads vocab.json: one flat object of token to id, tokens and ids each unique. kCorrupt.
[[nodiscard]] Result<TokenMap> parse_vocab_json(std::string_view text);

/// A merge as views into the text, and its line counted from 1.
struct MergeLine {
    std::string_view left;
    std::string_view right;
    std::size_t line;
};

/// Reads merges.txt: a "#version" heading or none, then two symbols a line. Of more than CLIP's
/// 48894 merges the rest is not read, as in transformers. kCorrupt.
[[nodiscard]] Result<std::vector<MergeLine>> parse_merges_txt(std::string_view text);

struct TokenizerSettings {
    std::string start_token = "<|startoftext|>";
    std::string end_token = "<|endoftext|>";
    std::string pad_token = "<|endoftext|>";
    std::string unknown_token = "<|endoftext|>";
    bool lower_case = true;
    std::size_t chunk_size = 77;
};

/// Reads tokenizer_config.json and special_tokens_map.json; either may be empty. kCorrupt.
[[nodiscard]] Result<TokenizerSettings> parse_tokenizer_settings(
    std::string_view tokenizer_config_json, std::string_view special_tokens_map_json
);

/// A token from a file as it may stand in an error: quoted, escaped to ASCII, not too long.
[[nodiscard]] std::string quoted_token(std::string_view token);

}  // namespace tessera
