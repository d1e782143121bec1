#include "imaging/comfyui_workflow.h"

#include "imaging/comfyui_graph_internal.h"
#include "imaging/comfyui_inputs_internal.h"
#include "imaging/comfyui_pass_internal.h"
#include "imaging/foreign_names.h"

#include <vector>

namespace tessera {
namespace {

using Wanted = ComfyGraph::Wanted;

/// How the picture was resized between two passes, or between the init picture and the first.
struct Resizing {
    bool happens = false;
    bool has_size = false;    ///< what comes before it in the graph no longer matters
    bool by_unknown = false;  ///< by a network's own factor
    double scale = 1.0;
    std::optional<int> width;
    std::optional<int> height;
    std::string upscaler;
};

struct PassAndSource {
    ComfyPass pass;
    Resizing source;
};

/// Goes back from the saved picture to where it began.
class WorkflowReader {
  public:
    explicit WorkflowReader(ComfyGraph graph) : graph_(std::move(graph)), inputs_(graph_, out_) {}

    Result<ForeignParameters> read() {
        out_.program = "ComfyUI";
        out_.noise = ForeignNoise::kTorchCpu;
        out_.steps_are_taken = true;
        TESSERA_ASSIGN(auto link, find_output());
        const ComfyNode* last = nullptr;
        while (link) {
            last = link->node;
            TESSERA_ASSIGN(link, step_back(*link->node));
        }
        if (passes_.empty()) {
            return fail(
                ErrorKind::kUnsupported,
                "the picture that ComfyUI's workflow saves does not come from a sampler; it comes "
                "from {}",
                last == nullptr ? "nowhere" : last->name()
            );
        }
        take_first_pass();
        take_further_passes();
        inputs_.list_loras();
        return std::move(out_);
    }

  private:
    void remark(std::string sentence) { add_not_honoured(out_, std::move(sentence)); }

    /// What the node that saved the picture saves.
    Result<std::optional<ComfyLink>> find_output() {
        const auto is_kind = [](const ComfyNode& node, int kind) {
            const bool shows = node.type.find("Save") != std::string::npos ||
                               node.type.find("Preview") != std::string::npos;
            return kind == 0   ? node.type == "SaveImage"
                   : kind == 1 ? node.type == "PreviewImage"
                               : shows;
        };
        for (int kind = 0; kind < 3; ++kind) {
            std::optional<ComfyLink> taken;
            for (const ComfyNode& node : graph_.nodes()) {
                if (!is_kind(node, kind)) {
                    continue;
                }
                const char* const input = node.inputs.contains("images") ? "images" : "image";
                TESSERA_ASSIGN(const auto link, graph_.follow(node, input));
                if (link && taken) {
                    remark(
                        "the workflow saves several pictures and does not say which this is; "
                        "the first is taken"
                    );
                    return taken;
                }
                taken = link ? link : taken;
            }
            if (taken) {
                return taken;
            }
        }
        return fail(
            ErrorKind::kUnsupported, "ComfyUI's workflow in the picture has no node that saves one"
        );
    }

    /// Takes one node down and gives the one that it got its picture or latents from.
    Result<std::optional<ComfyLink>> step_back(const ComfyNode& node) {
        if (is_comfy_sampler(node)) {
            TESSERA_ASSIGN(auto pass, read_comfy_pass(node, graph_, inputs_, out_));
            passes_.push_back({std::move(pass), {}});
            return graph_.follow(node, "latent_image");
        }
        if (node.is({"VAEDecode", "VAEDecodeTiled"})) {
            TESSERA_TRY(inputs_.vae(node));
            return graph_.follow(node, "samples");
        }
        if (node.is({"VAEEncode", "VAEEncodeTiled"})) {
            TESSERA_TRY(inputs_.vae(node));
            return graph_.follow(node, "pixels");
        }
        if (node.is({"VAEEncodeForInpaint"})) {
            TESSERA_TRY(inputs_.vae(node));
            take_mask(node);
            remark(fmt::format("{} paints the masked part grey beforehand", node.name()));
            return graph_.follow(node, "pixels");
        }
        if (node.is({"SetLatentNoiseMask"})) {
            take_mask(node);
            return graph_.follow(node, "samples");
        }
        if (node.type.starts_with("Empty") && node.inputs.contains("width")) {
            TESSERA_TRY(take_empty_latent(node));
            return std::nullopt;
        }
        if (node.type.starts_with("LoadImage") || node.inputs.contains("upload")) {
            TESSERA_ASSIGN(const auto file, graph_.value(node, "image", Wanted::kText, out_));
            out_.from_picture = true;
            out_.init_picture = file.value_or("");
            return std::nullopt;
        }
        return step_back_through_resizing(node);
    }

