#pragma once

#include "base/hash.h"
#include "job/job_spec.h"
#include "job/task.h"

#include <rapidcheck.h>

#include <optional>
#include <string>
#include <vector>

/// Values of the job's vocabulary drawn at random within their limits; for use in rc::check.
namespace tessera::testing {

inline std::string any_text(std::size_t pieces = 6) {
    std::string text;
    for (std::size_t i = *rc::gen::inRange<std::size_t>(0, pieces); i > 0; --i) {
        text += *rc::gen::element<std::string>(
            "lighthouse",
            ", ",
            "(dawn:1.2)",
            "雪山",
            "\xF0\x9F\x8F\x94",
            "é",
            "\n",
            "\"",
            "-1",
            "512x768"
        );
    }
    return text;
}

template <class Draw>
auto maybe_of(const Draw& draw) -> std::optional<decltype(draw())> {
    return *rc::gen::arbitrary<bool>() ? std::optional(draw()) : std::nullopt;
}

inline int any_int(int low, int high) {
    return *rc::gen::inRange(low, high);
}
inline bool any_bool() {
    return *rc::gen::arbitrary<bool>();
}
inline double any_double() {
    return *rc::gen::inRange(-1'000'000, 1'000'000) / 997.0;
}
inline std::string any_hash() {
    return sha256_hex(as_bytes(any_text()));
}

inline RenderSettings any_render_settings() {
    const auto number = [] { return any_double(); };
    const auto count = [] { return any_int(-5, 500); };
    RenderSettings render;
    render.model = any_text();
    render.prompt = any_text(60);
    render.negative_prompt = any_text(20);
    render.styles.resize(*rc::gen::inRange<std::size_t>(0, 4));
    for (std::string& style : render.styles) {
        style = any_text();
    }
    render.plain = any_bool();
    render.clip_skip = maybe_of(count);
    render.steps = maybe_of(count);
    render.sampler = any_text();
    render.schedule = any_text();
    render.cfg = maybe_of(number);
    render.cfg_rescale = any_double();
    render.cfg_interval = any_text();
    render.eta = maybe_of(number);
    render.s_noise = maybe_of(number);
    render.zero_snr = any_bool();
    render.seed = any_text();
    render.rng = any_text();
    render.variation_seed = any_text();
    render.variation_strength = maybe_of(number);
    render.seed_resize = any_text();
    render.later_seed_offset = *rc::gen::arbitrary<std::uint64_t>();
    render.size = any_text();
    render.exact_size = any_bool();
    render.hires = any_text();
    render.hires_steps = maybe_of(count);
    render.hires_strength = maybe_of(number);
    render.upscaler = any_text();
    render.restore = any_bool();
    render.strength = maybe_of(number);
    render.resize_mode = any_text();
    render.mask_from_alpha = any_bool();
    render.mask_invert = any_bool();
    render.mask_blur = maybe_of(number);
    render.masked_content = any_text();
    render.only_masked = maybe_of(count);
    render.outpaint = any_text();
    return render;
}

inline JobSpec any_job_spec() {
    JobSpec spec;
    spec.kind = *rc::gen::element(JobKind::kRender, JobKind::kUpscale);
    spec.render = any_render_settings();
    spec.upscale = {any_text(), any_text(), any_bool()};
    spec.count = any_int(1, 10'001);
    spec.init = any_bool() ? any_hash() : "";
    spec.mask = any_bool() ? any_hash() : "";
    spec.output.format = *rc::gen::element<std::string>("png", "jpeg", "webp");
    spec.output.quality = maybe_of([] { return any_int(1, 101); });
    spec.tenant = any_text();
    spec.priority = *rc::gen::element(Priority::kBatch, Priority::kNormal, Priority::kInteractive);
    spec.deadline = maybe_of([] {
        return WallTime(std::chrono::milliseconds(*rc::gen::inRange(0LL, 9'214'646'400'000LL)));
    });
    spec.idempotency_key = any_text();
    spec.webhook = any_text();
    spec.client_tag = any_text();
    spec.traceparent = any_text();
    return spec;
}

inline TaskId any_task_id() {
    return {
        JobId{*rc::gen::element<std::string>("01kb3v5x9n8e7m2t4q6r0w1y2z", "j", "A-b_9")},
        any_int(0, 32'768)};
}

inline UnitPlan any_unit_plan() {
    const auto pixels = [] { return any_int(0, (1 << 20) + 1); };
    return {maybe_of([] { return any_int(0, 32'768); }), {pixels(), pixels(), pixels(), pixels()}};
}

inline TaskPlan any_task_plan() {
    TaskPlan task;
    task.kind = *rc::gen::element(TaskKind::kRender, TaskKind::kUpscale, TaskKind::kMerge);
    task.unit = any_int(0, 32'768);
    task.needs.resize(*rc::gen::inRange<std::size_t>(0, 5));
    for (int& need : task.needs) {
        need = any_int(0, 32'768);
    }
    task.cost = std::abs(any_double());
    task.publishes = any_bool();
    return task;
}

/// Its units and tasks point at each other as those of a plan must.
inline JobPlan any_job_plan() {
    JobPlan plan;
    plan.spec = any_job_spec();
    plan.recipe = any_text();
    plan.affinity = any_text();
    const int units = any_int(1, 6);
    for (int i = 0; i < units; ++i) {
        plan.units.push_back(any_unit_plan());
        plan.units.back().part_of = i > 0 ? maybe_of([] { return 0; }) : std::nullopt;
    }
    const int tasks = any_int(0, 6);
    for (int i = 0; i < tasks; ++i) {
        TaskPlan task = any_task_plan();
        task.unit = any_int(0, units);
        task.needs.clear();
        for (int need = 0; need < i; ++need) {
            if (any_bool()) {
                task.needs.push_back(need);
            }
        }
        plan.tasks.push_back(task);
    }
    plan.remarks.resize(*rc::gen::inRange<std::size_t>(0, 3));
    for (std::string& remark : plan.remarks) {
        remark = any_text();
    }
    return plan;
}

inline ObjectRef any_object_ref() {
    return {any_hash(), *rc::gen::inRange<std::uint64_t>(0, 1ULL << 62U), any_text()};
}

inline TaskResult any_task_result() {
    TaskResult result;
    result.object = any_object_ref();
    result.fingerprint = any_text();
    result.times.resize(*rc::gen::inRange<std::size_t>(0, 4));
    for (StageTime& time : result.times) {
        time = {any_text(), std::abs(any_double())};
    }
    result.recipe = any_text();
    result.width = any_int(0, 9999);
    result.height = any_int(0, 9999);
    return result;
}

inline TaskCheckpoint any_task_checkpoint() {
    return {any_object_ref(), any_int(0, 1000), any_text()};
}

inline TaskProgress any_task_progress() {
    const int steps = any_int(0, 1000);
    return {any_int(0, steps + 1), steps, any_text()};
}

inline TaskFailure any_task_failure() {
    return {
        *rc::gen::element(FaultKind::kTask, FaultKind::kInfrastructure),
        any_bool(),
        any_text(),
        any_text()};
}

}  // namespace tessera::testing
