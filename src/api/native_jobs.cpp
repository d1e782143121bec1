#include "api/job_following.h"
#include "api/native_internal.h"
#include "api/native_job.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera::api {
namespace {

constexpr int kUsualPage = 50;
constexpr int kLargestPage = 200;

/// What the head of the request says of the job.
Checked<void> apply_head(const http::Request& request, const Caller& caller, JobSpec& spec) {
    const std::string in_body = std::exchange(spec.idempotency_key, {});
    apply_request(request, caller, spec);
    if (!in_body.empty() && !spec.idempotency_key.empty() && in_body != spec.idempotency_key) {
        return refuse(
            "idempotency_key",
            ErrorKind::kInvalidArgument,
            "idempotency_key is another than the Idempotency-Key in the head"
        );
    }
    spec.idempotency_key = in_body.empty() ? spec.idempotency_key : in_body;
    return {};
}

/// References become hashes.
Checked<void> find_inputs(const ApiParts& parts, const Caller& caller, JobSpec& spec) {
    for (const auto& [name, reference] : {std::pair("init", &spec.init), {"mask", &spec.mask}}) {
        if (!reference->empty()) {
            auto hash = parts.objects->find(caller, *reference);
            if (!hash) {
                return tl::unexpected(ApiFault(name, std::move(hash).error()));
            }
            *reference = *std::move(hash);
        }
    }
    return {};
}

Checked<JobSpec> read_submission(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_ASSIGN(const BodyFormat format, body_format(request.fields.get("Content-Type")));
    TESSERA_ASSIGN(JobSpec spec, parse_native_job(format, request.body));
    TESSERA_TRY(apply_head(request, caller, spec));
    TESSERA_TRY(find_inputs(parts, caller, spec));
    return spec;
}

OrderedJson submitted_json(const Submitted& submitted) {
    OrderedJson json;
    json["id"] = submitted.id.value;
    json["existed"] = submitted.existed;
    json["job"] = job_path(submitted.id);
    json["events"] = "/api/v1/events?job=" + submitted.id.value;
    json["spec"] = spec_json(submitted.spec);
    json["remarks"] = submitted.remarks;
    return json;
}

void submit(const ApiParts& parts, const ExchangePtr& exchange) {
    auto spec = read_submission(parts, exchange->request(), caller_of(*exchange));
    if (!spec) {
        const bool is_foreign = spec.error().error.kind == ErrorKind::kUnsupported;
        exchange->respond(
            is_foreign ? error_answer(415, {spec.error().error, {}}) : fault_answer(spec.error())
        );
        return;
    }
    parts.desk.submit(
        parts.desk.new_job_id(),
        *std::move(spec),
        [exchange](tl::expected<Submitted, Refusal> outcome) {
            if (!outcome) {
                exchange->respond(fault_answer(fault_of(std::move(outcome).error(), native_names()))
                );
                return;
            }
            http::Response response = json_answer(
                exchange->request(), outcome->existed ? 200 : 202, submitted_json(*outcome)
            );
            response.fields.add("Location", job_path(outcome->id));
            exchange->respond(std::move(response));
        }
    );
}

Checked<http::Response> show(
    const ApiParts& parts, const http::Request& request, const JobView& job
) {
    const auto outlook = is_final(job.state) ? std::nullopt : parts.dispatcher.outlook(job.id);
    return json_answer(request, 200, job_json(job, outlook, parts.clock.now()));
}

Checked<JobFilter> read_filter(const http::Request& request, const Caller& caller) {
    TESSERA_TRY(check_query(request, {"state", "tag", "before", "limit", "tenant"}));
    const auto field = [&](const char* name) {
        const auto found = request.query.find(name);
        return found == request.query.end() ? std::string() : found->second;
    };
    JobFilter filter;
    TESSERA_ASSIGN(filter.tenant, tenant_scope(caller));
    if (filter.tenant.empty()) {
        filter.tenant = field("tenant");
    }
    filter.client_tag = field("tag");
    filter.before = JobId{field("before")};
    TESSERA_ASSIGN(filter.limit, query_number(request, "limit", kUsualPage, 1, kLargestPage));
    if (const std::string state = field("state"); !state.empty()) {
        constexpr std::array kStates = {
            JobState::kQueued,
            JobState::kRunning,
            JobState::kDone,
            JobState::kFailed,
            JobState::kCancelled};
        const auto found =
            std::ranges::find(kStates, state, [](JobState one) { return to_string(one); });
        if (found == kStates.end()) {
            return refuse(
                "state",
                ErrorKind::kInvalidArgument,
                "state must be queued, running, done, failed or cancelled"
            );
        }
        filter.state = *found;
    }
    return filter;
}

Checked<http::Response> list(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_ASSIGN(const JobFilter filter, read_filter(request, caller));
    TESSERA_ASSIGN(const auto jobs, parts.queue.jobs(filter));
    OrderedJson json;
    json["jobs"] = OrderedJson::array();
    for (const JobView& job : jobs) {
        json["jobs"].push_back(job_summary_json(job));
    }
    const bool is_full = jobs.size() == static_cast<std::size_t>(filter.limit);
    json["next"] = is_full ? OrderedJson(jobs.back().id.value) : OrderedJson(nullptr);
    return json_answer(request, 200, json);
}

/// cancel or retry: the job as it is afterwards.
template <class Change>
http::Handler changing(const SharedParts& parts, Change change) {
    return [parts, change](const ExchangePtr& exchange) {
        const std::string id = parameter_of(exchange->request(), "id");
        auto job = find_job(parts->queue, caller_of(*exchange), id);
        if (!job) {
            exchange->respond(error_answer(job.error()));
            return;
        }
        change(parts->queue, job->id, [parts, exchange, id = job->id](const Status& status) {
            if (!status) {
                exchange->respond(error_answer(status.error()));
                return;
            }
            const auto view = parts->queue.job(id);
            auto answer = view ? show(*parts, exchange->request(), *view)
                               : tl::unexpected(ApiFault(view.error()));
            exchange->respond(answer ? *std::move(answer) : fault_answer(answer.error()));
        });
    };
}

}  // namespace

