#include "diffusion/pipeline.h"

#include "diffusion/sampler_registry.h"
#include "diffusion/sealed_bytes.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

constexpr SealKind kRenderSeal{"TSRRENDR", 2};

/// {n, ...} with the one row of `row` n times.
Tensor repeat_rows(const Tensor& row, std::int64_t count) {
    Tensor rows;
    rows.shape = row.shape;
    rows.shape.front() = count;
    rows.values.reserve(row.values.size() * static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        rows.values.insert(rows.values.end(), row.values.begin(), row.values.end());
    }
    return rows;
}

Status check_side(const char* name, int pixels, int downscale) {
    if (pixels < downscale || pixels > kMaxSide || pixels % downscale != 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} {} is not possible; take a multiple of {} from {} to {}",
            name,
            pixels,
            downscale,
            downscale,
            kMaxSide
        );
    }
    return {};
}

/// Of one picture.
Shape latent_shape(const RenderRequest& request, const ModelInfo& info) {
    return {
        info.vae.latent_channels,
        request.height / info.vae.downscale(),
        request.width / info.vae.downscale()};
}

Status check(const RenderRequest& request, const ModelInfo& info) {
    constexpr std::size_t kMaxPictures = 64;
    TESSERA_TRY(check_side("width", request.width, info.vae.downscale()));
    TESSERA_TRY(check_side("height", request.height, info.vae.downscale()));
    TESSERA_TRY(check(request.guidance));
    TESSERA_TRY(check(request.noise));
    const std::size_t pictures = request.noise.seeds.size();
    if (pictures == 0 || pictures > kMaxPictures) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} pictures at once are not possible; take 1 to {}",
            pictures,
            kMaxPictures
        );
    }
    if (request.clip_skip < 1 || request.clip_skip > info.text_encoder.num_hidden_layers) {
        return fail(
            ErrorKind::kInvalidArgument,
            "clip skip {} is not possible; the model's text encoder has layers for 1 to {}",
            request.clip_skip,
            info.text_encoder.num_hidden_layers
        );
    }
    const Shape picture{1, 3, request.height, request.width};
    if (request.init_image && request.init_image->shape != picture) {
        return fail(ErrorKind::kInvalidArgument, "the init image is not of the size asked for");
    }
    const Shape latents = latent_shape(request, info);
    if (request.mask && request.mask->shape != Shape{1, 1, latents[1], latents[2]}) {
        return fail(ErrorKind::kInvalidArgument, "the mask is not of the size of the latents");
    }
    if (request.mask && !request.init_image) {
        return fail(
            ErrorKind::kInvalidArgument, "a mask needs a picture of which it says what to keep"
        );
    }
    return {};
}

Result<SamplerRequest> sampler_request(const RenderRequest& request, const ModelInfo& info) {
    SamplerRequest plan;
    plan.config = info.scheduler;
    plan.config.rescale_betas_zero_snr |= request.zero_terminal_snr;
    plan.steps = request.steps;
    plan.eta = request.eta;
    plan.s_noise = request.s_noise;
    if (request.init_image) {
        TESSERA_ASSIGN(const auto choice, find_sampler(request.sampler));
        const bool from_noise = request.mask && request.strength == 1.0 &&
                                choice.sampler->convention == SamplerConvention::kDiffusers;
        if (!from_noise) {
            plan.strength = request.strength;
        }
    }
    return plan;
}

/// How many calls a prompt's schedule is spread over: A1111 counts those of all steps, in
/// image-to-image also of the ones that are left out, but not so in a second pass.
PassSteps pass_steps(const RenderRequest& request, const Sampler& sampler) {
    const auto& calls = sampler.calls();
    const bool twice =
        std::adjacent_find(calls.begin(), calls.end(), [](const auto& a, const auto& b) {
            return a.step == b.step;
        }) != calls.end();
    const std::size_t calls_per_step = twice ? 2 : 1;
    PassSteps pass{static_cast<std::size_t>(request.steps) * calls_per_step};
    if (request.first_pass_steps) {
        pass.steps = std::max<std::size_t>(1, sampler.steps()) * calls_per_step;
        pass.first_pass_steps =
            static_cast<std::size_t>(*request.first_pass_steps) * calls_per_step;
    }
    return pass;
}

