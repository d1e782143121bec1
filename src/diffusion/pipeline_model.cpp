#include "diffusion/pipeline_model.h"

#include "base/hash.h"
#include "prompt/emphasis.h"

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

/// Lengthens {1, positions, width} as A1111 does where prompts joined by AND differ in length.
void repeat_last_position(Tensor& hidden, std::int64_t positions) {
    const std::vector<float> last(hidden.values.end() - hidden.shape[2], hidden.values.end());
    for (; hidden.shape[1] < positions; ++hidden.shape[1]) {
        hidden.values.insert(hidden.values.end(), last.begin(), last.end());
    }
}

void append_row(Tensor& batch, const Tensor& row) {
    if (batch.shape.empty()) {
        batch = row;
        return;
    }
    batch.shape.front() += 1;
    batch.values.insert(batch.values.end(), row.values.begin(), row.values.end());
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
    const std::filesystem::path& clip_merges,
    std::vector<TextualInversion> embeddings
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
    std::shared_ptr<PipelineModel> model(new PipelineModel(
        std::move(folder), std::move(info), std::move(tokenizer), std::move(engine)
    ));
    TESSERA_TRY(model->install(std::move(embeddings)));
    return model;
}

Result<std::shared_ptr<Network>> PipelineModel::network(
    LazyNetwork& lazy,
    const char* name,
    const char* component,
    const std::string& config_json,
    const WriteGraph& write
) {
    const std::scoped_lock lock(lazy.mutex);
    if (lazy.network == nullptr || lazy.config_json != config_json) {
        lazy.network.reset();
        TESSERA_ASSIGN(const auto weights, folder_.weights(component));
        const ModelSource source{
            name, FastHash().add(name).add(weights.identity()).add(config_json).hex(), [&] {
                return write(weights);
            }};
        TESSERA_ASSIGN(lazy.network, engine_->load(source));
        lazy.config_json = config_json;
    }
    return lazy.network;
}

Status PipelineModel::install(std::vector<TextualInversion> embeddings) {
    std::vector<EmbeddingName> names;
    for (TextualInversion& embedding : embeddings) {
        const auto name_ids = tokenizer_.ids(embedding.name);
        if (!name_ids || name_ids->empty()) {
            continue;  // no prompt can name it
        }
        const Tensor* vectors = embedding.of_width(info_.text_encoder.hidden_size);
        if (vectors == nullptr) {
            unfit_embeddings_.push_back(std::move(embedding.name));
            continue;
        }
        names.push_back({std::move(embedding.name), static_cast<std::size_t>(vectors->shape[0])});
        embeddings_.push_back({*vectors, embedding.sha256});
    }
    TESSERA_ASSIGN(names_, EmbeddingNames::make(std::move(names), tokenizer_));
    return {};
}

Result<ParsedPrompt> PipelineModel::parse(const std::string& prompt, PromptOptions options) const {
    options.embeddings = &names_;
    TESSERA_ASSIGN(auto parsed, parse_prompt(prompt, tokenizer_, options));
    if (options.syntax == PromptSyntax::kA1111) {
        for (const std::string& name : unfit_embeddings_) {
            if (prompt.find(name) != std::string::npos) {
                parsed.remarks.push_back(fmt::format(
                    "the embedding \"{}\" was made for another kind of model and is not used; the "
                    "word is taken as it stands",
                    name
                ));
            }
        }
    }
    return parsed;
}

std::map<std::string, std::string> PipelineModel::embeddings_in(const ParsedPrompt& prompt) const {
    std::map<std::string, std::string> used;
    for (const PromptPart& part : prompt.parts) {
        for (const PromptVariant& variant : part.variants) {
            for (const PromptChunk& chunk : variant.chunks) {
                for (const EmbeddingUse& use : chunk.embeddings) {
                    used.emplace(
                        names_.all()[use.embedding].name, embeddings_[use.embedding].sha256
                    );
                }
            }
        }
    }
    return used;
}

Result<std::shared_ptr<Network>> PipelineModel::text_encoder(int clip_skip) {
    return network(
        text_encoder_,
        "text_encoder",
        "text_encoder",
        fmt::format("{} clip skip {}", info_.text_encoder_json, clip_skip),
        [&, clip_skip](const Weights& weights) {
            return write_clip_text_model(
                info_.text_encoder,
                weights,
                GraphDialect::kOrtCpu,
                {.clip_skip = clip_skip, .takes_vectors = true}
            );
        }
    );
}

