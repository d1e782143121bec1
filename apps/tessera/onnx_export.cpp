#include "tessera/onnx_export.h"

#include "base/file.h"
#include "diffusion/model_info.h"
#include "models/onnx_file.h"

#include <functional>
#include <system_error>

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

struct Network {
    const char* name;
    const char* component;
    std::function<Result<OnnxModel>(const Weights&)> write;
};

std::vector<Network> networks_of(const ModelInfo& info) {
    return {
        {"text_encoder",
         "text_encoder",
         [&](const Weights& weights) {
             return write_clip_text_model(info.text_encoder, weights, GraphDialect::kOnnx);
         }},
        {"unet",
         "unet",
         [&](const Weights& weights) {
             return write_unet2d_condition_model(info.unet, weights, GraphDialect::kOnnx);
         }},
        {"vae_decoder",
         "vae",
         [&](const Weights& weights) {
             return write_vae_decoder(info.vae, weights, GraphDialect::kOnnx);
         }},
        {"vae_encoder",
         "vae",
         [&](const Weights& weights) {
             return write_vae_encoder(info.vae, weights, GraphDialect::kOnnx);
         }},
    };
}

std::string readme(const ModelInfo& info) {
    return fmt::format(
        "# {name} as ONNX\n\n"
        "{title}. Four networks in fp32, opset 17, standard operators only; each `.onnx` file "
        "takes "
        "its weights\nfrom the `.onnx.data` file beside it. Batch and size are free.\n\n"
        "| file | inputs | outputs |\n"
        "| --- | --- | --- |\n"
        "| `text_encoder.onnx` | `input_ids` {{batch, {positions}}} int64 | `last_hidden_state` "
        "{{batch, {positions}, {width}}}, `pooled_output`, `hidden_states.N` |\n"
        "| `unet.onnx` | `sample` {{batch, {latents}, h, w}}, `timestep` {{batch}}, "
        "`encoder_hidden_states` {{batch, tokens, {width}}} | `out_sample` {{batch, {latents}, h, "
        "w}} |\n"
        "| `vae_decoder.onnx` | `latents` {{batch, {latents}, h, w}}, divided by {scale} | `image` "
        "{{batch, 3, {factor}h, {factor}w}}, -1..1 |\n"
        "| `vae_encoder.onnx` | `image` {{batch, 3, H, W}} in -1..1, multiples of {factor} | "
        "`mean`, `logvar` {{batch, {latents}, H/{factor}, W/{factor}}}, before times {scale} |\n\n"
        "All but `input_ids` are float. `tokenizer/` turns prompts into ids, and\n"
        "`scheduler_config.json` describes the noise schedule in diffusers' words.\n",
        fmt::arg("name", info.name),
        fmt::arg("title", info.title),
        fmt::arg("positions", info.text_encoder.max_position_embeddings),
        fmt::arg("width", info.text_encoder.hidden_size),
        fmt::arg("latents", info.vae.latent_channels),
        fmt::arg("scale", info.vae.scaling_factor),
        fmt::arg("factor", info.vae.downscale())
    );
}

Status make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error || !fs::is_directory(folder, error)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the folder {} cannot be made{}; choose another",
            folder.string(),
            error ? ": " + error.message() : ""
        );
    }
    return {};
}

Status copy_whole(const fs::path& from, const fs::path& to) {
    constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20U;
    TESSERA_ASSIGN(const auto content, read_file(from, kMostBytes));
    return write_file_atomically(to, as_bytes(content));
}

/// The model's own tokenizer; where it has none, CLIP's merges.
Result<std::vector<fs::path>> copy_tokenizer(
    const Locations& locations, const fs::path& model, const fs::path& folder
) {
    TESSERA_TRY(make_folder(folder));
    std::vector<fs::path> written;
    const auto own = model / "tokenizer";
    std::error_code error;
    if (!fs::is_directory(own, error)) {
        written.push_back(folder / "merges.txt");
        TESSERA_TRY(copy_whole(locations.clip_merges(), written.back()));
        return written;
    }
    for (const char* name :
         {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
        if (fs::is_regular_file(own / name, error)) {
            written.push_back(folder / name);
            TESSERA_TRY(copy_whole(own / name, written.back()));
        }
    }
    return written;
}

}  // namespace

Result<std::vector<fs::path>> export_onnx(
    const Locations& locations,
    const fs::path& model,
    const fs::path& folder,
    Progress& progress,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto files, DiffusersFolder::open(model));
    TESSERA_ASSIGN(const auto info, ModelInfo::read(files));
    TESSERA_TRY(WeightsInfo::read(files));
    TESSERA_TRY(make_folder(folder));
    std::vector<fs::path> written;
    for (const Network& network : networks_of(info)) {
        if (stop.stop_requested()) {
            return fail(ErrorKind::kCancelled, "stopped");
        }
        progress.phase(fmt::format("writing {}.onnx", network.name));
        TESSERA_ASSIGN(const auto weights, files.weights(network.component));
        auto graph = network.write(weights);
        if (!graph) {
            return within(network.name, std::move(graph).error());
        }
        TESSERA_TRY(write_onnx_file(*graph, folder));
        written.push_back(folder / fmt::format("{}.onnx", network.name));
    }
    TESSERA_ASSIGN(const auto tokenizer, copy_tokenizer(locations, model, folder / "tokenizer"));
    written.insert(written.end(), tokenizer.begin(), tokenizer.end());
    written.push_back(folder / "scheduler_config.json");
    TESSERA_ASSIGN(const auto schedule, files.component_config("scheduler"));
    TESSERA_TRY(write_file_atomically(written.back(), as_bytes(schedule)));
    written.push_back(folder / "README.md");
    TESSERA_TRY(write_file_atomically(written.back(), as_bytes(readme(info))));
    return written;
}

}  // namespace tessera::cli