struct ParsedPrompts {
    ParsedPrompt positive;
    ParsedPrompt negative;
};

Result<ParsedPrompts> parse_prompts(
    const PipelineModel& model, const RenderRequest& request, const Sampler& sampler
) {
    PromptOptions options;
    options.syntax = request.syntax;
    options.steps = pass_steps(request, sampler);
    auto positive = model.parse(request.prompt, options);
    if (!positive) {
        return within("prompt", std::move(positive).error());
    }
    options.role = PromptRole::kNegative;
    auto negative = model.parse(request.negative_prompt, options);
    if (!negative) {
        return within("negative prompt", std::move(negative).error());
    }
    return ParsedPrompts{*std::move(positive), *std::move(negative)};
}

/// What the masked part begins with in place of the init image.
void fill_masked(Tensor& latents, const RenderRequest& request) {
    if (!request.mask || request.masked_content == MaskedContent::kOriginal) {
        return;
    }
    const Tensor content = request.masked_content == MaskedContent::kLatentNoise
                               ? PictureNoise(request.noise).first(latents.shape)
                               : Tensor(latents.shape);
    latents = blend(content, latents, *request.mask);
}

constexpr std::uint8_t kLastSyntax = static_cast<std::uint8_t>(PromptSyntax::kPlain);

/// What save() keeps of the request: all but what is in the loop's own state.
void write_request(const RenderRequest& request, ByteWriter& out) {
    out.put_text(request.prompt);
    out.put_text(request.negative_prompt);
    out.put(request.syntax);
    out.put<std::int32_t>(request.clip_skip);
    out.put<std::int32_t>(request.width);
    out.put<std::int32_t>(request.height);
    out.put<std::int32_t>(request.steps);
    out.put_text(request.sampler);
    out.put(request.guidance.scale);
    out.put(request.guidance.rescale);
    out.put(request.guidance.begin);
    out.put(request.guidance.end);
    out.put<std::int32_t>(request.first_pass_steps.value_or(0));
    out.put<std::uint64_t>(request.noise.seeds.size());
    for (const PictureSeed& seed : request.noise.seeds) {
        out.put(seed.seed);
    }
}

Result<RenderRequest> read_request(ByteReader& in) {
    RenderRequest request{};
    TESSERA_ASSIGN(request.prompt, in.get_text());
    TESSERA_ASSIGN(request.negative_prompt, in.get_text());
    TESSERA_ASSIGN(const auto syntax, in.get<std::uint8_t>());
    if (syntax > kLastSyntax) {
        return fail(ErrorKind::kCorrupt, "there is no prompt syntax {}", syntax);
    }
    request.syntax = static_cast<PromptSyntax>(syntax);
    TESSERA_ASSIGN(request.clip_skip, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.width, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.height, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.steps, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.sampler, in.get_text());
    TESSERA_ASSIGN(request.guidance.scale, in.get<double>());
    TESSERA_ASSIGN(request.guidance.rescale, in.get<double>());
    TESSERA_ASSIGN(request.guidance.begin, in.get<double>());
    TESSERA_ASSIGN(request.guidance.end, in.get<double>());
    TESSERA_ASSIGN(const auto first_pass_steps, in.get<std::int32_t>());
    if (first_pass_steps != 0) {
        request.first_pass_steps = first_pass_steps;
    }
    TESSERA_ASSIGN(const auto pictures, in.get<std::uint64_t>());
    for (std::uint64_t i = 0; i < pictures; ++i) {
        TESSERA_ASSIGN(const auto seed, in.get<std::uint64_t>());
        request.noise.seeds.push_back({seed});
    }
    return request;
}

}  // namespace

Result<std::shared_ptr<Denoiser>> make_denoiser(
    std::shared_ptr<PipelineModel> model,
    const RenderRequest& request,
    const Sampler& sampler,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto prompts, parse_prompts(*model, request, sampler));
    TESSERA_ASSIGN(auto positive, model->encode_prompt(prompts.positive, request.clip_skip, stop));
    Conditioning negative;
    if (GuidedDenoiser::needs_negative(positive, request.guidance)) {
        TESSERA_ASSIGN(negative, model->encode_prompt(prompts.negative, request.clip_skip, stop));
    }
    return std::shared_ptr<Denoiser>(std::make_shared<GuidedDenoiser>(
        std::move(model),
        std::move(positive),
        std::move(negative),
        request.guidance,
        sampler.steps()
    ));
}

