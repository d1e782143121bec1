#include "prompt/chunks.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

/// How far back from the end of a full chunk its last comma may be for the text after it to go
/// over.
constexpr std::size_t kCommaBacktrack = 20;

/// tokenize_line of the web UI. A chunk in work holds the prompt's own tokens only.
class ChunkLayout {
  public:
    explicit ChunkLayout(const ClipTokenizer& tokenizer)
        : tokenizer_(tokenizer), room_(tokenizer.chunk_size() - 2) {}

    void add_token(TokenId token, float weight, bool is_comma) {
        if (is_comma) {
            last_comma_ = chunk_.ids.size();
        } else {
            move_what_follows_the_comma();
        }
        if (chunk_.ids.size() == room_) {
            next_chunk();
        }
        chunk_.ids.push_back(token);
        chunk_.weights.push_back(weight);
    }

    void add_embedding(std::size_t index, std::size_t vectors, float weight) {
        move_what_follows_the_comma();
        if (chunk_.ids.size() + vectors > room_) {
            next_chunk();
        }
        chunk_.embeddings.push_back({chunk_.ids.size() + 1, index, vectors});
        chunk_.ids.resize(chunk_.ids.size() + vectors, 0);
        chunk_.weights.resize(chunk_.ids.size(), weight);
    }

    void next_chunk() {
        chunk_.prompt_tokens = chunk_.ids.size();
        chunk_.ids.insert(chunk_.ids.begin(), tokenizer_.start_id());
        chunk_.ids.push_back(tokenizer_.end_id());
        chunk_.ids.resize(tokenizer_.chunk_size(), tokenizer_.pad_id());
        chunk_.weights.insert(chunk_.weights.begin(), 1);
        chunk_.weights.resize(tokenizer_.chunk_size(), 1);
        done_.tokens += room_;
        done_.chunks.push_back(std::exchange(chunk_, {}));
        last_comma_.reset();
    }

    PromptChunks finish() {
        if (!chunk_.ids.empty() || done_.chunks.empty()) {
            const std::size_t tokens = done_.tokens + chunk_.ids.size();
            next_chunk();
            done_.tokens = tokens;
        }
        return std::move(done_);
    }

  private:
    void move_what_follows_the_comma() {
        if (chunk_.ids.size() != room_ || !last_comma_ || room_ - *last_comma_ > kCommaBacktrack) {
            return;
        }
        const std::size_t kept = *last_comma_ + 1;
        const auto offset = static_cast<std::ptrdiff_t>(kept);
        PromptChunk moved;
        moved.ids.assign(chunk_.ids.begin() + offset, chunk_.ids.end());
        moved.weights.assign(chunk_.weights.begin() + offset, chunk_.weights.end());
        const auto first_moved = std::find_if(
            chunk_.embeddings.begin(),
            chunk_.embeddings.end(),
            [&](const EmbeddingUse& use) { return use.position > kept; }
        );
        moved.embeddings.assign(first_moved, chunk_.embeddings.end());
        for (EmbeddingUse& use : moved.embeddings) {
            use.position -= kept;
        }
        chunk_.embeddings.erase(first_moved, chunk_.embeddings.end());
        chunk_.ids.resize(kept);
        chunk_.weights.resize(kept);
        next_chunk();
        chunk_ = std::move(moved);
    }

    const ClipTokenizer& tokenizer_;
    std::size_t room_;
    PromptChunk chunk_;
    std::optional<std::size_t> last_comma_;
    PromptChunks done_;
};

}  // namespace

Result<PromptChunks> lay_out_chunks(
    std::span<const PromptFragment> fragments,
    const ClipTokenizer& tokenizer,
    const EmbeddingNames& embeddings
) {
    TESSERA_ASSIGN(const auto comma, tokenizer.ids(","));
    ChunkLayout layout(tokenizer);
    for (const PromptFragment& fragment : fragments) {
        if (fragment.chunk_break) {
            layout.next_chunk();
            continue;
        }
        TESSERA_ASSIGN(const auto ids, tokenizer.ids(fragment.text));
        const auto weight = static_cast<float>(fragment.weight);
        for (std::span<const TokenId> rest = ids; !rest.empty();) {
            if (const auto match = embeddings.at_front(rest)) {
                layout.add_embedding(match->index, embeddings.all()[match->index].vectors, weight);
                rest = rest.subspan(match->tokens);
            } else {
                layout.add_token(
                    rest.front(), weight, comma.size() == 1 && rest.front() == comma.front()
                );
                rest = rest.subspan(1);
            }
        }
    }
    return layout.finish();
}

Result<PromptChunks> plain_chunks(std::string_view text, const ClipTokenizer& tokenizer) {
    TESSERA_ASSIGN(auto token_chunks, tokenizer.chunks(text));
    PromptChunks plain;
    for (TokenChunk& chunk : token_chunks) {
        plain.tokens += chunk.prompt_tokens;
        std::vector<float> weights(chunk.ids.size(), 1);
        plain.chunks.push_back({std::move(chunk.ids), std::move(weights), {}, chunk.prompt_tokens});
    }
    return plain;
}

PromptChunk empty_chunk(const ClipTokenizer& tokenizer) {
    return ChunkLayout(tokenizer).finish().chunks.front();
}

}  // namespace tessera