    Result<std::optional<ComfyLink>> step_back_through_resizing(const ComfyNode& node) {
        const bool by_factor = node.is({"LatentUpscaleBy", "ImageScaleBy"});
        const bool to_size = node.is({"LatentUpscale", "ImageScale"});
        const bool by_network = node.is({"ImageUpscaleWithModel"});
        if (!by_factor && !to_size && !by_network) {
            return step_back_through_unknown(node);
        }
        const char* const input = node.type.starts_with("Latent") ? "samples" : "image";
        if (passes_.empty()) {
            remark(fmt::format("{} resizes the finished picture", node.name()));
            return graph_.follow(node, input);
        }
        Resizing& resizing = passes_.back().source;
        resizing.happens = true;
        if (by_network) {
            TESSERA_TRY(take_network(node, resizing));
            return graph_.follow(node, input);
        }
        TESSERA_TRY(take_method(node, resizing));
        if (resizing.has_size) {
            return graph_.follow(node, input);
        }
        if (by_factor) {
            TESSERA_ASSIGN(const auto scale, graph_.real(node, "scale_by", 1e-3, 100.0, out_));
            resizing.scale *= scale.value_or(1.0);
        } else {
            constexpr int kMost = kMostForeignSide;
            TESSERA_ASSIGN(resizing.width, graph_.whole(node, "width", 0, kMost, out_));
            TESSERA_ASSIGN(resizing.height, graph_.whole(node, "height", 0, kMost, out_));
            resizing.has_size = true;
        }
        return graph_.follow(node, input);
    }

    Result<std::optional<ComfyLink>> step_back_through_unknown(const ComfyNode& node) {
        remark(node.name());
        for (const char* const input :
             {"samples",
              "latent",
              "latent_image",
              "samples1",
              "image",
              "images",
              "pixels",
              "samples_to",
              "destination",
              "image1"}) {
            TESSERA_ASSIGN(const auto link, graph_.follow(node, input));
            if (link) {
                return link;
            }
        }
        return std::nullopt;
    }

    Status take_network(const ComfyNode& node, Resizing& resizing) {
        resizing.by_unknown = resizing.by_unknown || !resizing.has_size;
        TESSERA_ASSIGN(const auto loader, graph_.follow(node, "upscale_model"));
        if (loader) {
            TESSERA_ASSIGN(
                const auto name, graph_.value(*loader->node, "model_name", Wanted::kText, out_)
            );
            resizing.upscaler = name.value_or("");
        }
        return {};
    }

    Status take_method(const ComfyNode& node, Resizing& resizing) {
        if (!resizing.upscaler.empty()) {
            return {};
        }
        TESSERA_ASSIGN(
            const auto method, graph_.value(node, "upscale_method", Wanted::kText, out_)
        );
        const std::string name = method.value_or("");
        if (!node.type.starts_with("Latent")) {
            resizing.upscaler = name == "lanczos" ? "Lanczos" : name;
        } else {
            resizing.upscaler = name == "bilinear" ? "Latent" : fmt::format("Latent ({})", name);
        }
        return {};
    }

    void take_mask(const ComfyNode& node) {
        out_.inpaint = ForeignInpaint();
        remark(fmt::format("the mask of {} is not in the picture's metadata", node.name()));
    }

