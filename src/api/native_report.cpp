#include "api/native_internal.h"
#include "events/job_report.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace tessera::api {
namespace {

constexpr int kDay = 24 * 60 * 60;
constexpr int kLeastSeconds = 60;
constexpr int kMostSeconds = 90 * kDay;
constexpr int kUsualSlices = 48;
constexpr int kMostSlices = 500;
constexpr int kJobsAtOnce = 100;
constexpr std::size_t kMostJobs = 20'000;
constexpr std::size_t kMostReasonsAsked = 10'000;

/// Hands jobs to a report, within bounds.
class ReportReader {
  public:
    /// `tenant` may be empty: all.
    ReportReader(const TaskQueue& queue, std::string tenant, WallTime from, JobReporter& reporter)
        : queue_(queue), tenant_(std::move(tenant)), from_(from), reporter_(reporter) {}

    /// Jobs handed in since then; and those from before that have not ended.
    Status read(WallTime since) {
        const auto is_later = [since](const JobView& job) { return job.submitted >= since; };
        // The newest come first.
        TESSERA_TRY(read_pages({}, [&](const JobView& job) -> Result<bool> {
            return is_later(job) ? take(job) : false;
        }));
        for (const JobState state : {JobState::kQueued, JobState::kRunning}) {
            TESSERA_TRY(read_pages(state, [&](const JobView& job) -> Result<bool> {
                return is_later(job) ? true : take(job);
            }));
        }
        return {};
    }

    [[nodiscard]] bool is_complete() const { return is_complete_; }

  private:
    /// Until `each` says false.
    Status read_pages(
        std::optional<JobState> state, const std::function<Result<bool>(const JobView&)>& each
    ) {
        JobFilter filter;
        filter.tenant = tenant_;
        filter.state = state;
        filter.limit = kJobsAtOnce;
        while (true) {
            TESSERA_ASSIGN(auto page, queue_.jobs(filter));
            for (JobView& job : page) {
                filter.before = job.id;
                TESSERA_TRY(add_reasons(job));
                TESSERA_ASSIGN(const bool goes_on, each(job));
                if (!goes_on) {
                    return {};
                }
            }
            if (static_cast<int>(page.size()) < filter.limit) {
                return {};
            }
        }
    }

    /// False when there are too many already.
    bool take(const JobView& job) {
        if (jobs_ == kMostJobs) {
            is_complete_ = false;
            return false;
        }
        ++jobs_;
        reporter_.add(job);
        return true;
    }

    /// A list has no failures in it.
    Status add_reasons(JobView& job) {
        for (TaskView& task : job.tasks) {
            const bool counts = task.state == TaskState::kDead && task.ended >= from_;
            if (!counts || task.failure || reasons_asked_ == kMostReasonsAsked) {
                continue;
            }
            ++reasons_asked_;
            TESSERA_ASSIGN(auto failures, queue_.failures(task.id));
            if (!failures.empty()) {
                task.failure = std::move(failures.front().failure);
            }
        }
        return {};
    }

    const TaskQueue& queue_;
    std::string tenant_;
    WallTime from_;
    JobReporter& reporter_;
    std::size_t jobs_ = 0;
    std::size_t reasons_asked_ = 0;
    bool is_complete_ = true;
};

std::map<WorkerId, JobReporter::Slots> slots_of(const ApiParts& parts) {
    std::map<WorkerId, JobReporter::Slots> slots;
    for (const ConnectedWorker& worker : parts.dispatcher.workers()) {
        const auto here =
            std::chrono::duration_cast<WallTime::duration>(parts.clock.now() - worker.since);
        slots[worker.view.id] = {worker.view.slots, parts.clock.wall() - here};
    }
    return slots;
}

OrderedJson jobs_json(const JobReport& report) {
    return {
        {"submitted", report.submitted},
        {"done", report.done},
        {"failed", report.failed},
        {"cancelled", report.cancelled},
        {"unfinished", report.unfinished},
    };
}

OrderedJson percentiles_json(const Percentiles& times) {
    return {
        {"count", times.count},
        {"mean", times.mean},
        {"p50", times.p50},
        {"p90", times.p90},
        {"p99", times.p99},
        {"max", times.max},
    };
}

OrderedJson failures_json(const JobReport& report) {
    OrderedJson json = OrderedJson::array();
    for (const JobReport::Failure& failure : report.failures) {
        json.push_back({
            {"reason", failure.reason.empty() ? "unknown" : failure.reason},
            {"fault", to_string(failure.fault)},
            {"tasks", failure.tasks},
        });
    }
    return json;
}

OrderedJson tenants_json(const JobReport& report) {
    OrderedJson json = OrderedJson::array();
    for (const JobReport::Tenant& tenant : report.tenants) {
        json.push_back({
            {"tenant", tenant.tenant},
            {"jobs", tenant.jobs},
            {"failed_jobs", tenant.failed_jobs},
            {"pictures", tenant.pictures},
            {"cost", tenant.cost},
            {"busy_seconds", tenant.busy_seconds},
        });
    }
    return json;
}

OrderedJson slices_json(const JobReport& report) {
    OrderedJson json = OrderedJson::array();
    for (const JobReport::Slice& slice : report.slices) {
        json.push_back({
            {"begin", iso_time(slice.begin)},
            {"pictures", slice.pictures},
            {"failed_tasks", slice.failed_tasks},
            {"busy_seconds", slice.busy_seconds},
            {"mean_wait", slice.mean_wait},
        });
    }
    return json;
}

Checked<http::Response> report(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_TRY(check_query(request, {"since", "slices"}));
    TESSERA_ASSIGN(
        const int seconds, query_number(request, "since", kDay, kLeastSeconds, kMostSeconds)
    );
    TESSERA_ASSIGN(const int slices, query_number(request, "slices", kUsualSlices, 1, kMostSlices));
    TESSERA_ASSIGN(const std::string scope, tenant_scope(caller));
    const std::chrono::seconds length(seconds);
    const WallTime to = parts.clock.wall();
    const WallTime from = to - length;
    JobReporter reporter(from, to, static_cast<std::size_t>(slices), slots_of(parts));
    ReportReader reader(parts.queue, scope, from, reporter);
    TESSERA_TRY(reader.read(from - length));
    const JobReport report = reporter.finish();

    OrderedJson json;
    json["from"] = iso_time(report.from);
    json["to"] = iso_time(report.to);
    json["seconds"] = seconds;
    json["is_complete"] = reader.is_complete();
    json["jobs"] = jobs_json(report);
    json["pictures"] = report.pictures;
    json["retries"] = {
        {"own", report.own_failures}, {"infrastructure", report.infrastructure_losses}};
    json["wait"] = percentiles_json(report.wait);
    json["run"] = percentiles_json(report.run);
    json["busy_seconds"] = report.busy_seconds;
    // A tenant's part of the slots says nothing of how busy they are.
    if (scope.empty() && report.utilisation) {
        json["utilisation"] = *report.utilisation;
    }
    json["failures"] = failures_json(report);
    json["failures_left_out"] = report.failures_left_out;
    json["tenants"] = tenants_json(report);
    json["slices"] = slices_json(report);
    return json_answer(request, 200, json);
}

}  // namespace

void add_native_report_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/report",
        answering([parts](const http::Request& request, const Caller& caller) {
            return report(*parts, request, caller);
        }),
        {.is_slow = true}
    );
}

}  // namespace tessera::api