Result<RenderPlan> plan_render(const PipelineModel& model, const RenderRequest& request) {
    TESSERA_TRY(check(request, model.info()));
    TESSERA_ASSIGN(const auto plan, sampler_request(request, model.info()));
    TESSERA_ASSIGN(const auto sampler, make_sampler(request.sampler, plan));
    TESSERA_ASSIGN(auto prompts, parse_prompts(model, request, *sampler));
    RenderPlan result{
        sampler->steps(),
        std::move(prompts.positive.remarks),
        count_tokens(prompts.positive),
        count_tokens(prompts.negative),
        model.embeddings_in(prompts.positive)};
    result.embeddings.merge(model.embeddings_in(prompts.negative));
    for (std::string& remark : prompts.negative.remarks) {
        result.remarks.push_back("negative prompt: " + std::move(remark));
    }
    for (const ExtraNetworkTag& tag : prompts.positive.tags) {
        result.remarks.push_back(fmt::format(
            "<{}:{}> is left out: networks of that kind cannot be applied yet", tag.kind, tag.name
        ));
    }
    return result;
}

Render::Render(
    std::shared_ptr<PipelineModel> model,
    RenderRequest request,
    DenoiseLoop loop,
    std::shared_ptr<Denoiser> denoiser
)
    : model_(std::move(model)),
      request_(std::move(request)),
      loop_(std::move(loop)),
      denoiser_(std::move(denoiser)) {}

Result<Render> Render::start(
    std::shared_ptr<PipelineModel> model, RenderRequest request, const std::stop_token& stop
) {
    const ModelInfo& info = model->info();
    TESSERA_TRY(check(request, info));

    DenoiseRequest denoise{};
    denoise.sampler = request.sampler;
    TESSERA_ASSIGN(denoise.plan, sampler_request(request, info));
    denoise.noise = request.noise;
    denoise.latent_shape = latent_shape(request, info);
    denoise.fingerprint = model->engine().fingerprint().text();
    if (request.init_image) {
        TESSERA_ASSIGN(const auto encoded, model->encode(*request.init_image, stop));
        denoise.init =
            repeat_rows(encoded.mean, static_cast<std::int64_t>(request.noise.seeds.size()));
        fill_masked(*denoise.init, request);
        denoise.mask = request.mask;
    }
    TESSERA_ASSIGN(auto loop, DenoiseLoop::start(std::move(denoise)));
    TESSERA_ASSIGN(auto denoiser, make_denoiser(model, request, loop.sampler(), stop));
    request.init_image.reset();
    request.mask.reset();
    return Render(std::move(model), std::move(request), std::move(loop), std::move(denoiser));
}

Result<Render> Render::resume(
    std::shared_ptr<PipelineModel> model, ByteView saved, const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto content, unseal(kRenderSeal, saved));
    ByteReader in(content);
    TESSERA_ASSIGN(auto request, read_request(in));
    TESSERA_TRY(check(request, model->info()));
    TESSERA_ASSIGN(const auto loop_bytes, in.get_block());
    TESSERA_ASSIGN(auto loop, DenoiseLoop::resume(loop_bytes));
    if (loop.fingerprint() != model->engine().fingerprint().text()) {
        return fail(
            ErrorKind::kConflict,
            "this render was begun on another engine ({}, here {}) and would not come out the "
            "same; start it anew",
            loop.fingerprint(),
            model->engine().fingerprint().text()
        );
    }
    TESSERA_ASSIGN(auto denoiser, make_denoiser(model, request, loop.sampler(), stop));
    return Render(std::move(model), std::move(request), std::move(loop), std::move(denoiser));
}

Status Render::advance(const std::stop_token& stop) {
    return loop_.advance(*denoiser_, stop);
}

Result<Tensor> Render::decode(const std::stop_token& stop) const {
    return model_->decode(loop_.latents(), stop);
}

Bytes Render::save() const {
    ByteWriter out;
    write_request(request_, out);
    out.put_block(loop_.save());
    return seal(kRenderSeal, out.take());
}

}  // namespace tessera