    Status take_empty_latent(const ComfyNode& node) {
        constexpr int kMost = kMostForeignSide;
        TESSERA_ASSIGN(out_.width, graph_.whole(node, "width", 1, kMost, out_));
        TESSERA_ASSIGN(out_.height, graph_.whole(node, "height", 1, kMost, out_));
        TESSERA_ASSIGN(const auto batch, graph_.whole(node, "batch_size", 1, 1 << 20, out_));
        if (batch && *batch > 1) {
            remark(fmt::format(
                "{} makes {} pictures out of one seed and does not say which this is; the first is "
                "taken",
                node.name(),
                *batch
            ));
        }
        return {};
    }

    void take_first_pass() {
        const auto& [pass, source] = passes_.back();
        out_.prompt = pass.prompt;
        out_.negative_prompt = pass.negative_prompt;
        out_.model = pass.model;
        out_.steps = pass.steps;
        out_.cfg = pass.cfg;
        out_.seed = pass.seed;
        out_.sampler = pass.sampler;
        out_.scheduler = pass.scheduler;
        if (out_.from_picture) {
            out_.denoise = pass.denoise;
            if (source.width.value_or(0) > 0 && source.height.value_or(0) > 0) {
                out_.width = source.width;
                out_.height = source.height;
            }
        } else if (pass.denoise < 1.0) {
            remark(fmt::format(
                "{} starts with denoise {} and no picture", pass.node->name(), pass.denoise
            ));
        }
        if (draws_noise_in_steps(pass.sampler)) {
            remark(fmt::format(
                "sampler {} draws noise in each step, with another generator than here",
                shown(pass.sampler)
            ));
        }
    }

    void take_further_passes() {
        for (std::size_t further = 1; further < passes_.size(); ++further) {
            const auto& [pass, source] = passes_[passes_.size() - 1 - further];
            if (source.happens && !out_.hires) {
                take_hires(pass, source);
            } else {
                remark(fmt::format("{} samples once more", pass.node->name()));
            }
        }
    }

    void take_hires(const ComfyPass& pass, const Resizing& source) {
        const ComfyPass& first = passes_.back().pass;
        ForeignHires hires;
        if (source.has_size) {
            hires.width = source.width == 0 ? std::nullopt : source.width;
            hires.height = source.height == 0 ? std::nullopt : source.height;
        } else if (source.by_unknown) {
            remark(fmt::format(
                "the size of the second pass, {}, depends on the upscaler {}",
                pass.node->name(),
                shown(source.upscaler)
            ));
        } else {
            hires.scale = source.scale;
        }
        hires.upscaler = source.upscaler;
        hires.denoise = pass.denoise;
        hires.steps = pass.steps;
        hires.cfg = pass.cfg;
        const auto unless_same = [](const std::string& text, const std::string& before) {
            return text == before ? std::string() : text;
        };
        hires.sampler = unless_same(pass.sampler, first.sampler);
        hires.scheduler = unless_same(pass.scheduler, first.scheduler);
        hires.prompt = unless_same(pass.prompt, first.prompt);
        hires.negative_prompt = unless_same(pass.negative_prompt, first.negative_prompt);
        if (pass.seed != first.seed) {
            remark(fmt::format("{}, the second pass, has a seed of its own", pass.node->name()));
        }
        if (pass.model != first.model) {
            remark(fmt::format("{}, the second pass, has another model", pass.node->name()));
        }
        out_.hires = std::move(hires);
    }

    ComfyGraph graph_;
    ForeignParameters out_;
    ComfyInputs inputs_;
    std::vector<PassAndSource> passes_;  // the last first
};

}  // namespace

Result<ForeignParameters> read_comfyui_workflow(std::string_view prompt_json) {
    TESSERA_ASSIGN(auto graph, ComfyGraph::parse(prompt_json));
    return WorkflowReader(std::move(graph)).read();
}

}  // namespace tessera