Result<Tensor> PipelineModel::run_text_encoder(
    const IdTensor& ids,
    const std::vector<EmbeddingUse>& embeddings,
    int clip_skip,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto encoder, text_encoder(clip_skip));
    const std::int64_t width = info_.text_encoder.hidden_size;
    Tensor shares({ids.shape[0], ids.shape[1], 1});
    std::fill(shares.values.begin(), shares.values.end(), 1.0F);
    Tensor vectors({ids.shape[0], ids.shape[1], width});
    for (const EmbeddingUse& use : embeddings) {
        const Tensor& rows = embeddings_[use.embedding].vectors;
        const auto first = static_cast<std::ptrdiff_t>(use.position);
        std::fill_n(shares.values.begin() + first, use.vectors, 0.0F);
        std::copy(rows.values.begin(), rows.values.end(), vectors.values.begin() + first * width);
    }
    const std::vector<Input> inputs{
        {"input_ids", ids}, {"id_shares", shares}, {"vectors", vectors}};
    TESSERA_ASSIGN(auto outputs, encoder->run(inputs, stop));
    return std::move(output_named(*encoder, outputs, "last_hidden_state"));
}

Result<Tensor> PipelineModel::encode_ids(
    const IdTensor& ids, int clip_skip, const std::stop_token& stop
) {
    return run_text_encoder(ids, {}, clip_skip, stop);
}

Result<Tensor> PipelineModel::encode_chunk(const ChunkKey& chunk, const std::stop_token& stop) {
    constexpr std::size_t kKeptTexts = 256;
    {
        const std::scoped_lock lock(text_mutex_);
        const auto known = std::find_if(text_cache_.begin(), text_cache_.end(), [&](auto& entry) {
            return entry.first == chunk;
        });
        if (known != text_cache_.end()) {
            text_cache_.splice(text_cache_.begin(), text_cache_, known);
            return known->second;
        }
    }
    const IdTensor ids{
        {1, static_cast<std::int64_t>(chunk.ids.size())}, {chunk.ids.begin(), chunk.ids.end()}};
    TESSERA_ASSIGN(auto hidden, run_text_encoder(ids, chunk.embeddings, chunk.clip_skip, stop));
    const std::scoped_lock lock(text_mutex_);
    text_cache_.emplace_front(chunk, hidden);
    if (text_cache_.size() > kKeptTexts) {
        text_cache_.pop_back();
    }
    return hidden;
}

/// All variants of a part have the same number of chunks. The emphasis of their i-th chunks shares
/// one mean, in which a variant counts as often as the schedule names it: A1111's batch.
Result<std::vector<Tensor>> PipelineModel::encode_variants(
    const PromptPart& part, int clip_skip, const std::stop_token& stop
) {
    std::vector<Tensor> encoded(part.variants.size());
    for (std::size_t i = 0; i < part.variants.front().chunks.size(); ++i) {
        Tensor batch;
        std::vector<float> weights;
        for (const ScheduledVariant& piece : part.schedule) {
            const PromptChunk& chunk = part.variants[piece.variant].chunks[i];
            TESSERA_ASSIGN(
                const Tensor hidden, encode_chunk({chunk.ids, chunk.embeddings, clip_skip}, stop)
            );
            append_row(batch, hidden);
            weights.insert(weights.end(), chunk.weights.begin(), chunk.weights.end());
        }
        TESSERA_TRY(apply_emphasis(batch, weights));
        for (std::size_t variant = 0; variant < part.variants.size(); ++variant) {
            const auto named = std::find_if(
                part.schedule.begin(),
                part.schedule.end(),
                [&](const ScheduledVariant& piece) { return piece.variant == variant; }
            );
            const Tensor hidden = row_of(batch, named - part.schedule.begin());
            Tensor& whole = encoded[variant];
            whole.values.insert(whole.values.end(), hidden.values.begin(), hidden.values.end());
            whole.shape = hidden.shape;
            whole.shape[1] *= static_cast<std::int64_t>(i + 1);
        }
    }
    return encoded;
}

Result<Conditioning> PipelineModel::encode_prompt(
    const ParsedPrompt& prompt, int clip_skip, const std::stop_token& stop
) {
    Conditioning conditioning;
    std::int64_t positions = 0;
    for (const PromptPart& part : prompt.parts) {
        TESSERA_ASSIGN(auto variants, encode_variants(part, clip_skip, stop));
        positions = std::max(positions, variants.front().shape[1]);
        conditioning.parts.push_back({part.weight, std::move(variants), part.schedule});
    }
    for (Conditioning::Part& part : conditioning.parts) {
        for (Tensor& hidden : part.variants) {
            repeat_last_position(hidden, positions);
        }
    }
    return conditioning;
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
        append_row(pictures, outputs.front());
    }
    return pictures;
}

Result<std::string> PipelineModel::vae_key() const {
    TESSERA_ASSIGN(const auto weights, folder_.weights("vae"));
    return FastHash().add(weights.identity()).add(info_.vae_json).hex();
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
