#include "diffusion/pipeline.h"

#include "base/utf8.h"
#include "diffusion/guidance.h"
#include "diffusion/sealed_bytes.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

constexpr SealKind kRenderSeal{"TSRRENDR", 1};

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

/// One batch after the other along the first dimension.
Tensor join_rows(const Tensor& first, const Tensor& second) {
    Tensor joined = first;
    joined.shape.front() += second.shape.front();
    joined.values.insert(joined.values.end(), second.values.begin(), second.values.end());
    return joined;
}

class GuidedDenoiser final : public Denoiser {
  public:
    /// `negative` is empty when there is no guidance.
    GuidedDenoiser(
        std::shared_ptr<PipelineModel> model, Tensor positive, Tensor negative, double scale
    )
        : model_(std::move(model)),
          positive_(std::move(positive)),
          negative_(std::move(negative)),
          scale_(scale) {}

    Result<Tensor> denoise(const Tensor& model_input, double timestep, std::stop_token stop)
        override {
        const std::int64_t pictures = model_input.shape.front();
        const Tensor positive = repeat_rows(positive_, pictures);
        if (negative_.values.empty()) {
            return model_->predict(model_input, timestep, positive, stop);
        }
        const Tensor context = join_rows(repeat_rows(negative_, pictures), positive);
        TESSERA_ASSIGN(
            const Tensor both,
            model_->predict(join_rows(model_input, model_input), timestep, context, stop)
        );
        return guide_halves(both, scale_);
    }

  private:
    std::shared_ptr<PipelineModel> model_;
    Tensor positive_;
    Tensor negative_;
    double scale_;
};

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

Status check_text(const char* name, const std::string& text) {
    if (auto status = check_utf8(text); !status) {
        return within(name, std::move(status).error());
    }
    return {};
}

/// The request as save() keeps it; the init image's part in the result is in the latents already.
void write_request(const RenderRequest& request, ByteWriter& out) {
    out.put_text(request.prompt);
    out.put_text(request.negative_prompt);
    out.put<std::int32_t>(request.width);
    out.put<std::int32_t>(request.height);
    out.put<std::int32_t>(request.steps);
    out.put_text(request.sampler);
    out.put(request.guidance_scale);
    out.put(request.strength);
    out.put<std::uint64_t>(request.seeds.size());
    for (const auto seed : request.seeds) {
        out.put(seed);
    }
}

Result<RenderRequest> read_request(ByteReader& in) {
    RenderRequest request{};
    TESSERA_ASSIGN(request.prompt, in.get_text());
    TESSERA_ASSIGN(request.negative_prompt, in.get_text());
    TESSERA_ASSIGN(request.width, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.height, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.steps, in.get<std::int32_t>());
    TESSERA_ASSIGN(request.sampler, in.get_text());
    TESSERA_ASSIGN(request.guidance_scale, in.get<double>());
    TESSERA_ASSIGN(request.strength, in.get<double>());
    TESSERA_ASSIGN(const auto pictures, in.get<std::uint64_t>());
    for (std::uint64_t i = 0; i < pictures; ++i) {
        TESSERA_ASSIGN(const auto seed, in.get<std::uint64_t>());
        request.seeds.push_back(seed);
    }
    return request;
}

}  // namespace

Status check(const RenderRequest& request, const ModelInfo& info) {
    constexpr std::size_t kMaxPictures = 64;
    constexpr double kMaxGuidance = 100.0;
    TESSERA_TRY(check_side("width", request.width, info.vae.downscale()));
    TESSERA_TRY(check_side("height", request.height, info.vae.downscale()));
    TESSERA_TRY(check_text("prompt", request.prompt));
    TESSERA_TRY(check_text("negative prompt", request.negative_prompt));
    if (!(request.guidance_scale >= 1.0 && request.guidance_scale <= kMaxGuidance)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "guidance scale {} is not possible; take 1 (off) to {}",
            request.guidance_scale,
            kMaxGuidance
        );
    }
    if (request.seeds.empty() || request.seeds.size() > kMaxPictures) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} pictures at once are not possible; take 1 to {}",
            request.seeds.size(),
            kMaxPictures
        );
    }
    const Shape picture{1, 3, request.height, request.width};
    if (request.init_image && request.init_image->shape != picture) {
        return fail(ErrorKind::kInvalidArgument, "the init image is not of the size asked for");
    }
    return {};
}

Result<std::shared_ptr<Denoiser>> make_guided_denoiser(
    std::shared_ptr<PipelineModel> model,
    const std::string& prompt,
    const std::string& negative_prompt,
    double guidance_scale,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(std::size_t chunks, model->chunk_count(prompt));
    const bool guided = guidance_scale != 1.0;
    if (guided) {
        TESSERA_ASSIGN(const auto negative_chunks, model->chunk_count(negative_prompt));
        chunks = std::max(chunks, negative_chunks);
    }
    TESSERA_ASSIGN(auto positive, model->encode_prompt(prompt, chunks, stop));
    Tensor negative;
    if (guided) {
        TESSERA_ASSIGN(negative, model->encode_prompt(negative_prompt, chunks, stop));
    }
    return std::shared_ptr<Denoiser>(std::make_shared<GuidedDenoiser>(
        std::move(model), std::move(positive), std::move(negative), guidance_scale
    ));
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
    denoise.plan.config = info.scheduler;
    denoise.plan.steps = request.steps;
    denoise.seeds = request.seeds;
    denoise.latent_shape = {
        info.vae.latent_channels,
        request.height / info.vae.downscale(),
        request.width / info.vae.downscale()};
    denoise.fingerprint = model->engine().fingerprint().text();
    if (request.init_image) {
        denoise.plan.strength = request.strength;
        TESSERA_ASSIGN(const auto encoded, model->encode(*request.init_image, stop));
        denoise.init = repeat_rows(encoded.mean, static_cast<std::int64_t>(request.seeds.size()));
    }
    TESSERA_ASSIGN(auto loop, DenoiseLoop::start(std::move(denoise)));
    TESSERA_ASSIGN(
        auto denoiser,
        make_guided_denoiser(
            model, request.prompt, request.negative_prompt, request.guidance_scale, stop
        )
    );
    request.init_image.reset();
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
    TESSERA_ASSIGN(
        auto denoiser,
        make_guided_denoiser(
            model, request.prompt, request.negative_prompt, request.guidance_scale, stop
        )
    );
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
