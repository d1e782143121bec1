#include "events/job_report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace tessera {
namespace {

/// So many reasons are told apart; the rest are counted alone.
constexpr std::size_t kMostKeptReasons = 1000;

double seconds_between(WallTime from, WallTime to) {
    return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

/// How much of the time from `from` to `to` lies between `begin` and `end`.
double overlap(WallTime from, WallTime to, WallTime begin, WallTime end) {
    return seconds_between(std::max(from, begin), std::min(to, end));
}

Percentiles percentiles_of(std::vector<double> seconds) {
    Percentiles result;
    if (seconds.empty()) {
        return result;
    }
    std::ranges::sort(seconds);
    const auto count = static_cast<double>(seconds.size());
    const auto at = [&](double share) {
        return seconds[static_cast<std::size_t>(std::ceil(share * count)) - 1];
    };
    result.count = seconds.size();
    result.mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) / count;
    result.p50 = at(0.5);
    result.p90 = at(0.9);
    result.p99 = at(0.99);
    result.max = seconds.back();
    return result;
}

/// "it ran 20 times" and "it ran 3 times" are one reason.
std::string without_numbers(const std::string& message) {
    std::string kind;
    for (const char letter : message) {
        const bool is_digit = letter >= '0' && letter <= '9';
        if (!is_digit || kind.empty() || kind.back() != '0') {
            kind += is_digit ? '0' : letter;
        }
    }
    return kind;
}

/// When the last attempt ended, if that is known.
std::optional<WallTime> attempt_end(const TaskView& task, WallTime now) {
    if (task.state == TaskState::kRunning) {
        return now;
    }
    return is_final(task.state) ? task.ended : std::nullopt;
}

bool says_something(const JobReport::Tenant& tenant) {
    return tenant.jobs + tenant.failed_jobs + tenant.pictures > 0 || tenant.cost > 0.0 ||
           tenant.busy_seconds > 0.0;
}

}  // namespace

JobReporter::JobReporter(
    WallTime from, WallTime to, std::size_t slices, std::map<WorkerId, Slots> workers
)
    : workers_(std::move(workers)), begun_(slices) {
    report_.from = from;
    report_.to = to;
    report_.slices.resize(slices);
    for (std::size_t i = 0; i < slices; ++i) {
        report_.slices[i].begin = edge(i);
    }
}

bool JobReporter::is_inside(const std::optional<WallTime>& time) const {
    return time && *time >= report_.from && *time <= report_.to;
}

WallTime JobReporter::edge(std::size_t slice) const {
    const auto length = (report_.to - report_.from).count();
    const auto slices = static_cast<WallTime::rep>(report_.slices.size());
    return report_.from + WallTime::duration(length * static_cast<WallTime::rep>(slice) / slices);
}

std::size_t JobReporter::slice_at(WallTime time) const {
    const double share =
        seconds_between(report_.from, time) / seconds_between(report_.from, report_.to);
    const auto slices = report_.slices.size();
    return std::min(static_cast<std::size_t>(share * static_cast<double>(slices)), slices - 1);
}

void JobReporter::add(const JobView& job) {
    JobReport::Tenant tenant;
    add_state(job, tenant);
    add_times(job);
    for (const TaskView& task : job.tasks) {
        add_task(task, tenant);
    }
    if (says_something(tenant)) {
        JobReport::Tenant& sum = tenants_[job.plan->spec.tenant];
        sum.jobs += tenant.jobs;
        sum.failed_jobs += tenant.failed_jobs;
        sum.pictures += tenant.pictures;
        sum.cost += tenant.cost;
        sum.busy_seconds += tenant.busy_seconds;
    }
}

void JobReporter::add_state(const JobView& job, JobReport::Tenant& tenant) {
    if (is_inside(job.submitted)) {
        ++report_.submitted;
        ++tenant.jobs;
    }
    if (!is_final(job.state)) {
        report_.unfinished += job.submitted <= report_.to ? 1 : 0;
    } else if (is_inside(job.ended)) {
        report_.done += job.state == JobState::kDone ? 1 : 0;
        report_.failed += job.state == JobState::kFailed ? 1 : 0;
        report_.cancelled += job.state == JobState::kCancelled ? 1 : 0;
        tenant.failed_jobs += job.state == JobState::kFailed ? 1 : 0;
    }
}

