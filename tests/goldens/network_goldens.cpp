#include "goldens/network_goldens.h"

#include "checkpoint/diffusers_folder.h"
#include "goldens/golden_case.h"
#include "models/autoencoder_kl.h"
#include "models/clip_text_model.h"
#include "models/unet2d_condition_model.h"

#include <algorithm>

namespace tessera {
namespace {

/// One component of the model folder, with both graph dialects checked: what the engine runs, and
/// what export-onnx writes.
class ComponentCheck {
  public:
    ComponentCheck(GoldenCase& golden, const DiffusersFolder& folder, const GoldenEngine& engine)
        : golden_(golden), folder_(folder), engine_(engine) {}

    /// Loads the network that `write` makes of the component; nullptr after a failing row.
    template <class Config, class Write>
    std::shared_ptr<Network> load(const char* component, GraphDialect dialect, const Write& write) {
        const auto json = golden_.take(component, folder_.component_config(component));
        const auto weights = golden_.take(component, folder_.weights(component));
        if (!json || !weights) {
            return nullptr;
        }
        const auto config = golden_.take(component, Config::parse(*json));
        if (!config) {
            return nullptr;
        }
        const ModelSource source{component, "", [&] { return write(*config, *weights, dialect); }};
        const auto network = golden_.take(component, engine_.engine->load(source));
        return network ? *network : nullptr;
    }

    /// Runs the network and compares each output named on the left with the reference on the right.
    void run(
        const std::shared_ptr<Network>& network,
        const std::vector<Input>& inputs,
        const std::vector<std::pair<std::string, std::string>>& outputs
    ) {
        if (network == nullptr) {
            return;
        }
        const auto results = golden_.take(outputs.front().second, network->run(inputs));
        if (!results) {
            return;
        }
        for (const auto& [output, reference] : outputs) {
            const auto& ports = network->outputs();
            // clang 14 cannot capture a structured binding.
            const auto is_output = [&name = output](const Port& candidate) {
                return candidate.name == name;
            };
            const auto port = std::find_if(ports.begin(), ports.end(), is_output);
            if (port == ports.end()) {
                golden_.fail(reference, "the network has no output " + output);
                continue;
            }
            const auto index = static_cast<std::size_t>(port - ports.begin());
            golden_.compare(reference, (*results)[index], kSingleNetwork);
        }
    }

  private:
    GoldenCase& golden_;
    const DiffusersFolder& folder_;
    const GoldenEngine& engine_;
};

void check_text_encoder(GoldenCase& golden, ComponentCheck& check, GraphDialect dialect) {
    if (!golden.has("text.ids")) {
        return;
    }
    const IdTensor ids = golden.ids("text.ids");
    int layers = 0;
    const auto whole = check.load<ClipTextConfig>(
        "text_encoder",
        dialect,
        [&](const ClipTextConfig& config, const Weights& weights, GraphDialect graph) {
            layers = config.num_hidden_layers;
            return write_clip_text_model(config, weights, graph);
        }
    );
    check.run(
        whole,
        {{"input_ids", ids}},
        {{"last_hidden_state", "text.last_hidden_state"},
         {"hidden_states." + std::to_string(layers - 1), "text.hidden_penultimate"},
         {"hidden_states.0", "text.embeddings"},
         {"pooled_output", "text.pooled"}}
    );
    const auto skipped = check.load<ClipTextConfig>(
        "text_encoder",
        dialect,
        [](const ClipTextConfig& config, const Weights& weights, GraphDialect graph) {
            return write_clip_text_model(config, weights, graph, {.clip_skip = 2});
        }
    );
    check.run(skipped, {{"input_ids", ids}}, {{"last_hidden_state", "text.clip_skip_2"}});
}

void check_unet(GoldenCase& golden, ComponentCheck& check, GraphDialect dialect) {
    if (!golden.has("unet.sample")) {
        return;
    }
    const Tensor sample = golden.floats("unet.sample");
    const Tensor context = golden.floats("unet.context");
    const auto unet =
        check.load<UNet2DConditionConfig>("unet", dialect, write_unet2d_condition_model);
    for (int call = 0; golden.has("unet.timesteps." + std::to_string(call)); ++call) {
        const std::string index = std::to_string(call);
        const IdTensor steps = golden.ids("unet.timesteps." + index);
        const Tensor timestep(steps.shape, {steps.values.begin(), steps.values.end()});
        check.run(
            unet,
            {{"sample", sample}, {"timestep", timestep}, {"encoder_hidden_states", context}},
            {{"out_sample", "unet.out." + index}}
        );
    }
}

void check_vae(GoldenCase& golden, ComponentCheck& check, GraphDialect dialect) {
    if (golden.has("vae.latents")) {
        const Tensor latents = golden.floats("vae.latents");
        const auto decoder = check.load<AutoencoderKlConfig>("vae", dialect, write_vae_decoder);
        check.run(decoder, {{"latents", latents}}, {{"image", "vae.decoded"}});
    }
    if (golden.has("vae.image")) {
        const Tensor image = golden.floats("vae.image");
        const auto encoder = check.load<AutoencoderKlConfig>("vae", dialect, write_vae_encoder);
        check.run(encoder, {{"image", image}}, {{"mean", "vae.mean"}, {"logvar", "vae.logvar"}});
    }
}

}  // namespace

std::vector<GoldenRow> check_networks(
    const std::string& name, const std::filesystem::path& folder, const GoldenEngine& engine
) {
    std::vector<GoldenRow> rows;
    for (const auto& [dialect, suffix] :
         {std::pair{GraphDialect::kOrtCpu, ""}, std::pair{GraphDialect::kOnnx, " (export)"}}) {
        GoldenCase golden(name + suffix, folder, "expected.safetensors");
        const auto model = golden.take("model_index.json", DiffusersFolder::open(folder));
        if (golden.is_open() && model) {
            ComponentCheck check(golden, *model, engine);
            check_text_encoder(golden, check, dialect);
            check_unet(golden, check, dialect);
            check_vae(golden, check, dialect);
        }
        auto more = golden.take_rows();
        rows.insert(rows.end(), more.begin(), more.end());
    }
    return rows;
}

}  // namespace tessera
