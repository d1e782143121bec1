#include "imaging/comfyui_pass_internal.h"

#include <array>

namespace tessera {
namespace {

using Wanted = ComfyGraph::Wanted;

class PassReader {
  public:
    PassReader(
        const ComfyNode& node, ComfyGraph& graph, ComfyInputs& inputs, ForeignParameters& remarks
    )
        : node_(node), graph_(graph), inputs_(inputs), remarks_(remarks) {
        pass_.node = &node;
    }

    Result<ComfyPass> read() {
        if (node_.is({"KSamplerAdvanced"})) {
            TESSERA_TRY(read_advanced());
        } else if (node_.is({"SamplerCustom"})) {
            TESSERA_TRY(read_custom());
        } else if (node_.is({"SamplerCustomAdvanced"})) {
            TESSERA_TRY(read_custom_advanced());
        } else {
            TESSERA_TRY(read_plain());
        }
        return std::move(pass_);
    }

  private:
    void remark(std::string sentence) { add_not_honoured(remarks_, std::move(sentence)); }

    Result<std::string> text(const ComfyNode& node, const char* input) {
        TESSERA_ASSIGN(auto value, graph_.value(node, input, Wanted::kText, remarks_));
        return std::move(value).value_or("");
    }

    Status read_plain() {
        if (!node_.is({"KSampler"})) {
            remark(fmt::format("{} is taken for a KSampler", node_.name()));
        }
        const char* const seed = node_.inputs.contains("seed") ? "seed" : "noise_seed";
        TESSERA_ASSIGN(pass_.seed, graph_.seed(node_, seed, remarks_));
        TESSERA_TRY(read_steps(node_));
        TESSERA_ASSIGN(pass_.sampler, text(node_, "sampler_name"));
        TESSERA_ASSIGN(pass_.scheduler, text(node_, "scheduler"));
        return read_prompts(node_);
    }

    /// Steps start_at_step to end_at_step of a whole schedule.
    Status read_advanced() {
        TESSERA_ASSIGN(pass_.seed, graph_.seed(node_, "noise_seed", remarks_));
        TESSERA_TRY(read_steps(node_));
        TESSERA_ASSIGN(pass_.sampler, text(node_, "sampler_name"));
        TESSERA_ASSIGN(pass_.scheduler, text(node_, "scheduler"));
        TESSERA_ASSIGN(
            const auto start, graph_.whole(node_, "start_at_step", 0, kMostForeignSteps, remarks_)
        );
        TESSERA_ASSIGN(const auto end, graph_.real(node_, "end_at_step", 0.0, 1e9, remarks_));
        TESSERA_ASSIGN(const auto adds_noise, text(node_, "add_noise"));
        if (pass_.steps && end && *end < *pass_.steps) {
            remark(fmt::format("{} ends after step {}", node_.name(), *end));
        }
        if (adds_noise == "disable") {
            remark(fmt::format("{} adds no noise", node_.name()));
        }
        if (pass_.steps && start && *start > 0) {
            if (*start >= *pass_.steps) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "{} in the picture's metadata starts at step {} of {}",
                    node_.name(),
                    *start,
                    *pass_.steps
                );
            }
            const int whole = *pass_.steps;
            pass_.steps = whole - *start;
            pass_.denoise = static_cast<double>(*pass_.steps) / whole;
        }
        return read_prompts(node_);
    }

    Status read_custom() {
        TESSERA_ASSIGN(pass_.seed, graph_.seed(node_, "noise_seed", remarks_));
        TESSERA_TRY(read_sampler());
        TESSERA_TRY(read_sigmas());
        return read_prompts(node_);
    }

    Status read_custom_advanced() {
        TESSERA_ASSIGN(const auto noise, graph_.follow(node_, "noise"));
        if (noise) {
            TESSERA_ASSIGN(pass_.seed, graph_.seed(*noise->node, "noise_seed", remarks_));
            if (!noise->node->is({"RandomNoise"})) {
                remark(noise->node->name());
            }
        }
        TESSERA_TRY(read_sampler());
        TESSERA_TRY(read_sigmas());
        TESSERA_ASSIGN(const auto guider, graph_.follow(node_, "guider"));
        if (!guider) {
            return {};
        }
        const ComfyNode& guide = *guider->node;
        if (guide.is({"BasicGuider"})) {
            pass_.cfg = 1.0;
            TESSERA_ASSIGN(pass_.prompt, inputs_.prompt(guide, "conditioning", false));
            TESSERA_ASSIGN(pass_.model, inputs_.model(guide));
            return {};
        }
        if (!guide.is({"CFGGuider"})) {
            remark(guide.name());
        }
        return read_prompts(guide);
    }