void JobReporter::add_times(const JobView& job) {
    if (is_inside(job.started)) {
        const double waited = seconds_between(job.submitted, *job.started);
        waits_.push_back(waited);
        const std::size_t slice = slice_at(*job.started);
        ++begun_[slice];
        report_.slices[slice].mean_wait += waited;  // their sum, until finish
    }
    if (job.state == JobState::kDone && job.started && is_inside(job.ended)) {
        runs_.push_back(seconds_between(*job.started, *job.ended));
    }
}

void JobReporter::add_task(const TaskView& task, JobReport::Tenant& tenant) {
    add_busy(task, tenant);
    if (!is_final(task.state) || is_inside(task.ended)) {
        report_.own_failures += static_cast<std::size_t>(task.own_failures);
        report_.infrastructure_losses += static_cast<std::size_t>(task.infrastructure_losses);
    }
    if (!is_inside(task.ended)) {
        return;
    }
    if (task.state == TaskState::kDone) {
        tenant.cost += task.plan.cost;
        if (task.plan.publishes) {
            ++report_.pictures;
            ++tenant.pictures;
            ++report_.slices[slice_at(*task.ended)].pictures;
        }
    } else if (task.state == TaskState::kDead) {
        add_death(task);
    }
}

void JobReporter::add_busy(const TaskView& task, JobReport::Tenant& tenant) {
    const auto end = attempt_end(task, report_.to);
    if (!task.started || !end) {
        return;
    }
    const double busy = overlap(report_.from, report_.to, *task.started, *end);
    if (busy <= 0.0) {
        return;
    }
    report_.busy_seconds += busy;
    tenant.busy_seconds += busy;
    const auto worker = workers_.find(task.worker);
    if (worker != workers_.end()) {
        const WallTime since = std::max(report_.from, worker->second.since);
        used_seconds_ += overlap(since, report_.to, *task.started, *end);
    }
    const std::size_t last = slice_at(std::min(*end, report_.to));
    for (std::size_t i = slice_at(std::max(*task.started, report_.from)); i <= last; ++i) {
        report_.slices[i].busy_seconds += overlap(edge(i), edge(i + 1), *task.started, *end);
    }
}

void JobReporter::add_death(const TaskView& task) {
    ++report_.slices[slice_at(*task.ended)].failed_tasks;
    const TaskFailure failure = task.failure.value_or(TaskFailure{});
    Reason reason{failure.fault, without_numbers(failure.message)};
    const auto known = reasons_.find(reason);
    if (known != reasons_.end()) {
        ++known->second.tasks;
    } else if (reasons_.size() < kMostKeptReasons) {
        reasons_.emplace(std::move(reason), JobReport::Failure{failure.message, failure.fault, 1});
    } else {
        ++report_.failures_left_out;
    }
}

JobReport JobReporter::finish() const {
    JobReport report = report_;
    report.wait = percentiles_of(waits_);
    report.run = percentiles_of(runs_);
    for (std::size_t i = 0; i < begun_.size(); ++i) {
        report.slices[i].mean_wait /= static_cast<double>(std::max<std::size_t>(begun_[i], 1));
    }
    double offered = 0.0;
    for (const auto& worker : workers_) {
        const Slots& slots = worker.second;
        offered += slots.count * overlap(report.from, report.to, slots.since, report.to);
    }
    if (offered > 0.0) {
        report.utilisation = std::min(1.0, used_seconds_ / offered);
    }
    for (const auto& reason : reasons_) {
        report.failures.push_back(reason.second);
    }
    std::ranges::stable_sort(report.failures, std::greater<>(), &JobReport::Failure::tasks);
    for (std::size_t i = kMostReasons; i < report.failures.size(); ++i) {
        report.failures_left_out += report.failures[i].tasks;
    }
    report.failures.resize(std::min(report.failures.size(), kMostReasons));
    for (const auto& known : tenants_) {
        report.tenants.push_back(known.second);
        report.tenants.back().tenant = known.first;
    }
    std::ranges::stable_sort(report.tenants, std::greater<>(), &JobReport::Tenant::cost);
    report.tenants.resize(std::min(report.tenants.size(), kMostTenants));
    return report;
}

}  // namespace tessera
