#include "api/a1111_farm_internal.h"
#include "api/base64.h"
#include "api/loose_fields_internal.h"
#include "job/progress.h"

#include <algorithm>
#include <utility>

namespace tessera::api {
namespace {

constexpr int kMostPending = 1000;

std::string base64_of(const std::string& bytes) {
    std::string text;
    append_base64(text, as_bytes(bytes));
    return text;
}

double seconds_since(WallTime time, const Clock& clock) {
    return std::chrono::duration<double>(clock.wall() - time).count();
}

/// Of work that has taken so long to come so far; nothing can be said before it has begun.
double seconds_left(double fraction, double taken) {
    return fraction > 0.0 ? std::max(0.0, taken / fraction - taken) : 0.0;
}

http::Response progress(const A1111Farm& farm, const http::Exchange& exchange) {
    const std::string& key = desk_key(exchange);
    const auto call = farm.desk.current(key);
    const A1111Progress idle;
    const A1111Progress& state = call ? *call : idle;
    const auto& query = exchange.request().query;
    const auto skip = query.find("skip_current_image");
    const bool wants_picture =
        skip == query.end() || (skip->second != "true" && skip->second != "1");
    // A1111's clients take 0 for "nothing is under way".
    const double fraction = call ? std::clamp(state.fraction, 0.001, 0.999) : 0.0;
    const Json answer{
        {"progress", fraction},
        {"eta_relative",
         call ? seconds_left(state.fraction, seconds_since(state.since, farm.parts.clock)) : 0.0},
        {"state",
         {{"skipped", false},
          {"interrupted", state.is_interrupted},
          {"stopping_generation", state.is_interrupted},
          {"job", call ? (state.task.empty() ? state.job.value : state.task) : ""},
          {"job_count", farm.desk.waiting_pictures(key)},
          {"job_timestamp", call ? iso_time(state.since) : "0"},
          {"job_no", state.done},
          {"sampling_step", state.step},
          {"sampling_steps", state.steps}}},
        {"current_image",
         wants_picture && !state.jpeg.empty() ? Json(base64_of(state.jpeg)) : Json()},
        {"textinfo", call && !state.is_running ? Json("In queue...") : Json()},
    };
    return http::json_response(200, answer.dump());
}

double fraction_of(const JobView& view) {
    if (!view.plan) {
        return 0.0;
    }
    std::vector<TaskStanding> standings;
    for (const TaskView& task : view.tasks) {
        standings.push_back({task.state, task.progress, task.started, task.ended});
    }
    return job_standing(*view.plan, standings).fraction;
}

/// The newest job that the caller's tenant has under that name.
Checked<std::optional<JobView>> find_task(
    const A1111Farm& farm, const Caller& caller, const std::string& task
) {
    if (task.empty() || caller.tenant.empty()) {
        return std::nullopt;  // an empty field of the filter would mean any
    }
    JobFilter filter;
    filter.tenant = caller.tenant;
    filter.client_tag = task;
    filter.limit = 1;
    TESSERA_ASSIGN(auto jobs, farm.parts.queue.jobs(filter));
    if (jobs.empty()) {
        return std::nullopt;
    }
    return std::optional(std::move(jobs.front()));
}

Checked<http::Response> task_progress(const A1111Farm& farm, const http::Exchange& exchange) {
    TESSERA_ASSIGN(const auto body, parse_loose_body(exchange.request().body));
    const LooseFields fields(body);
    TESSERA_ASSIGN(const auto task, fields.text("id_task"));
    TESSERA_ASSIGN(const auto seen, fields.whole("id_live_preview"));
    TESSERA_ASSIGN(const auto wants_preview, fields.flag("live_preview"));
    TESSERA_ASSIGN(const auto job, find_task(farm, caller_of(exchange), task.value_or("")));
    const bool is_running = job && job->state == JobState::kRunning;
    const bool is_queued = job && job->state == JobState::kQueued;
    Json answer{
        {"active", is_running},
        {"queued", is_queued},
        {"completed", job && is_final(job->state)},
        {"progress", nullptr},
        {"eta", nullptr},
        {"live_preview", nullptr},
        {"id_live_preview", seen.value_or(-1)},
        {"textinfo", is_queued ? Json("In queue...") : Json()},
    };
    if (is_running) {
        const double fraction = fraction_of(*job);
        answer["progress"] = fraction;
        if (job->started && fraction > 0.0) {
            answer["eta"] = seconds_left(fraction, seconds_since(*job->started, farm.parts.clock));
        }
        const auto call = farm.desk.call(desk_key(exchange), job->id);
        if (call && wants_preview.value_or(true) && !call->jpeg.empty() &&
            call->preview != seen.value_or(-1)) {
            answer["live_preview"] = "data:image/jpeg;base64," + base64_of(call->jpeg);
            answer["id_live_preview"] = call->preview;
        }
    }
    return http::json_response(200, answer.dump());
}

Checked<http::Response> pending_tasks(const A1111Farm& farm, const http::Exchange& exchange) {
    JobFilter filter;
    filter.tenant = caller_of(exchange).tenant;
    filter.state = JobState::kQueued;
    filter.limit = kMostPending;
    TESSERA_ASSIGN(
        const auto jobs,
        filter.tenant.empty() ? Result<std::vector<JobView>>() : farm.parts.queue.jobs(filter)
    );
    Json tasks = Json::array();
    for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
        const std::string tag = job->plan ? job->plan->spec.client_tag : "";
        if (!tag.empty()) {
            tasks.push_back(tag);
        }
    }
    const std::size_t size = tasks.size();
    return http::json_response(200, Json{{"size", size}, {"tasks", std::move(tasks)}}.dump());
}

void cancel(const A1111Farm& farm, const JobId& job) {
    farm.parts.queue.cancel(job, [](const Status& /*ended already*/) {});
}

http::Response interrupt(A1111Farm& farm, const http::Exchange& exchange) {
    for (const A1111Progress& call : farm.desk.interrupt(desk_key(exchange), true)) {
        cancel(farm, call.job);
    }
    return http::json_response(200, "{}");
}

/// One picture of several cannot be left out; a call for one picture is interrupted.
http::Response skip(A1111Farm& farm, const http::Exchange& exchange) {
    const auto call = farm.desk.current(desk_key(exchange));
    if (call && call->count > 1) {
        return a1111_error(ApiFault(Error{
            ErrorKind::kUnsupported,
            "skip: one picture of several cannot be left out here; interrupt ends them all"}));
    }
    for (const A1111Progress& one : farm.desk.interrupt(desk_key(exchange), false)) {
        cancel(farm, one.job);
    }
    return http::json_response(200, "null");
}

http::Response answered(Checked<http::Response> response) {
    return response ? *std::move(response) : a1111_error(response.error());
}

}  // namespace

void add_a1111_progress_routes(http::Router& router, const A1111FarmPtr& farm) {
    router.add("GET", "/sdapi/v1/progress", [farm](const ExchangePtr& exchange) {
        exchange->respond(progress(*farm, *exchange));
    });
    router.add("POST", "/internal/progress", [farm](const ExchangePtr& exchange) {
        exchange->respond(answered(task_progress(*farm, *exchange)));
    });
    router.add("GET", "/internal/pending-tasks", [farm](const ExchangePtr& exchange) {
        exchange->respond(answered(pending_tasks(*farm, *exchange)));
    });
    router.add("POST", "/sdapi/v1/interrupt", [farm](const ExchangePtr& exchange) {
        exchange->respond(interrupt(*farm, *exchange));
    });
    router.add("POST", "/sdapi/v1/skip", [farm](const ExchangePtr& exchange) {
        exchange->respond(skip(*farm, *exchange));
    });
}

}  // namespace tessera::api
