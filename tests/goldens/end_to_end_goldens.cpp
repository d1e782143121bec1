#include "base/file.h"
#include "diffusion/pipeline.h"
#include "goldens/golden_case.h"
#include "goldens/network_goldens.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{16} << 20;

nlohmann::json read_json(const std::filesystem::path& path) {
    const auto text = read_file(path, kMaxJsonBytes);
    return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

/// One sampling run on given noise, its latents compared after every step.
class GoldenRun {
  public:
    GoldenRun(GoldenCase& golden, std::shared_ptr<PipelineModel> model)
        : golden_(golden), model_(std::move(model)) {}

    struct Request {
        std::string prompt;
        std::string negative_prompt;
        int steps;
        double guidance_scale;
        Tensor noise;
        std::optional<Tensor> init;
        std::optional<double> strength;
        std::optional<Tensor> mask;
    };

    /// Tells `reached(steps taken, latents)` the start and every step. Returns the last latents,
    /// empty after a failing row.
    template <class Observer>
    Tensor run(const Request& request, Observer reached) {
        DenoiseRequest denoise{};
        denoise.sampler = "DDIM";
        denoise.plan.config = model_->info().scheduler;
        denoise.plan.steps = request.steps;
        denoise.noise.seeds = {{}};
        if (request.noise.shape.size() != 4) {
            golden_.fail("noise", "is missing or misshapen");
            return {};
        }
        denoise.latent_shape.assign(request.noise.shape.begin() + 1, request.noise.shape.end());
        denoise.given_noise = request.noise;
        denoise.init = request.init;
        denoise.mask = request.mask;
        denoise.plan.strength = request.strength;
        auto loop = golden_.take("start", DenoiseLoop::start(std::move(denoise)));
        if (!loop) {
            return {};
        }
        RenderRequest render{};
        render.prompt = request.prompt;
        render.negative_prompt = request.negative_prompt;
        render.steps = request.steps;
        render.guidance.scale = request.guidance_scale;
        const auto denoiser =
            golden_.take("text", make_denoiser(model_, render, loop->sampler(), {}));
        if (!denoiser) {
            return {};
        }
        reached(loop->step(), loop->latents());
        while (!loop->done()) {
            if (const auto status = loop->advance(**denoiser, {}); !status) {
                golden_.fail("step", status.error().message);
                return {};
            }
            reached(loop->step(), loop->latents());
        }
        return loop->latents();
    }

    /// The same, compared row by row: `latents` begins with the start or after the first step.
    Tensor compare(const Request& request, const std::string& latents, bool has_start_row) {
        return run(request, [&](std::size_t step, const Tensor& reached) {
            const auto row = static_cast<std::int64_t>(step) - (has_start_row ? 0 : 1);
            if (row >= 0) {
                golden_.compare_row(latents, row, reached, kEndToEndLatents);
            }
        });
    }

  private:
    GoldenCase& golden_;
    std::shared_ptr<PipelineModel> model_;
};

Tensor to_unit_range(Tensor image) {
    for (float& value : image.values) {
        value = std::clamp(value / 2 + 0.5F, 0.0F, 1.0F);
    }
    return image;
}

Tensor to_signed_range(Tensor image) {
    for (float& value : image.values) {
        value = value * 2 - 1;
    }
    return image;
}

std::shared_ptr<PipelineModel> open_model(
    GoldenCase& golden, const std::filesystem::path& folder, const GoldenEngine& engine
) {
    auto model =
        golden.take("model", PipelineModel::open(folder, engine.engine, engine.clip_merges));
    return model ? *model : nullptr;
}

/// Samples of the posterior, as diffusers starts image-to-image; Tessera starts from its mean.
Tensor sample_posterior(const PipelineModel::Encoded& encoded, const Tensor& noise, double scale) {
    Tensor sampled = encoded.mean;
    for (std::size_t i = 0; i < sampled.values.size(); ++i) {
        const double deviation = std::exp(0.5 * static_cast<double>(encoded.logvar.values[i]));
        sampled.values[i] += static_cast<float>(scale * deviation * noise.values[i]);
    }
    return sampled;
}

}  // namespace

std::vector<GoldenRow> check_end_to_end(
    const std::string& name, const std::filesystem::path& folder, const GoldenEngine& engine
) {
    GoldenCase golden(name, folder, "expected.safetensors");
    const auto json = read_json(folder / "case.json");
    if (!golden.is_open() || !json.is_object()) {
        golden.fail("case.json", "cannot be read");
        return golden.take_rows();
    }
    const auto base = folder / json.value("base_model", "");
    const auto model = open_model(golden, base.lexically_normal(), engine);
    if (model == nullptr) {
        return golden.take_rows();
    }
    GoldenRun::Request request{
        json.value("prompt", ""),
        json.value("negative_prompt", ""),
        json.value("steps", 0),
        json.value("cfg", 0.0),
        golden.floats("noise"),
        std::nullopt,
        std::nullopt,
        std::nullopt};

    std::vector<std::int64_t> ids;
    for (const auto* text : {&request.negative_prompt, &request.prompt}) {
        if (const auto chunks = golden.take("ids", model->tokenizer().chunks(*text))) {
            ids.insert(ids.end(), chunks->front().ids.begin(), chunks->front().ids.end());
        }
    }
    golden.compare_ids("ids", ids);
    if (auto context = golden.take("context", model->encode_ids(golden.ids("ids"), 1, {}))) {
        golden.compare("context", *context, kSingleNetwork);
    }

    GoldenRun runs(golden, model);
    const Tensor latents = runs.compare(request, "txt2img.latents", /*has_start_row=*/false);
    if (auto image = golden.take("txt2img.image", model->decode(latents, {}))) {
        golden.compare("txt2img.decoded", *image, kEndToEndImages);
        golden.compare("txt2img.image", to_unit_range(*image), kEndToEndImages);
    }

    const auto init = to_signed_range(golden.floats("init_image"));
    if (const auto encoded = golden.take("img2img.mean", model->encode(init, {}))) {
        golden.compare("img2img.mean", encoded->mean, kSingleNetwork);
        request.strength = 0.6;
        request.init = encoded->mean;
        runs.compare(request, "img2img.mode.latents", /*has_start_row=*/true);

        const Tensor sampled = sample_posterior(
            *encoded, golden.floats("encode_noise"), model->info().vae.scaling_factor
        );
        golden.compare("img2img.sampled", sampled, kSingleNetwork);
        request.init = sampled;
        const auto compare_run = [&](const std::string& run, bool has_start_row) {
            const Tensor last = runs.compare(request, run + ".latents", has_start_row);
            if (auto image = golden.take(run + ".image", model->decode(last, {}))) {
                golden.compare(run + ".image", to_unit_range(*image), kEndToEndImages);
            }
        };
        compare_run("img2img.sampled", /*has_start_row=*/true);

        request.init = encoded->mean;
        request.mask = golden.floats("inpaint.mask");
        compare_run("inpaint.s06", /*has_start_row=*/false);
        request.strength.reset();
        compare_run("inpaint.full", /*has_start_row=*/false);
    }
    return golden.take_rows();
}

