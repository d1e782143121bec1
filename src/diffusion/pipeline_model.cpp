#include "diffusion/pipeline_model.h"

#include "base/hash.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera {
namespace {

Result<ClipTokenizer> open_tokenizer(
    const DiffusersFolder& folder, const std::filesystem::path& clip_merges
) {
    const auto own = folder.path() / "tokenizer";
    if (std::filesystem::is_directory(own)) {
        return ClipTokenizer::from_folder(own);
    }
    auto shared = ClipTokenizer::from_merges_file(clip_merges);
    if (!shared) {
        return within(
            folder.path().string() + " has no tokenizer folder, and the CLIP vocabulary",
            std::move(shared).error()
        );
    }
    return shared;
}

/// One of a network's outputs by its name, which the graph writers have put there.
Tensor& output_named(const Network& network, std::vector<Tensor>& outputs, std::string_view name) {
    const auto& ports = network.outputs();
    const auto port = std::find_if(ports.begin(), ports.end(), [&](const Port& candidate) {
        return candidate.name == name;
    });
    return outputs[static_cast<std::size_t>(port - ports.begin())];
}

/// The index-th of the batch, as a batch of one.
Tensor row_of(const Tensor& batch, std::int64_t index) {
    Tensor row;
    row.shape = batch.shape;
    row.shape.front() = 1;
    const std::size_t size = element_count(row.shape);
    const auto first = batch.values.begin() + static_cast<std::ptrdiff_t>(size) * index;
    row.values.assign(first, first + static_cast<std::ptrdiff_t>(size));
    return row;
}

}  // namespace

PipelineModel::PipelineModel(
    DiffusersFolder folder, ModelInfo info, ClipTokenizer tokenizer, std::shared_ptr<Engine> engine
)
    : folder_(std::move(folder)),
      info_(std::move(info)),
      tokenizer_(std::move(tokenizer)),
      engine_(std::move(engine)) {}

Result<std::shared_ptr<PipelineModel>> PipelineModel::open(
    const std::filesystem::path& path,
    std::shared_ptr<Engine> engine,
    const std::filesystem::path& clip_merges
) {
    TESSERA_ASSIGN(auto folder, DiffusersFolder::open(path));
    TESSERA_ASSIGN(auto info, ModelInfo::read(folder));
    TESSERA_ASSIGN(auto tokenizer, open_tokenizer(folder, clip_merges));
    if (tokenizer.vocabulary_size() > static_cast<std::size_t>(info.text_encoder.vocab_size)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{}: the tokenizer knows {} tokens, the text encoder {}; they belong to different "
            "models",
            path.string(),
            tokenizer.vocabulary_size(),
            info.text_encoder.vocab_size
        );
    }
    if (tokenizer.chunk_size() !=
        static_cast<std::size_t>(info.text_encoder.max_position_embeddings)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{}: the tokenizer makes chunks of {} tokens, the text encoder takes {}",
            path.string(),
            tokenizer.chunk_size(),
            info.text_encoder.max_position_embeddings
        );
    }
    return std::shared_ptr<PipelineModel>(new PipelineModel(
        std::move(folder), std::move(info), std::move(tokenizer), std::move(engine)
    ));
}

Result<std::shared_ptr<Network>> PipelineModel::network(
    LazyNetwork& lazy,
    const char* name,
    const char* component,
    const std::string& config_json,
    const WriteGraph& write
) {
    const std::scoped_lock lock(lazy.mutex);
    if (lazy.network == nullptr) {
        TESSERA_ASSIGN(const auto weights, folder_.weights(component));
        const ModelSource source{
            name, FastHash().add(name).add(weights.identity()).add(config_json).hex(), [&] {
                return write(weights);
            }};
        TESSERA_ASSIGN(lazy.network, engine_->load(source));
    }
    return lazy.network;
}

Result<std::size_t> PipelineModel::chunk_count(const std::string& prompt) const {
    TESSERA_ASSIGN(const auto chunks, tokenizer_.chunks(prompt));
    return chunks.size();
}

Result<Tensor> PipelineModel::encode_ids(const IdTensor& ids, const std::stop_token& stop) {
    TESSERA_ASSIGN(
        const auto text_encoder,
        network(
            text_encoder_,
            "text_encoder",
            "text_encoder",
            info_.text_encoder_json,
            [&](const Weights& weights) {
                return write_clip_text_model(info_.text_encoder, weights, GraphDialect::kOrtCpu);
            }
        )
    );
    const std::vector<Input> inputs{{"input_ids", ids}};
    TESSERA_ASSIGN(auto outputs, text_encoder->run(inputs, stop));
    return std::move(output_named(*text_encoder, outputs, "last_hidden_state"));
}

