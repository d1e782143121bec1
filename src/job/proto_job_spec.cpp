#include "job/proto_conversion_internal.h"
#include "job/proto_fields_internal.h"

#include <utility>

namespace tessera {
namespace {

v1::JobKind to_proto(JobKind kind) {
    return kind == JobKind::kRender ? v1::JOB_KIND_RENDER : v1::JOB_KIND_UPSCALE;
}

Result<JobKind> from_proto(v1::JobKind kind) {
    switch (static_cast<int>(kind)) {
        case v1::JOB_KIND_RENDER:
            return JobKind::kRender;
        case v1::JOB_KIND_UPSCALE:
            return JobKind::kUpscale;
        default:
            return unknown_enum("kind", kind);
    }
}

v1::Priority to_proto(Priority priority) {
    switch (priority) {
        case Priority::kBatch:
            return v1::PRIORITY_BATCH;
        case Priority::kNormal:
            return v1::PRIORITY_NORMAL;
        case Priority::kInteractive:
            break;
    }
    return v1::PRIORITY_INTERACTIVE;
}

Result<Priority> from_proto(v1::Priority priority) {
    switch (static_cast<int>(priority)) {
        case v1::PRIORITY_BATCH:
            return Priority::kBatch;
        case v1::PRIORITY_UNSPECIFIED:
        case v1::PRIORITY_NORMAL:
            return Priority::kNormal;
        case v1::PRIORITY_INTERACTIVE:
            return Priority::kInteractive;
        default:
            return unknown_enum("priority", priority);
    }
}

void to_proto(const RenderSettings& render, v1::RenderSettings& message) {
    message.set_model(render.model);
    message.set_prompt(render.prompt);
    message.set_negative_prompt(render.negative_prompt);
    message.mutable_styles()->Assign(render.styles.begin(), render.styles.end());
    message.set_plain(render.plain);
    if (render.clip_skip) {
        message.set_clip_skip(*render.clip_skip);
    }

    if (render.steps) {
        message.set_steps(*render.steps);
    }
    message.set_sampler(render.sampler);
    message.set_schedule(render.schedule);
    if (render.cfg) {
        message.set_cfg(*render.cfg);
    }
    message.set_cfg_rescale(render.cfg_rescale);
    message.set_cfg_interval(render.cfg_interval);
    if (render.eta) {
        message.set_eta(*render.eta);
    }
    if (render.s_noise) {
        message.set_s_noise(*render.s_noise);
    }
    message.set_zero_snr(render.zero_snr);

    message.set_seed(render.seed);
    message.set_rng(render.rng);
    message.set_variation_seed(render.variation_seed);
    if (render.variation_strength) {
        message.set_variation_strength(*render.variation_strength);
    }
    message.set_seed_resize(render.seed_resize);
    message.set_later_seed_offset(render.later_seed_offset);

    message.set_size(render.size);
    message.set_exact_size(render.exact_size);
    message.set_hires(render.hires);
    if (render.hires_steps) {
        message.set_hires_steps(*render.hires_steps);
    }
    if (render.hires_strength) {
        message.set_hires_strength(*render.hires_strength);
    }
    message.set_upscaler(render.upscaler);
    message.set_restore(render.restore);

    if (render.strength) {
        message.set_strength(*render.strength);
    }
    message.set_resize_mode(render.resize_mode);
    message.set_mask_from_alpha(render.mask_from_alpha);
    message.set_mask_invert(render.mask_invert);
    if (render.mask_blur) {
        message.set_mask_blur(*render.mask_blur);
    }
    message.set_masked_content(render.masked_content);
    if (render.only_masked) {
        message.set_only_masked(*render.only_masked);
    }
    message.set_outpaint(render.outpaint);
}

RenderSettings from_proto(const v1::RenderSettings& message) {
    RenderSettings render;
    render.model = message.model();
    render.prompt = message.prompt();
    render.negative_prompt = message.negative_prompt();
    render.styles.assign(message.styles().begin(), message.styles().end());
    render.plain = message.plain();
    render.clip_skip = maybe(message.has_clip_skip(), message.clip_skip());

    render.steps = maybe(message.has_steps(), message.steps());
    render.sampler = message.sampler();
    render.schedule = message.schedule();
    render.cfg = maybe(message.has_cfg(), message.cfg());
    render.cfg_rescale = message.cfg_rescale();
    render.cfg_interval = message.cfg_interval();
    render.eta = maybe(message.has_eta(), message.eta());
    render.s_noise = maybe(message.has_s_noise(), message.s_noise());
    render.zero_snr = message.zero_snr();

    render.seed = message.seed();
    if (message.has_rng()) {
        render.rng = message.rng();
    }
    render.variation_seed = message.variation_seed();
    render.variation_strength =
        maybe(message.has_variation_strength(), message.variation_strength());
    render.seed_resize = message.seed_resize();
    render.later_seed_offset = message.later_seed_offset();

    render.size = message.size();
    render.exact_size = message.exact_size();
    render.hires = message.hires();
    render.hires_steps = maybe(message.has_hires_steps(), message.hires_steps());
    render.hires_strength = maybe(message.has_hires_strength(), message.hires_strength());
    render.upscaler = message.upscaler();
    render.restore = message.restore();

    render.strength = maybe(message.has_strength(), message.strength());
    render.resize_mode = message.resize_mode();
    render.mask_from_alpha = message.mask_from_alpha();
    render.mask_invert = message.mask_invert();
    render.mask_blur = maybe(message.has_mask_blur(), message.mask_blur());
    render.masked_content = message.masked_content();
    render.only_masked = maybe(message.has_only_masked(), message.only_masked());
    render.outpaint = message.outpaint();
    return render;
}

}  // namespace

void to_proto(const JobSpec& spec, v1::JobSpec& message) {
    message.set_kind(to_proto(spec.kind));
    to_proto(spec.render, *message.mutable_render());
    message.mutable_upscale()->set_upscaler(spec.upscale.upscaler);
    message.mutable_upscale()->set_scale(spec.upscale.scale);
    message.mutable_upscale()->set_restore(spec.upscale.restore);
    message.set_count(spec.count);
    message.set_init(spec.init);
    message.set_mask(spec.mask);
    message.mutable_output()->set_format(spec.output.format);
    if (spec.output.quality) {
        message.mutable_output()->set_quality(*spec.output.quality);
    }
    message.set_tenant(spec.tenant);
    message.set_priority(to_proto(spec.priority));
    if (spec.deadline) {
        message.set_deadline_unix_ms(spec.deadline->time_since_epoch().count());
    }
    message.set_idempotency_key(spec.idempotency_key);
    message.set_webhook(spec.webhook);
    message.set_client_tag(spec.client_tag);
    message.set_traceparent(spec.traceparent);
}

Result<JobSpec> from_proto(const v1::JobSpec& message) {
    JobSpec spec;
    TESSERA_ASSIGN(spec.kind, from_proto(message.kind()));
    spec.render = from_proto(message.render());
    spec.upscale.upscaler = message.upscale().upscaler();
    spec.upscale.scale = message.upscale().scale();
    spec.upscale.restore = message.upscale().restore();
    if (message.has_count()) {
        spec.count = message.count();
    }
    spec.init = message.init();
    spec.mask = message.mask();
    if (message.output().has_format()) {
        spec.output.format = message.output().format();
    }
    spec.output.quality = maybe(message.output().has_quality(), message.output().quality());
    spec.tenant = message.tenant();
    TESSERA_ASSIGN(spec.priority, from_proto(message.priority()));
    if (message.has_deadline_unix_ms()) {
        spec.deadline = WallTime(std::chrono::milliseconds(message.deadline_unix_ms()));
    }
    spec.idempotency_key = message.idempotency_key();
    spec.webhook = message.webhook();
    spec.client_tag = message.client_tag();
    spec.traceparent = message.traceparent();
    return checked(std::move(spec));
}

}  // namespace tessera