namespace {

/// The demo model's references of one prompt, whose tensors begin with `key`.
class DemoPrompt {
  public:
    DemoPrompt(GoldenCase& golden, std::shared_ptr<PipelineModel> model, std::string key)
        : golden_(golden), model_(std::move(model)), key_(std::move(key)) {}

    void check_text(const std::string& text) {
        const auto chunks = golden_.take(name("ids"), model_->tokenizer().chunks(text));
        const auto parsed = golden_.take(name("text"), model_->parse(text, {}));
        if (!chunks || !parsed) {
            return;
        }
        golden_.compare_ids(name("ids"), chunks->front().ids);
        if (const auto told = golden_.take(name("text"), model_->encode_prompt(*parsed, 1, {}))) {
            golden_.compare(name("text"), told->parts.front().variants.front(), kSingleNetwork);
        }
    }

    /// Single UNet calls on the starting noise, at whatever timesteps the case has.
    void check_unet(const char* kind, const Tensor& text) {
        const Tensor noise = golden_.floats(name("noise"));
        for (int timestep = 0; timestep < 1000; ++timestep) {
            const std::string tensor = name(fmt::format("unet_{}_t{}", kind, timestep));
            if (!golden_.has(tensor)) {
                continue;
            }
            if (const auto out = golden_.take(tensor, model_->predict(noise, timestep, text, {}))) {
                golden_.compare(tensor, *out, kSingleNetwork);
            }
        }
    }

    void check_sampling(const GoldenRun::Request& request) {
        GoldenRun run(golden_, model_);
        const Tensor latents = run.run(request, [&](std::size_t step, const Tensor& reached) {
            const std::string tensor = step < static_cast<std::size_t>(request.steps)
                                           ? fmt::format("ddim_x_{:02}", step)
                                           : std::string("latent");
            golden_.compare(name(tensor), reached, kEndToEndLatents);
        });
        if (const auto image = golden_.take(name("image"), model_->decode(latents, {}))) {
            golden_.compare(name("image"), *image, kEndToEndImages);
        }
    }

    void check_encoder() {
        Tensor picture = golden_.floats(name("image"));
        for (float& value : picture.values) {
            value = std::clamp(value, -1.0F, 1.0F);
        }
        auto encoded = golden_.take(name("reencoded_mean"), model_->encode(picture, {}));
        if (!encoded) {
            return;
        }
        for (float& value : encoded->mean.values) {
            value /= static_cast<float>(model_->info().vae.scaling_factor);
        }
        golden_.compare(name("reencoded_mean"), encoded->mean, kSingleNetwork);
        golden_.compare(name("reencoded_logvar"), encoded->logvar, kSingleNetwork);
    }

    [[nodiscard]] std::string name(const std::string& tensor) const { return key_ + "." + tensor; }

  private:
    GoldenCase& golden_;
    std::shared_ptr<PipelineModel> model_;
    std::string key_;
};

}  // namespace

std::vector<GoldenRow> check_demo_model(
    const std::string& name, const std::filesystem::path& folder, const GoldenEngine& engine
) {
    const auto json = read_json(folder / "case.json");
    const std::string file = json.is_object() ? json.value("file", "golden.safetensors") : "";
    GoldenCase golden(name, folder, file.c_str());
    if (!golden.is_open()) {
        return golden.take_rows();
    }
    const auto base = folder / json.value("base_model", "");
    const auto model = open_model(golden, base.lexically_normal(), engine);
    if (model == nullptr) {
        return golden.take_rows();
    }
    const std::string negative = json.value("negative_prompt", "");
    DemoPrompt(golden, model, "uncond").check_text(negative);
    const auto prompts = json.value("prompts", nlohmann::json::object());
    for (const auto& [key, entry] : prompts.items()) {
        const std::string text = entry.value("prompt", "");
        DemoPrompt prompt(golden, model, key);
        prompt.check_text(text);
        prompt.check_unet("cond", golden.floats(prompt.name("text")));
        prompt.check_unet("uncond", golden.floats("uncond.text"));
        prompt.check_sampling(
            {text,
             negative,
             json.value("steps", 0),
             json.value("cfg", 0.0),
             golden.floats(prompt.name("noise")),
             std::nullopt,
             std::nullopt,
             std::nullopt}
        );
        prompt.check_encoder();
    }
    return golden.take_rows();
}

}  // namespace tessera
