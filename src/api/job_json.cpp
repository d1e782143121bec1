#include "api/base64.h"
#include "api/job_json_internal.h"
#include "http/media_type.h"
#include "job/progress.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace tessera::api {
namespace {

void set_time(OrderedJson& json, const char* name, const std::optional<WallTime>& time) {
    if (time) {
        json[name] = iso_time(*time);
    }
}

/// Milliseconds and thousandths are enough for people, and shorter.
double rounded(double value) {
    return std::round(value * 1000.0) / 1000.0;
}

OrderedJson picture_json(const JobId& job, int unit, const TaskResult& result) {
    OrderedJson json;
    json["href"] = fmt::format("{}/images/{}", job_path(job), unit);
    json["sha256"] = result.object.sha256;
    json["bytes"] = result.object.bytes;
    json["media_type"] = result.object.media_type;
    json["width"] = result.width;
    json["height"] = result.height;
    return json;
}

OrderedJson times_json(const std::vector<StageTime>& times) {
    OrderedJson json = OrderedJson::array();
    for (const StageTime& time : times) {
        json.push_back({{"stage", time.stage}, {"seconds", rounded(time.seconds)}});
    }
    return json;
}

std::vector<TaskStanding> standings_of(const JobView& job) {
    std::vector<TaskStanding> standings;
    standings.reserve(job.tasks.size());
    for (const TaskView& task : job.tasks) {
        standings.push_back({task.state, task.progress, task.started, task.ended});
    }
    return standings;
}

/// The tasks of each unit.
std::vector<std::vector<const TaskView*>> tasks_by_unit(const JobView& job) {
    std::vector<std::vector<const TaskView*>> units(job.plan->units.size());
    for (const TaskView& task : job.tasks) {
        units.at(static_cast<std::size_t>(task.plan.unit)).push_back(&task);
    }
    return units;
}

/// A unit is what its tasks are, in the words for a job.
JobState state_of(const std::vector<const TaskView*>& tasks) {
    std::size_t done = 0;
    bool has_begun = false;
    bool is_cancelled = false;
    for (const TaskView* task : tasks) {
        if (task->state == TaskState::kDead) {
            return JobState::kFailed;
        }
        is_cancelled = is_cancelled || task->state == TaskState::kCancelled;
        has_begun = has_begun || task->state == TaskState::kRunning ||
                    task->state == TaskState::kDelayed || task->state == TaskState::kDone;
        done += task->state == TaskState::kDone ? 1 : 0;
    }
    if (is_cancelled) {
        return JobState::kCancelled;
    }
    if (done == tasks.size()) {
        return JobState::kDone;
    }
    return has_begun ? JobState::kRunning : JobState::kQueued;
}

void add_task(OrderedJson& unit, const TaskView& task) {
    if (task.state == TaskState::kRunning) {
        unit["worker"] = task.worker.value;
        unit["step"] = task.progress.step;
        unit["steps"] = task.progress.steps;
        unit["stage"] = task.progress.stage;
    }
    if (task.failure && !is_final(task.state)) {
        unit["retrying"] = task.failure->message;
    }
    if (task.failure && task.state == TaskState::kDead) {
        unit["failure"] = {
            {"message", task.failure->message},
            {"fault", to_string(task.failure->fault)},
            {"log", task.failure->log},
        };
    }
}

OrderedJson unit_json(
    const JobView& job,
    std::size_t index,
    const std::vector<const TaskView*>& tasks,
    const Standing& standing
) {
    const UnitPlan& plan = job.plan->units[index];
    OrderedJson unit;
    unit["unit"] = index;
    unit["state"] = to_string(state_of(tasks));
    unit["fraction"] = rounded(standing.fraction);
    if (plan.part_of) {
        unit["part_of"] = *plan.part_of;
        unit["region"] = {
            {"x", plan.region.x},
            {"y", plan.region.y},
            {"width", plan.region.width},
            {"height", plan.region.height},
        };
    }
    set_time(unit, "started", standing.started);
    set_time(unit, "ended", standing.ended);
    for (const TaskView* task : tasks) {
        add_task(unit, *task);
        if (task->result) {
            unit["times"] = times_json(task->result->times);
            unit["fingerprint"] = task->result->fingerprint;
        }
        if (task->result && task->plan.publishes) {
            unit["image"] = picture_json(job.id, static_cast<int>(index), *task->result);
            unit["recipe"] = task->result->recipe;
        }
    }
    return unit;
}

template <class T>
void set_unless(OrderedJson& json, const char* name, const T& value, const T& usual) {
    if (value != usual) {
        json[name] = value;
    }
}

template <class T>
void set_if(OrderedJson& json, const char* name, const std::optional<T>& value) {
    if (value) {
        json[name] = *value;
    }
}

void set_words(OrderedJson& json, const RenderSettings& render) {
    using Word = std::pair<const char*, const std::string*>;
    const auto words = std::to_array<Word>({
        {"model", &render.model},
        {"prompt", &render.prompt},
        {"negative_prompt", &render.negative_prompt},
        {"sampler", &render.sampler},
        {"schedule", &render.schedule},
        {"cfg_interval", &render.cfg_interval},
        {"seed", &render.seed},
        {"variation_seed", &render.variation_seed},
        {"seed_resize", &render.seed_resize},
        {"size", &render.size},
        {"hires", &render.hires},
        {"upscaler", &render.upscaler},
        {"resize_mode", &render.resize_mode},
        {"masked_content", &render.masked_content},
        {"outpaint", &render.outpaint},
    });
    for (const auto& [name, word] : words) {
        if (!word->empty() || word == &render.prompt) {
            json[name] = *word;
        }
    }
}

void set_render(OrderedJson& json, const RenderSettings& render) {
    static const RenderSettings kUsual;
    set_words(json, render);
    set_unless(json, "styles", render.styles, kUsual.styles);
    set_unless(json, "plain", render.plain, kUsual.plain);
    set_if(json, "clip_skip", render.clip_skip);
    set_if(json, "steps", render.steps);
    set_if(json, "cfg", render.cfg);
    set_unless(json, "cfg_rescale", render.cfg_rescale, kUsual.cfg_rescale);
    set_if(json, "eta", render.eta);
    set_if(json, "s_noise", render.s_noise);
    set_unless(json, "zero_snr", render.zero_snr, kUsual.zero_snr);
    set_unless(json, "rng", render.rng, kUsual.rng);
    set_if(json, "variation_strength", render.variation_strength);
    set_unless(json, "exact_size", render.exact_size, kUsual.exact_size);
    set_if(json, "hires_steps", render.hires_steps);
    set_if(json, "hires_strength", render.hires_strength);
    set_unless(json, "restore", render.restore, kUsual.restore);
    set_if(json, "strength", render.strength);
    set_unless(json, "mask_from_alpha", render.mask_from_alpha, kUsual.mask_from_alpha);
    set_unless(json, "mask_invert", render.mask_invert, kUsual.mask_invert);
    set_if(json, "mask_blur", render.mask_blur);
    set_if(json, "only_masked", render.only_masked);
}

void set_upscale(OrderedJson& json, const UpscaleSettings& upscale) {
    static const UpscaleSettings kUsual;
    set_unless(json, "upscaler", upscale.upscaler, kUsual.upscaler);
    set_unless(json, "scale", upscale.scale, kUsual.scale);
    set_unless(json, "restore", upscale.restore, kUsual.restore);
}

void set_unit_event(OrderedJson& json, const FarmEvent& event) {
    json["unit"] = event.unit;
    json["worker"] = event.worker.value;
    json["unit_fraction"] = rounded(event.unit_fraction);
    json["job_fraction"] = rounded(event.job_fraction);
    if (event.progress.steps > 0) {
        json["step"] = event.progress.step;
        json["steps"] = event.progress.steps;
        json["stage"] = event.progress.stage;
    }
    if (!event.jpeg.empty()) {
        std::string text;
        append_base64(text, as_bytes(event.jpeg));
        json["jpeg"] = std::move(text);
    }
    if (event.result) {
        json["image"] = picture_json(event.job, event.unit, *event.result);
    }
}

}  // namespace