    Status read_steps(const ComfyNode& node) {
        TESSERA_ASSIGN(pass_.steps, graph_.whole(node, "steps", 1, kMostForeignSteps, remarks_));
        TESSERA_ASSIGN(const auto denoise, graph_.real(node, "denoise", 0.0, 1.0, remarks_));
        pass_.denoise = denoise.value_or(1.0);
        return {};
    }

    Status read_sampler() {
        TESSERA_ASSIGN(const auto link, graph_.follow(node_, "sampler"));
        if (!link) {
            return {};
        }
        const ComfyNode& sampler = *link->node;
        if (sampler.is({"KSamplerSelect"})) {
            TESSERA_ASSIGN(pass_.sampler, text(sampler, "sampler_name"));
            return {};
        }
        struct Known {
            std::string_view type;
            const char* name;
        };
        constexpr std::array<Known, 8> kKnown{{
            {"SamplerEulerAncestral", "euler_ancestral"},
            {"SamplerLMS", "lms"},
            {"SamplerDPMPP_2M_SDE", "dpmpp_2m_sde"},
            {"SamplerDPMPP_3M_SDE", "dpmpp_3m_sde"},
            {"SamplerDPMPP_SDE", "dpmpp_sde"},
            {"SamplerDPMPP_2S_Ancestral", "dpmpp_2s_ancestral"},
            {"SamplerDPMAdaptative", "dpm_adaptive"},
            {"SamplerLCMUpscale", "lcm"},
        }};
        for (const Known& known : kKnown) {
            if (sampler.type == known.type) {
                pass_.sampler = known.name;
            }
        }
        TESSERA_ASSIGN(remarks_.eta, graph_.real(sampler, "eta", 0.0, 100.0, remarks_));
        TESSERA_ASSIGN(remarks_.s_noise, graph_.real(sampler, "s_noise", 0.0, 100.0, remarks_));
        const bool has_more = pass_.sampler.empty() || sampler.inputs.contains("solver_type") ||
                              sampler.inputs.contains("order") || sampler.inputs.contains("r");
        if (has_more) {
            remark(fmt::format("{} with options of its own", sampler.name()));
        }
        return {};
    }

    Status read_sigmas() {
        TESSERA_ASSIGN(const auto link, graph_.follow(node_, "sigmas"));
        if (!link) {
            return {};
        }
        const ComfyNode& sigmas = *link->node;
        TESSERA_TRY(read_steps(sigmas));
        if (sigmas.is({"BasicScheduler"})) {
            TESSERA_ASSIGN(pass_.scheduler, text(sigmas, "scheduler"));
        } else if (sigmas.is({"KarrasScheduler"})) {
            pass_.scheduler = "karras";
            remark(fmt::format("{} has a range of noise levels of its own", sigmas.name()));
        } else if (sigmas.is({"ExponentialScheduler"})) {
            pass_.scheduler = "exponential";
            remark(fmt::format("{} has a range of noise levels of its own", sigmas.name()));
        } else if (sigmas.is({"AlignYourStepsScheduler"})) {
            pass_.scheduler = "align_your_steps";
        } else {
            remark(fmt::format("{} makes noise levels of its own", sigmas.name()));
        }
        return {};
    }

    Status read_prompts(const ComfyNode& node) {
        TESSERA_ASSIGN(
            pass_.cfg, graph_.real(node, "cfg", -kMostForeignCfg, kMostForeignCfg, remarks_)
        );
        TESSERA_ASSIGN(pass_.prompt, inputs_.prompt(node, "positive", false));
        TESSERA_ASSIGN(pass_.negative_prompt, inputs_.prompt(node, "negative", true));
        TESSERA_ASSIGN(pass_.model, inputs_.model(node));
        return {};
    }

    const ComfyNode& node_;
    ComfyGraph& graph_;
    ComfyInputs& inputs_;
    ForeignParameters& remarks_;
    ComfyPass pass_;
};

}  // namespace

bool is_comfy_sampler(const ComfyNode& node) {
    const auto has = [&](const char* input) { return node.inputs.contains(input); };
    return has("latent_image") && (has("seed") || has("noise_seed") || has("noise"));
}

Result<ComfyPass> read_comfy_pass(
    const ComfyNode& node, ComfyGraph& graph, ComfyInputs& inputs, ForeignParameters& remarks
) {
    return PassReader(node, graph, inputs, remarks).read();
}

}  // namespace tessera
