#include "diffusion/denoise_loop.h"

#include "diffusion/linear_combination.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera {

namespace {

/// Of all pictures of a loop together: 1 GB of floats, far above any real request.
constexpr std::int64_t kMaxValues = std::int64_t{1} << 28;

Result<Shape> batch_shape(std::size_t pictures, const Shape& latent_shape) {
    if (latent_shape.size() != 3) {
        return fail(
            ErrorKind::kInvalidArgument,
            "latents have {} dimensions instead of channels, height and width",
            latent_shape.size()
        );
    }
    if (pictures == 0 || pictures > static_cast<std::size_t>(kMaxValues)) {
        return fail(ErrorKind::kInvalidArgument, "{} pictures cannot be denoised", pictures);
    }
    Shape shape{static_cast<std::int64_t>(pictures)};
    shape.insert(shape.end(), latent_shape.begin(), latent_shape.end());
    std::int64_t room = kMaxValues;
    for (const std::int64_t dimension : shape) {
        if (dimension < 1 || dimension > room) {
            return fail(
                ErrorKind::kInvalidArgument,
                "latents of {} x {} x {} for {} pictures are empty or above the limit of {} values",
                latent_shape[0],
                latent_shape[1],
                latent_shape[2],
                pictures,
                kMaxValues
            );
        }
        room /= dimension;
    }
    return shape;
}

bool is_finite(const Tensor& tensor) {
    return std::all_of(tensor.values.begin(), tensor.values.end(), [](float value) {
        return std::isfinite(value);
    });
}

Status check_given(const char* what, const std::optional<Tensor>& tensor, const Shape& shape) {
    if (tensor && (tensor->shape != shape || tensor->values.size() != element_count(shape))) {
        return fail(
            ErrorKind::kInvalidArgument, "the {} have another shape than the latents", what
        );
    }
    if (tensor && !is_finite(*tensor)) {
        return fail(ErrorKind::kInvalidArgument, "the {} hold values that are not finite", what);
    }
    return {};
}

void put_optional(ByteWriter& out, const std::optional<double>& value) {
    out.put(static_cast<std::uint8_t>(value ? 1 : 0));
    out.put(value.value_or(0.0));
}

Result<bool> get_flag(ByteReader& in) {
    TESSERA_ASSIGN(const auto value, in.get<std::uint8_t>());
    if (value > 1) {
        return fail(ErrorKind::kCorrupt, "a flag is neither set nor unset");
    }
    return value == 1;
}

Result<std::optional<double>> get_optional(ByteReader& in) {
    TESSERA_ASSIGN(const bool present, get_flag(in));
    TESSERA_ASSIGN(const auto value, in.get<double>());
    return present ? std::optional(value) : std::nullopt;
}

void put_plan(ByteWriter& out, const SamplerRequest& plan) {
    out.put_text(plan.config.to_json());
    out.put(plan.schedule);
    out.put(static_cast<std::int32_t>(plan.steps));
    put_optional(out, plan.strength);
    put_optional(out, plan.eta);
    put_optional(out, plan.s_noise);
}

Result<SamplerRequest> get_plan(ByteReader& in) {
    SamplerRequest plan;
    TESSERA_ASSIGN(const auto config, in.get_text());
    TESSERA_ASSIGN(plan.config, SchedulerConfig::parse(config));
    TESSERA_ASSIGN(const auto schedule, in.get<std::uint8_t>());
    if (schedule > static_cast<std::uint8_t>(ScheduleKind::kAlignYourSteps)) {
        return fail(ErrorKind::kCorrupt, "there is no schedule type {}", schedule);
    }
    plan.schedule = static_cast<ScheduleKind>(schedule);
    TESSERA_ASSIGN(plan.steps, in.get<std::int32_t>());
    TESSERA_ASSIGN(plan.strength, get_optional(in));
    TESSERA_ASSIGN(plan.eta, get_optional(in));
    TESSERA_ASSIGN(plan.s_noise, get_optional(in));
    return plan;
}

Result<Tensor> get_tensor(ByteReader& in, const Shape& shape) {
    TESSERA_ASSIGN(auto values, in.get_floats());
    Tensor tensor(Shape{}, std::move(values));
    if (tensor.values.size() != element_count(shape) || !is_finite(tensor)) {
        return fail(ErrorKind::kCorrupt, "a tensor has the wrong size or values not finite");
    }
    tensor.shape = shape;
    return tensor;
}

}  // namespace

