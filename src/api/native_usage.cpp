#include "api/native_internal.h"
#include "job/progress.h"

#include <map>
#include <string>

namespace tessera::api {
namespace {

constexpr int kJobsLookedAt = 1000;

struct Usage {
    std::size_t jobs = 0;
    std::size_t pictures = 0;
    double cost = 0.0;  ///< of what is done

    void add(const JobView& job) {
        ++jobs;
        for (const TaskView& task : job.tasks) {
            if (task.state == TaskState::kDone) {
                pictures += task.plan.publishes ? 1 : 0;
                cost += task.plan.cost;
            }
        }
    }
};

OrderedJson usage_json(const std::string& tenant, const Usage& usage, const TaskQueue& queue) {
    const QueueCounts own = queue.counts(tenant);
    const double total = queue.counts({}).waiting_cost;
    OrderedJson json;
    json["tenant"] = tenant;
    json["jobs"] = usage.jobs;
    json["pictures"] = usage.pictures;
    json["cost"] = usage.cost;
    json["queue"] = {
        {"waiting", own.blocked + own.ready + own.delayed},
        {"running", own.running},
        {"waiting_cost", own.waiting_cost},
        {"share", total > 0.0 ? own.waiting_cost / total : 0.0},
    };
    return json;
}

Checked<http::Response> usage(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    JobFilter filter;
    filter.limit = kJobsLookedAt;
    TESSERA_ASSIGN(filter.tenant, tenant_scope(caller));
    TESSERA_ASSIGN(const auto jobs, parts.queue.jobs(filter));
    std::map<std::string, Usage> tenants;
    tenants[caller.tenant];
    for (const JobView& job : jobs) {
        tenants[job.plan->spec.tenant].add(job);
    }
    OrderedJson json;
    json["of_newest_jobs"] = kJobsLookedAt;
    json["is_complete"] = jobs.size() < static_cast<std::size_t>(kJobsLookedAt);
    json["tenants"] = OrderedJson::array();
    for (const auto& [tenant, used] : tenants) {
        json["tenants"].push_back(usage_json(tenant, used, parts.queue));
    }
    return json_answer(request, 200, json);
}

}  // namespace

void add_native_usage_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/usage",
        answering([parts](const http::Request& request, const Caller& caller) {
            return usage(*parts, request, caller);
        })
    );
}

}  // namespace tessera::api