std::string job_path(const JobId& id) {
    return "/api/v1/jobs/" + id.value;
}

OrderedJson spec_json(const JobSpec& spec) {
    OrderedJson json;
    json["kind"] = to_string(spec.kind);
    if (spec.kind == JobKind::kRender) {
        set_render(json, spec.render);
    } else {
        set_upscale(json, spec.upscale);
    }
    json["count"] = spec.count;
    set_unless(json, "init", spec.init, std::string());
    set_unless(json, "mask", spec.mask, std::string());
    json["format"] = spec.output.format;
    set_if(json, "quality", spec.output.quality);
    json["priority"] = to_string(spec.priority);
    set_time(json, "deadline", spec.deadline);
    set_unless(json, "idempotency_key", spec.idempotency_key, std::string());
    set_unless(json, "tag", spec.client_tag, std::string());
    return json;
}

OrderedJson job_summary_json(const JobView& job) {
    const auto standings = standings_of(job);
    std::size_t pictures = 0;
    std::size_t done = 0;
    for (const TaskView& task : job.tasks) {
        pictures += task.plan.publishes ? 1 : 0;
        done += task.plan.publishes && task.state == TaskState::kDone ? 1 : 0;
    }
    OrderedJson json;
    json["id"] = job.id.value;
    json["tenant"] = job.plan->spec.tenant;
    json["state"] = to_string(job.state);
    json["fraction"] = rounded(job_standing(*job.plan, standings).fraction);
    json["pictures"] = pictures;
    json["pictures_done"] = done;
    set_time(json, "submitted", job.submitted);
    set_time(json, "started", job.started);
    set_time(json, "ended", job.ended);
    json["spec"] = spec_json(job.plan->spec);
    json["remarks"] = job.plan->remarks;
    return json;
}

