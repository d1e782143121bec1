#pragma once

#include "base/result.h"
#include "prompt/byte_pair_encoding.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera {

/// What one run of the text encoder sees.
struct TokenChunk {
    /// start, up to 75 tokens of the prompt, end, padding: 77 ids with CLIP.
    std::vector<TokenId> ids;
    /// How many of `ids`, after the start token, are the prompt's own.
    std::size_t prompt_tokens;
};

/// The contents of a tokenizer folder.
struct ClipTokenizerTexts {
    std::string vocab_json;  ///< empty: the vocabulary is CLIP's own, built from the merges
    std::string merges_txt;
    std::string tokenizer_config_json;    ///< empty: none
    std::string special_tokens_map_json;  ///< empty: none
};

struct ClipVocabulary;

/// CLIP's byte-pair tokenizer, as the fast Hugging Face tokenizer splits and merges: NFC, white
/// space only separates, lower case, words by CLIP's pattern, the start and end tokens recognised
/// where the prompt spells them out. No HTML entities, no ftfy. Unlike there, a pad token such as
/// SD2's "!" stays an ordinary sign when a prompt contains it, as the model was trained.
///
/// Thread-safe; copies share the vocabulary.
class ClipTokenizer {
  public:
    /// Longer prompts are refused unless the caller sets another limit.
    static constexpr std::size_t kMaxPromptBytes = std::size_t{64} << 10;

    /// Reads vocab.json and merges.txt and, where present, tokenizer_config.json and
    /// special_tokens_map.json (bos, eos, pad and unk tokens, model_max_length, do_lower_case; the
    /// map wins unless the config lists added_tokens_decoder, as in transformers).
    /// kNotFound, kExhausted (a file is too large), kCorrupt with file and line or token.
    [[nodiscard]] static Result<ClipTokenizer> from_folder(const std::filesystem::path& folder);

    /// CLIP's own vocabulary: the 256 byte symbols, the same ending a word, the merges in order
    /// (the first 48894: OpenAI's file goes on), <|startoftext|>, <|endoftext|>. Errors as above.
    [[nodiscard]] static Result<ClipTokenizer> from_merges_file(const std::filesystem::path& path);

    /// The same from memory. kCorrupt.
    [[nodiscard]] static Result<ClipTokenizer> from_texts(const ClipTokenizerTexts& texts);

    /// The prompt's tokens without start and end. kInvalidArgument: invalid UTF-8 (with the byte's
    /// offset) or longer than the limit; any other text has tokens.
    [[nodiscard]] Result<std::vector<TokenId>> ids(
        std::string_view prompt, std::size_t limit_bytes = kMaxPromptBytes
    ) const;

    /// The tokens cut every 75, each part made a full chunk; one chunk for the empty prompt. Cuts
    /// fall anywhere, also within a word. Errors as for ids().
    [[nodiscard]] Result<std::vector<TokenChunk>> chunks(
        std::string_view prompt, std::size_t limit_bytes = kMaxPromptBytes
    ) const;

    struct TokenText {
        std::string bytes;  ///< of the lower-case text; may be a part of a character
        bool ends_word;
    };
    /// What a token stands for, for showing it: start and end as they are spelled, nothing for one
    /// that no text leads to. Slow.
    [[nodiscard]] TokenText token_text(TokenId id) const;

    /// One more than the largest id: the rows that an embedding table needs.
    [[nodiscard]] std::size_t vocabulary_size() const;
    /// Ids in a chunk, start and end included (model_max_length): 77 with CLIP.
    [[nodiscard]] std::size_t chunk_size() const;
    [[nodiscard]] TokenId start_id() const;
    [[nodiscard]] TokenId end_id() const;
    /// SD1.x pads with the end token, SD2.x with "!" (0).
    [[nodiscard]] TokenId pad_id() const;

  private:
    explicit ClipTokenizer(std::shared_ptr<const ClipVocabulary> vocabulary)
        : vocabulary_(std::move(vocabulary)) {}

    std::shared_ptr<const ClipVocabulary> vocabulary_;
};

}  // namespace tessera