DenoiseLoop::DenoiseLoop(
    std::string sampler_name,
    SamplerConvention convention,
    SamplerRequest plan,
    std::shared_ptr<const Sampler> sampler,
    PictureNoise noise,
    std::string fingerprint
)
    : sampler_name_(std::move(sampler_name)),
      convention_(convention),
      plan_(std::move(plan)),
      sampler_(std::move(sampler)),
      noise_(std::move(noise)),
      fingerprint_(std::move(fingerprint)) {}

Result<DenoiseLoop> DenoiseLoop::start(DenoiseRequest request) {
    TESSERA_ASSIGN(const auto shape, batch_shape(request.noise.seeds.size(), request.latent_shape));
    TESSERA_TRY(check(request.noise));
    TESSERA_TRY(check_given("init latents", request.init, shape));
    TESSERA_TRY(check_given("noise values", request.given_noise, shape));
    if (request.init.has_value() != (request.plan.strength || request.mask)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "image-to-image needs both init latents and a strength or a mask, and one of them is "
            "missing"
        );
    }
    TESSERA_ASSIGN(const auto choice, find_sampler(request.sampler));
    TESSERA_ASSIGN(auto sampler, make_sampler(request.sampler, request.plan));

    DenoiseLoop loop(
        request.sampler,
        choice.sampler->convention,
        request.plan,
        std::move(sampler),
        PictureNoise(request.noise),
        request.fingerprint
    );
    loop.begin(std::move(request), shape);
    if (loop.kept_) {
        TESSERA_TRY(check(*loop.kept_));
    }
    return loop;
}

void DenoiseLoop::begin(DenoiseRequest request, const Shape& shape) {
    Tensor noise = noise_.first(shape);
    if (request.given_noise) {
        noise = *std::move(request.given_noise);
    }
    const StartMix mix = sampler_->start();
    state_.latents = request.plan.strength
                         ? linear_combination({{mix.clean, *request.init}, {mix.noise, noise}})
                         : linear_combination({{mix.noise, noise}});
    if (request.mask) {
        kept_ = KeptLatents{*std::move(request.init), *std::move(request.mask), std::move(noise)};
    }
}

std::size_t DenoiseLoop::step() const {
    return done() ? steps() : sampler_->calls()[call_].step;
}

Status DenoiseLoop::advance(Denoiser& denoiser, const std::stop_token& stop) {
    if (done()) {
        return fail(ErrorKind::kConflict, "all {} steps are taken already", steps());
    }
    // Work on copies, so that whatever fails leaves the last whole step.
    SamplerState state = state_;
    PictureNoise noise = noise_;
    std::size_t call = call_;
    const auto& calls = sampler_->calls();
    for (; call < calls.size() && calls[call].step == step(); ++call) {
        if (stop.stop_requested()) {
            return fail(ErrorKind::kCancelled, "stopped before step {} of {}", step() + 1, steps());
        }
        const Tensor input = linear_combination({{calls[call].input_scale, state.latents}});
        TESSERA_ASSIGN(Tensor output, denoiser.denoise(input, calls[call], stop));
        if (output.shape != input.shape || output.values.size() != input.values.size()) {
            return fail(
                ErrorKind::kInternal,
                "the model's output has another shape than its input at step {} of {}",
                step() + 1,
                steps()
            );
        }
        if (kept_ && convention_ == SamplerConvention::kKDiffusion) {
            output =
                keep_in_output(output, input, calls[call], plan_.config.prediction_type, *kept_);
        }
        sampler_->step(call, output, noise, state);
        if (kept_) {
            keep_after(call, state);
        }
    }
    if (!is_finite(state.latents) || !is_finite(state.predicted_clean)) {
        return fail(
            ErrorKind::kCorrupt,
            "step {} of {} gave latents that are not finite numbers: the model's weights are "
            "damaged or overflow in this precision",
            step() + 1,
            steps()
        );
    }
    state_ = std::move(state);
    noise_ = std::move(noise);
    call_ = call;
    return {};
}

void DenoiseLoop::keep_after(std::size_t call, SamplerState& state) const {
    const auto& calls = sampler_->calls();
    if (call + 1 == calls.size()) {
        state.latents = blend(state.latents, kept_->clean, kept_->mask);
        state.predicted_clean = blend(state.predicted_clean, kept_->clean, kept_->mask);
    } else if (convention_ == SamplerConvention::kDiffusers) {
        state.latents = keep_in_latents(state.latents, calls[call + 1], *kept_);
    }
}

