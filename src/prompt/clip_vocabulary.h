#pragma once

#include "base/result.h"
#include "prompt/byte_pair_encoding.h"
#include "prompt/clip_tokenizer.h"

#include <array>
#include <cstddef>
#include <string>

namespace tessera {

/// A tokenizer folder, checked and resolved to ids.
struct ClipVocabulary {
    /// One more than the largest id.
    std::size_t size = 0;
    /// The symbol of each byte within a word, and of the byte that ends one ("</w>").
    std::array<TokenId, 256> byte_ids{};
    std::array<TokenId, 256> last_byte_ids{};
    MergeTable merges;

    TokenId start_id = 0;
    TokenId end_id = 0;
    TokenId pad_id = 0;
    /// How the start and end tokens, in this order, read in a normalized prompt.
    std::array<std::u32string, 2> special_tokens;

    bool lower_case = true;
    std::size_t chunk_size = 77;
};

/// kCorrupt names the file and its line or token.
[[nodiscard]] Result<ClipVocabulary> read_clip_vocabulary(const ClipTokenizerTexts& texts);

}  // namespace tessera
