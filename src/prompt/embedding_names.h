#pragma once

#include "base/result.h"
#include "prompt/byte_pair_encoding.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

class ClipTokenizer;

/// A textual-inversion embedding that is installed.
struct EmbeddingName {
    std::string name;         ///< the word that stands for it in prompts
    std::size_t vectors = 1;  ///< rows that it has: at least 1, at most a chunk's (75)
};

/// The installed embeddings as a model's tokenizer reads their names. Immutable.
class EmbeddingNames {
  public:
    EmbeddingNames() = default;
    /// kInvalidArgument: a name without tokens, or a number of vectors out of range.
    [[nodiscard]] static Result<EmbeddingNames> make(
        std::vector<EmbeddingName> embeddings, const ClipTokenizer& tokenizer
    );

    struct Match {
        std::size_t index;   ///< of the embeddings given to make
        std::size_t tokens;  ///< that its name takes
    };
    /// The embedding whose name's tokens these begin with: the longest, of equals the first.
    [[nodiscard]] std::optional<Match> at_front(std::span<const TokenId> tokens) const;

    [[nodiscard]] std::span<const EmbeddingName> all() const { return embeddings_; }

  private:
    struct Entry {
        std::vector<TokenId> ids;
        std::size_t index;
    };
    std::vector<EmbeddingName> embeddings_;
    std::vector<Entry> entries_;  ///< by first id, then the longest, then index
};

/// Resolves ComfyUI's form: of "embedding:name" the prefix goes where that name is installed
/// (without its ending .pt, .bin or .safetensors too); where it is not the whole word goes, with
/// a remark, as ComfyUI ignores it.
[[nodiscard]] std::string resolve_comfy_embeddings(
    std::string_view text, const EmbeddingNames& names, std::vector<std::string>& remarks
);

}  // namespace tessera