Bytes DenoiseLoop::save() const {
    ByteWriter out;
    out.put_text(fingerprint_);
    out.put_text(sampler_name_);
    put_plan(out, plan_);
    for (const std::int64_t dimension : state_.latents.shape) {
        out.put(dimension);
    }
    out.put(static_cast<std::uint64_t>(call_));
    out.put_floats(state_.latents.values);
    if (call_ > 0) {
        out.put_floats(state_.predicted_clean.values);
    }
    for (const Tensor& tensor : state_.history) {
        out.put_floats(tensor.values);
    }
    noise_.save(out);
    out.put(static_cast<std::uint8_t>(kept_ ? 1 : 0));
    if (kept_) {
        out.put_floats(kept_->clean.values);
        out.put_floats(kept_->mask.values);
        out.put_floats(kept_->noise.values);
    }
    return seal(kLoopSeal, out.take());
}

Result<DenoiseLoop> DenoiseLoop::resume(ByteView bytes) {
    auto loop = [&]() -> Result<DenoiseLoop> {
        TESSERA_ASSIGN(const auto content, unseal(kLoopSeal, bytes));
        ByteReader in(content);
        return read(in);
    }();
    if (!loop) {
        // Whatever a field's own check calls it, stored data that fail it are corrupt.
        Error error = std::move(loop).error();
        if (error.kind != ErrorKind::kUnsupported) {
            error.kind = ErrorKind::kCorrupt;
        }
        return within("saved denoising loop", std::move(error));
    }
    return loop;
}

Result<DenoiseLoop> DenoiseLoop::read(ByteReader& in) {
    TESSERA_ASSIGN(auto fingerprint, in.get_text());
    TESSERA_ASSIGN(auto sampler_name, in.get_text());
    TESSERA_ASSIGN(auto plan, get_plan(in));
    TESSERA_ASSIGN(const auto choice, find_sampler(sampler_name));
    TESSERA_ASSIGN(auto sampler, make_sampler(sampler_name, plan));

    TESSERA_ASSIGN(const auto pictures, in.get<std::uint64_t>());
    Shape latent_shape(3);
    for (std::int64_t& dimension : latent_shape) {
        TESSERA_ASSIGN(dimension, in.get<std::int64_t>());
    }
    TESSERA_ASSIGN(const auto shape, batch_shape(pictures, latent_shape));
    TESSERA_ASSIGN(const auto call, in.get<std::uint64_t>());
    const auto& calls = sampler->calls();
    const bool between_steps = call == 0 || call == calls.size() ||
                               (call < calls.size() && calls[call].step != calls[call - 1].step);
    if (!between_steps) {
        return fail(
            ErrorKind::kCorrupt, "call {} of {} is not the end of a step", call, calls.size()
        );
    }

    SamplerState state;
    TESSERA_ASSIGN(state.latents, get_tensor(in, shape));
    if (call > 0) {
        TESSERA_ASSIGN(state.predicted_clean, get_tensor(in, shape));
    }
    for (std::size_t i = 0; i < sampler->history_size(call); ++i) {
        TESSERA_ASSIGN(auto tensor, get_tensor(in, shape));
        state.history.push_back(std::move(tensor));
    }
    TESSERA_ASSIGN(auto noise, PictureNoise::load(in, pictures));
    TESSERA_ASSIGN(const bool has_mask, get_flag(in));
    std::optional<KeptLatents> kept;
    if (has_mask) {
        kept.emplace();
        TESSERA_ASSIGN(kept->clean, get_tensor(in, shape));
        TESSERA_ASSIGN(kept->mask, get_tensor(in, {1, 1, shape[2], shape[3]}));
        TESSERA_ASSIGN(kept->noise, get_tensor(in, shape));
        TESSERA_TRY(check(*kept));
    }
    if (!in.at_end()) {
        return fail(ErrorKind::kCorrupt, "there is more data than a saved loop has");
    }

    DenoiseLoop loop(
        std::move(sampler_name),
        choice.sampler->convention,
        std::move(plan),
        std::move(sampler),
        std::move(noise),
        std::move(fingerprint)
    );
    loop.kept_ = std::move(kept);
    loop.state_ = std::move(state);
    loop.call_ = call;
    return loop;
}

}  // namespace tessera
