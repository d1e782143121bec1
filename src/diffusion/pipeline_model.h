#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "checkpoint/textual_inversion.h"
#include "diffusion/conditioning.h"
#include "diffusion/model_info.h"
#include "diffusion/noise_schedule.h"
#include "inference/engine.h"
#include "prompt/clip_tokenizer.h"
#include "prompt/prompt_language.h"

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace tessera {

/// A Stable Diffusion 1.x or 2.x model that can be run: its tokenizer, and its networks, each
/// loaded through the engine when first used. Thread-safe.
class PipelineModel {
  public:
    /// Checks the configurations, the tokenizer and that every weight is there and well-shaped only
    /// as far as the networks in use need it. `clip_merges` serves models without a tokenizer
    /// folder; it may be missing if none needs it. Of `embeddings` those are known to prompts that
    /// have vectors as wide as the text encoder's.
    [[nodiscard]] static Result<std::shared_ptr<PipelineModel>> open(
        const std::filesystem::path& folder,
        std::shared_ptr<Engine> engine,
        const std::filesystem::path& clip_merges,
        std::vector<TextualInversion> embeddings = {}
    );

    [[nodiscard]] const ModelInfo& info() const { return info_; }
    [[nodiscard]] const ClipTokenizer& tokenizer() const { return tokenizer_; }
    [[nodiscard]] const Engine& engine() const { return *engine_; }
    /// The embeddings that prompts know.
    [[nodiscard]] const EmbeddingNames& embedding_names() const { return names_; }

    /// A prompt taken apart, with the installed embeddings in place of options.embeddings. Adds a
    /// remark where it names an embedding that was made for another kind of model.
    [[nodiscard]] Result<ParsedPrompt> parse(const std::string& prompt, PromptOptions options)
        const;

    /// A prompt's hidden states: chunks are encoded apart, weighted, and laid end to end. Kept by
    /// content. kInvalidArgument when there is no layer to take for `clip_skip`.
    [[nodiscard]] Result<Conditioning> encode_prompt(
        const ParsedPrompt& prompt, int clip_skip, const std::stop_token& stop
    );

    /// The embeddings that a prompt uses, by name, with the hashes of their files.
    [[nodiscard]] std::map<std::string, std::string> embeddings_in(const ParsedPrompt& prompt
    ) const;

    /// The UNet on latents {n, c, h, w} at one timestep; `context` {n, positions, width}.
    [[nodiscard]] Result<Tensor> predict(
        const Tensor& latents, double timestep, const Tensor& context, const std::stop_token& stop
    );

    /// Scaled latents {n, c, h, w} to pictures {n, 3, H, W}, about -1..1, not clamped. One at a
    /// time, so that memory does not grow with n.
    [[nodiscard]] Result<Tensor> decode(const Tensor& latents, const std::stop_token& stop);

    /// The posterior of a picture {1, 3, H, W} in -1..1: scaled mean, and log variance unscaled.
    struct Encoded {
        Tensor mean;
        Tensor logvar;
    };
    [[nodiscard]] Result<Encoded> encode(const Tensor& picture, const std::stop_token& stop);

    /// 32 hex digits that differ for another VAE: for what is kept on this machine of its work.
    [[nodiscard]] Result<std::string> vae_key() const;

    /// Text ids {n, positions} to the text encoder's last hidden state {n, positions, width}, for
    /// one that needs it raw.
    [[nodiscard]] Result<Tensor> encode_ids(
        const IdTensor& ids, int clip_skip, const std::stop_token& stop
    );

  private:
    PipelineModel(
        DiffusersFolder folder,
        ModelInfo info,
        ClipTokenizer tokenizer,
        std::shared_ptr<Engine> engine
    );

    Status install(std::vector<TextualInversion> embeddings);

    using WriteGraph = std::function<Result<OnnxModel>(const Weights&)>;
    /// A network that is loaded when first asked for, and again for another configuration.
    struct LazyNetwork {
        std::mutex mutex;
        std::string config_json;
        std::shared_ptr<Network> network;
    };
    Result<std::shared_ptr<Network>> network(
        LazyNetwork& lazy,
        const char* name,
        const char* component,
        const std::string& config_json,
        const WriteGraph& write
    );
    Result<std::shared_ptr<Network>> text_encoder(int clip_skip);
    /// What decides a chunk's hidden states, but for the weights.
    struct ChunkKey {
        std::vector<TokenId> ids;
        std::vector<EmbeddingUse> embeddings;
        int clip_skip;
        bool operator==(const ChunkKey&) const = default;
    };
    Result<Tensor> encode_chunk(const ChunkKey& chunk, const std::stop_token& stop);
    Result<Tensor> run_text_encoder(
        const IdTensor& ids,
        const std::vector<EmbeddingUse>& embeddings,
        int clip_skip,
        const std::stop_token& stop
    );
    Result<std::vector<Tensor>> encode_variants(
        const PromptPart& part, int clip_skip, const std::stop_token& stop
    );

    DiffusersFolder folder_;
    ModelInfo info_;
    ClipTokenizer tokenizer_;
    std::shared_ptr<Engine> engine_;
    struct Embedding {
        Tensor vectors;
        std::string sha256;
    };
    /// By the index that names_ gives them.
    std::vector<Embedding> embeddings_;
    EmbeddingNames names_;
    std::vector<std::string> unfit_embeddings_;

    LazyNetwork text_encoder_;
    LazyNetwork unet_;
    LazyNetwork vae_decoder_;
    LazyNetwork vae_encoder_;

    /// Hidden states, least recently used last.
    std::mutex text_mutex_;
    std::list<std::pair<ChunkKey, Tensor>> text_cache_;
};

}  // namespace tessera