Result<Tensor> PipelineModel::encode_chunk(
    const std::vector<TokenId>& ids, const std::stop_token& stop
) {
    constexpr std::size_t kKeptTexts = 256;
    {
        const std::scoped_lock lock(text_mutex_);
        const auto known = std::find_if(text_cache_.begin(), text_cache_.end(), [&](auto& entry) {
            return entry.first == ids;
        });
        if (known != text_cache_.end()) {
            text_cache_.splice(text_cache_.begin(), text_cache_, known);
            return known->second;
        }
    }
    const IdTensor batch{{1, static_cast<std::int64_t>(ids.size())}, {ids.begin(), ids.end()}};
    TESSERA_ASSIGN(auto hidden, encode_ids(batch, stop));
    const std::scoped_lock lock(text_mutex_);
    text_cache_.emplace_front(ids, hidden);
    if (text_cache_.size() > kKeptTexts) {
        text_cache_.pop_back();
    }
    return hidden;
}

Result<Tensor> PipelineModel::encode_prompt(
    const std::string& prompt, std::size_t min_chunks, const std::stop_token& stop
) {
    TESSERA_ASSIGN(auto chunks, tokenizer_.chunks(prompt));
    if (chunks.size() < min_chunks) {
        TESSERA_ASSIGN(const auto empty, tokenizer_.chunks(""));
        chunks.resize(min_chunks, empty.front());
    }
    Tensor hidden;
    for (const auto& chunk : chunks) {
        TESSERA_ASSIGN(const auto part, encode_chunk(chunk.ids, stop));
        hidden.values.insert(hidden.values.end(), part.values.begin(), part.values.end());
        hidden.shape = part.shape;
    }
    hidden.shape[1] *= static_cast<std::int64_t>(chunks.size());
    return hidden;
}

Result<Tensor> PipelineModel::predict(
    const Tensor& latents, double timestep, const Tensor& context, const std::stop_token& stop
) {
    TESSERA_ASSIGN(
        const auto unet,
        network(
            unet_,
            "unet",
            "unet",
            info_.unet_json,
            [&](const Weights& weights) {
                return write_unet2d_condition_model(info_.unet, weights, GraphDialect::kOrtCpu);
            }
        )
    );
    Tensor timesteps({latents.shape.front()});
    std::fill(timesteps.values.begin(), timesteps.values.end(), static_cast<float>(timestep));
    const std::vector<Input> inputs{
        {"sample", latents}, {"timestep", timesteps}, {"encoder_hidden_states", context}};
    TESSERA_ASSIGN(auto outputs, unet->run(inputs, stop));
    return std::move(outputs.front());
}

Result<Tensor> PipelineModel::decode(const Tensor& latents, const std::stop_token& stop) {
    TESSERA_ASSIGN(
        const auto decoder,
        network(
            vae_decoder_,
            "vae_decoder",
            "vae",
            info_.vae_json,
            [&](const Weights& weights) {
                return write_vae_decoder(info_.vae, weights, GraphDialect::kOrtCpu);
            }
        )
    );
    const auto scale = static_cast<float>(info_.vae.scaling_factor);
    const auto shift = static_cast<float>(info_.vae.shift_factor);
    Tensor pictures;
    for (std::int64_t picture = 0; picture < latents.shape.front(); ++picture) {
        Tensor one = row_of(latents, picture);
        for (float& value : one.values) {
            value = value / scale + shift;
        }
        const std::vector<Input> inputs{{"latents", one}};
        TESSERA_ASSIGN(auto outputs, decoder->run(inputs, stop));
        Tensor& image = outputs.front();
        if (pictures.values.empty()) {
            pictures = std::move(image);
        } else {
            pictures.shape.front() += 1;
            pictures.values.insert(pictures.values.end(), image.values.begin(), image.values.end());
        }
    }
    return pictures;
}

Result<PipelineModel::Encoded> PipelineModel::encode(
    const Tensor& picture, const std::stop_token& stop
) {
    TESSERA_ASSIGN(
        const auto encoder,
        network(
            vae_encoder_,
            "vae_encoder",
            "vae",
            info_.vae_json,
            [&](const Weights& weights) {
                return write_vae_encoder(info_.vae, weights, GraphDialect::kOrtCpu);
            }
        )
    );
    const std::vector<Input> inputs{{"image", picture}};
    TESSERA_ASSIGN(auto outputs, encoder->run(inputs, stop));
    const auto scale = static_cast<float>(info_.vae.scaling_factor);
    const auto shift = static_cast<float>(info_.vae.shift_factor);
    for (float& value : outputs[0].values) {
        value = (value - shift) * scale;
    }
    return Encoded{std::move(outputs[0]), std::move(outputs[1])};
}

}  // namespace tessera
