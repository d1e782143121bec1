#pragma once

#include "base/result.h"
#include "prompt/attention.h"
#include "prompt/clip_tokenizer.h"
#include "prompt/embedding_names.h"

#include <cstddef>
#include <span>
#include <vector>

namespace tessera {

/// An embedding whose vectors take the place of a chunk's tokens.
struct EmbeddingUse {
    std::size_t position;   ///< of the first vector among the chunk's ids (1 is after the start)
    std::size_t embedding;  ///< index into EmbeddingNames::all()
    std::size_t vectors;    ///< how many positions: all of the embedding's

    bool operator==(const EmbeddingUse&) const = default;
};

/// What one run of the text encoder sees, and how its output is weighted.
struct PromptChunk {
    std::vector<TokenId> ids;              ///< chunk_size() of them: start, prompt, end, padding
    std::vector<float> weights;            ///< one for each id; 1 for start, end and padding
    std::vector<EmbeddingUse> embeddings;  ///< by position; the ids there are 0
    std::size_t prompt_tokens =
        0;  ///< how many of the ids, after the start token, are the prompt's

    bool operator==(const PromptChunk&) const = default;
};

struct PromptChunks {
    std::vector<PromptChunk> chunks;  ///< never empty
    std::size_t tokens = 0;  ///< as the web UI counts: a chunk before the last counts whole
};

/// Lays fragments out over chunks as AUTOMATIC1111's web UI does (tokenize_line): BREAK fills its
/// chunk; where a chunk is full, what follows its last comma goes to the next one if that is fewer
/// than 20 tokens; an embedding that does not fit goes to the next. Unlike there, an embedding that
/// goes over with what follows a comma takes its vectors along. Each fragment is tokenised by
/// itself.
/// kInvalidArgument as ClipTokenizer::ids.
[[nodiscard]] Result<PromptChunks> lay_out_chunks(
    std::span<const PromptFragment> fragments,
    const ClipTokenizer& tokenizer,
    const EmbeddingNames& embeddings
);

/// The text cut every 75 tokens, weights 1: ClipTokenizer::chunks. Errors as there.
[[nodiscard]] Result<PromptChunks> plain_chunks(
    std::string_view text, const ClipTokenizer& tokenizer
);

/// The chunk of the empty prompt, which pads shorter prompts.
[[nodiscard]] PromptChunk empty_chunk(const ClipTokenizer& tokenizer);

}  // namespace tessera
