#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/model_info.h"
#include "diffusion/noise_schedule.h"
#include "inference/engine.h"
#include "prompt/clip_tokenizer.h"

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
    /// folder; it may be missing if none needs it.
    [[nodiscard]] static Result<std::shared_ptr<PipelineModel>> open(
        const std::filesystem::path& folder,
        std::shared_ptr<Engine> engine,
        const std::filesystem::path& clip_merges
    );

    [[nodiscard]] const ModelInfo& info() const { return info_; }
    [[nodiscard]] const ClipTokenizer& tokenizer() const { return tokenizer_; }
    [[nodiscard]] const Engine& engine() const { return *engine_; }

    /// A prompt's hidden states {1, chunks * positions, width}: every 75 tokens are encoded apart
    /// and laid end to end. At least `min_chunks`, the missing ones being empty prompts, so that
    /// two prompts of unlike length fit into one batch. Kept by content.
    [[nodiscard]] Result<Tensor> encode_prompt(
        const std::string& prompt, std::size_t min_chunks, const std::stop_token& stop
    );

    /// How many chunks of 75 tokens a prompt has.
    [[nodiscard]] Result<std::size_t> chunk_count(const std::string& prompt) const;

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

    /// Text ids {n, positions} to the text encoder's outputs, for one that needs them raw.
    [[nodiscard]] Result<Tensor> encode_ids(const IdTensor& ids, const std::stop_token& stop);

  private:
    PipelineModel(
        DiffusersFolder folder,
        ModelInfo info,
        ClipTokenizer tokenizer,
        std::shared_ptr<Engine> engine
    );

    using WriteGraph = std::function<Result<OnnxModel>(const Weights&)>;
    /// A network that is loaded once, when first asked for.
    struct LazyNetwork {
        std::mutex mutex;
        std::shared_ptr<Network> network;
    };
    Result<std::shared_ptr<Network>> network(
        LazyNetwork& lazy,
        const char* name,
        const char* component,
        const std::string& config_json,
        const WriteGraph& write
    );
    Result<Tensor> encode_chunk(const std::vector<TokenId>& ids, const std::stop_token& stop);

    DiffusersFolder folder_;
    ModelInfo info_;
    ClipTokenizer tokenizer_;
    std::shared_ptr<Engine> engine_;
    LazyNetwork text_encoder_;
    LazyNetwork unet_;
    LazyNetwork vae_decoder_;
    LazyNetwork vae_encoder_;

    /// Hidden states by token ids, least recently used last.
    std::mutex text_mutex_;
    std::list<std::pair<std::vector<TokenId>, Tensor>> text_cache_;
};

}  // namespace tessera