void add_native_job_routes(http::Router& router, const SharedParts& parts) {
    router.add("POST", "/api/v1/jobs", [parts](const ExchangePtr& exchange) {
        submit(*parts, exchange);
    });
    router.add(
        "GET",
        "/api/v1/jobs",
        answering([parts](const http::Request& request, const Caller& caller) {
            return list(*parts, request, caller);
        })
    );
    router.add(
        "GET",
        "/api/v1/jobs/{id}",
        answering(
            [parts](const http::Request& request, const Caller& caller) -> Checked<http::Response> {
                TESSERA_ASSIGN(
                    const JobView job, find_job(parts->queue, caller, parameter_of(request, "id"))
                );
                return show(*parts, request, job);
            }
        )
    );
    router.add(
        "DELETE",
        "/api/v1/jobs/{id}",
        answering(
            [parts](const http::Request& request, const Caller& caller) -> Checked<http::Response> {
                TESSERA_ASSIGN(
                    const JobView job, find_job(parts->queue, caller, parameter_of(request, "id"))
                );
                TESSERA_TRY(parts->objects->forget_job(job.id));
                // What cannot be removed now goes later.
                (void)parts->objects->tidy();
                return http::Response{204, {}, {}};
            }
        )
    );
    router.add(
        "POST",
        "/api/v1/jobs/{id}/cancel",
        changing(
            parts,
            [](TaskQueue& queue, const JobId& id, Done<void> done) {
                queue.cancel(id, std::move(done));
            }
        )
    );
    router.add(
        "POST",
        "/api/v1/jobs/{id}/retry",
        changing(
            parts,
            [](TaskQueue& queue, const JobId& id, Done<void> done) {
                queue.retry(id, std::move(done));
            }
        )
    );
}

}  // namespace tessera::api