OrderedJson job_json(const JobView& job, const std::optional<Outlook>& outlook, Instant now) {
    OrderedJson json = job_summary_json(job);
    if (outlook && !is_final(job.state)) {
        json["position"] = outlook->position;
        json["seconds_to_start"] = rounded(std::max(0.0, seconds_of(outlook->start - now)));
        json["seconds_to_finish"] = rounded(std::max(0.0, seconds_of(outlook->finish - now)));
        if (!outlook->running) {
            json["waits_because"] = to_string(outlook->reason);
        }
    }
    const auto standings = unit_standings(*job.plan, standings_of(job));
    const auto tasks = tasks_by_unit(job);
    OrderedJson units = OrderedJson::array();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        units.push_back(unit_json(job, i, tasks[i], standings[i]));
    }
    json["units"] = std::move(units);
    return json;
}

OrderedJson event_json(const FarmEvent& event) {
    using Kind = FarmEvent::Kind;
    OrderedJson json;
    json["event"] = to_string(event.kind);
    if (event.id != 0) {
        json["id"] = std::to_string(event.id);
    }
    json["time"] = iso_time(event.time);
    if (!event.job.value.empty()) {
        json["job"] = event.job.value;
    }
    if (event.kind == Kind::kQueued) {
        set_if(json, "position", event.position);
        set_if(json, "seconds_to_start", event.seconds_to_start);
        set_if(json, "seconds_to_finish", event.seconds_to_finish);
    }
    if (event.kind == Kind::kProgress || event.kind == Kind::kPreview ||
        event.kind == Kind::kUnitDone || event.kind == Kind::kRetrying ||
        event.kind == Kind::kUnitFailed) {
        set_unit_event(json, event);
    }
    if (!event.message.empty()) {
        json["message"] = event.message;
    }
    return json;
}

std::string json_text(const OrderedJson& json) {
    return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

http::Response json_answer(const http::Request& request, int status, const OrderedJson& json) {
    static constexpr std::array<std::string_view, 2> kOffers = {
        "application/json", "application/msgpack"};
    const auto wanted = http::preferred_type(request.fields.get("Accept"), kOffers);
    http::Response response;
    if (wanted.value_or(0) == 0) {
        response = http::json_response(status, json_text(json));
    } else {
        response.status = status;
        const std::vector<std::uint8_t> bytes = OrderedJson::to_msgpack(json);
        response.body.assign(bytes.begin(), bytes.end());
        response.fields.add("Content-Type", "application/msgpack");
    }
    response.fields.add("Vary", "Accept");
    return response;
}

}  // namespace tessera::api
