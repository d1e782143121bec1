#include "events/job_report.h"

#include "queue/plans_test.h"

#include <gmock/gmock.h>

#include <string>

namespace tessera {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::Field;
using testing::Optional;

using Failure = JobReport::Failure;
using Slots = JobReporter::Slots;
using Tenant = JobReport::Tenant;

/// The report is of the day that ends here, in half hours.
constexpr WallTime kNow{hours(500'000)};
constexpr WallTime kFrom = kNow - hours(24);
constexpr std::size_t kSlices = 48;

/// Of one picture, handed in that long ago.
JobView queued(milliseconds ago, const std::string& tenant = "alice") {
    JobView job;
    job.plan = std::make_shared<const JobPlan>(test_plan({{}}, tenant));
    job.submitted = kNow - ago;
    job.tasks.resize(1);
    job.tasks[0].plan = job.plan->tasks[0];
    job.tasks[0].state = TaskState::kReady;
    return job;
}

JobView running(milliseconds ago, milliseconds wait, const std::string& worker = "w1") {
    JobView job = queued(ago);
    job.state = JobState::kRunning;
    job.started = job.submitted + wait;
    job.tasks[0].state = TaskState::kRunning;
    job.tasks[0].started = job.started;
    job.tasks[0].worker = {worker};
    return job;
}

JobView done(milliseconds ago, milliseconds wait, milliseconds run) {
    JobView job = running(ago, wait);
    job.state = JobState::kDone;
    job.ended = *job.started + run;
    job.tasks[0].state = TaskState::kDone;
    job.tasks[0].ended = job.ended;
    return job;
}

JobView failed(milliseconds ago, std::string reason, FaultKind fault = FaultKind::kTask) {
    JobView job = done(ago, seconds(0), seconds(1));
    job.state = JobState::kFailed;
    job.tasks[0].state = TaskState::kDead;
    job.tasks[0].failure = TaskFailure{fault, false, std::move(reason), {}};
    return job;
}

JobReport report_of(const std::vector<JobView>& jobs, std::map<WorkerId, Slots> workers = {}) {
    JobReporter reporter(kFrom, kNow, kSlices, std::move(workers));
    for (const JobView& job : jobs) {
        reporter.add(job);
    }
    return reporter.finish();
}

TEST(JobReport, OfNothingIsEmpty) {
    const JobReport report = report_of({});
    EXPECT_EQ(report.submitted, 0U);
    EXPECT_EQ(report.wait.count, 0U);
    EXPECT_EQ(report.wait.p99, 0.0);
    EXPECT_EQ(report.slices.size(), kSlices);
    EXPECT_TRUE(report.tenants.empty());
}

TEST(JobReport, CountsWhatHappenedInItsTimeAlone) {
    const JobReport report = report_of(
        {queued(minutes(1)),
         running(minutes(2), seconds(1)),
         done(hours(1), seconds(1), seconds(1)),
         failed(hours(2), "no"),
         done(hours(25), seconds(1), hours(2)),  // handed in before, ended within
         done(hours(26), seconds(1), hours(1))}  // all of it before
    );
    EXPECT_EQ(report.submitted, 4U);
    EXPECT_EQ(report.unfinished, 2U);
    EXPECT_EQ(report.done, 2U);
    EXPECT_EQ(report.failed, 1U);
    EXPECT_EQ(report.cancelled, 0U);
    EXPECT_EQ(report.pictures, 2U);
    EXPECT_EQ(report.wait.count, 3U) << "of those that began in it";
    EXPECT_EQ(report.run.count, 2U) << "of those that were done in it";
}

TEST(JobReport, WhatNobodyPublishesIsNoPictureButCosts) {
    JobView job = done(hours(1), seconds(1), seconds(1));
    job.tasks[0].plan.publishes = false;
    const JobReport report = report_of({job});
    EXPECT_EQ(report.pictures, 0U);
    EXPECT_THAT(report.tenants, ElementsAre(Field(&Tenant::cost, 2.0)));
}

TEST(JobReport, PercentilesAreValuesThatOccurred) {
    std::vector<JobView> jobs;
    for (int i = 100; i > 0; --i) {
        jobs.push_back(done(hours(1), seconds(i), seconds(2 * i)));
    }
    const JobReport report = report_of(jobs);
    EXPECT_EQ(report.wait.count, 100U);
    EXPECT_DOUBLE_EQ(report.wait.p50, 50.0);
    EXPECT_DOUBLE_EQ(report.wait.p90, 90.0);
    EXPECT_DOUBLE_EQ(report.wait.p99, 99.0);
    EXPECT_DOUBLE_EQ(report.wait.max, 100.0);
    EXPECT_DOUBLE_EQ(report.wait.mean, 50.5);
    EXPECT_DOUBLE_EQ(report.run.p50, 100.0);
}

TEST(JobReport, AJobThatFailedTellsNothingOfHowLongOthersRun) {
    const JobReport report = report_of({failed(hours(1), "no")});
    EXPECT_EQ(report.wait.count, 1U);
    EXPECT_EQ(report.run.count, 0U);
}

TEST(JobReport, AClockThatJumpedBackMakesNothingNegative) {
    const JobReport report = report_of({done(hours(1), -seconds(30), -seconds(5))});
    EXPECT_DOUBLE_EQ(report.wait.max, 0.0);
    EXPECT_DOUBLE_EQ(report.run.max, 0.0);
    EXPECT_DOUBLE_EQ(report.busy_seconds, 0.0);
}

TEST(JobReport, UtilisationIsOfWorkersSinceTheyCame) {
    const JobReport report = report_of(
        {running(hours(2), hours(0), "w1"),  // an hour of it before w1 came
         running(hours(30), hours(0), "w2"),
         running(hours(3), hours(0), "gone")},
        {{{"w1"}, {2, kNow - hours(1)}}, {{"w2"}, {1, kNow - hours(48)}}}
    );
    EXPECT_THAT(report.utilisation, Optional(DoubleEq((1.0 + 24.0) / (2.0 + 24.0))));
    EXPECT_DOUBLE_EQ(report.busy_seconds, (2.0 + 24.0 + 3.0) * 3600.0);
}

TEST(JobReport, WithoutWorkersUtilisationIsNotKnown) {
    EXPECT_FALSE(report_of({running(hours(2), hours(0))}).utilisation.has_value());
}

TEST(JobReport, ATaskThatWaitsForAnotherAttemptIsNotBusy) {
    JobView job = running(hours(1), seconds(0));
    job.tasks[0].state = TaskState::kDelayed;
    job.tasks[0].infrastructure_losses = 2;
    const JobReport report = report_of({job});
    EXPECT_DOUBLE_EQ(report.busy_seconds, 0.0);
    EXPECT_EQ(report.infrastructure_losses, 2U);
}

TEST(JobReport, ItsSlicesAddUp) {
    const JobReport report = report_of(
        {done(minutes(80), minutes(5), minutes(45)),  // over two of them
         running(hours(30), minutes(0)),              // over all
         failed(minutes(1), "no")}
    );
    EXPECT_EQ(report.slices.at(0).begin, kFrom);
    EXPECT_EQ(report.slices.at(47).begin, kNow - minutes(30));
    EXPECT_DOUBLE_EQ(report.slices.at(44).busy_seconds, 1800.0);
    EXPECT_DOUBLE_EQ(report.slices.at(45).busy_seconds, 1800.0 + 900.0);
    EXPECT_DOUBLE_EQ(report.slices.at(46).busy_seconds, 1800.0 + 1800.0);
    EXPECT_DOUBLE_EQ(report.slices.at(45).mean_wait, 300.0);
    EXPECT_EQ(report.slices.at(47).pictures, 1U) << "a moment between two belongs to the later";
    EXPECT_EQ(report.slices.at(47).failed_tasks, 1U);
    double busy = 0.0;
    for (const JobReport::Slice& slice : report.slices) {
        busy += slice.busy_seconds;
    }
    EXPECT_DOUBLE_EQ(busy, report.busy_seconds);
}

TEST(JobReport, FailuresThatDifferInNumbersAreOneReason) {
    const JobReport report = report_of(
        {failed(hours(1), "it took 3 workers with it", FaultKind::kInfrastructure),
         failed(hours(1), "it took 20 workers with it", FaultKind::kInfrastructure),
         failed(minutes(1), "the model gave no numbers"),
         failed(hours(25), "before its time")}
    );
    EXPECT_THAT(
        report.failures,
        ElementsAre(
            AllOf(
                Field(&Failure::reason, "it took 3 workers with it"),
                Field(&Failure::fault, FaultKind::kInfrastructure),
                Field(&Failure::tasks, 2U)
            ),
            AllOf(Field(&Failure::reason, "the model gave no numbers"), Field(&Failure::tasks, 1U))
        )
    );
}

TEST(JobReport, ListsTheMostFrequentReasonsAndAddsUpTheRest) {
    std::vector<JobView> jobs;
    for (std::size_t i = 0; i < 2000; ++i) {
        const std::string reason(1 + i % 50, static_cast<char>('a' + i / 50 % 26));
        jobs.push_back(failed(minutes(1), reason));
    }
    const JobReport report = report_of(jobs);
    EXPECT_EQ(report.failures.size(), JobReporter::kMostReasons);
    std::size_t told = report.failures_left_out;
    for (const Failure& failure : report.failures) {
        told += failure.tasks;
    }
    EXPECT_EQ(told, 2000U);
}

TEST(JobReport, TenantsPayForWhatWasDone) {
    EXPECT_THAT(
        report_of({queued(minutes(1), "bob"), done(hours(1), seconds(1), seconds(7))}).tenants,
        ElementsAre(
            AllOf(
                Field(&Tenant::tenant, "alice"),
                Field(&Tenant::jobs, 1U),
                Field(&Tenant::pictures, 1U),
                Field(&Tenant::cost, 2.0),
                Field(&Tenant::busy_seconds, 7.0)
            ),
            AllOf(
                Field(&Tenant::tenant, "bob"), Field(&Tenant::jobs, 1U), Field(&Tenant::cost, 0.0)
            )
        )
    );
}

TEST(JobReport, OfATenantWhoDidNothingInItsTimeItSaysNothing) {
    EXPECT_TRUE(report_of({done(hours(48), seconds(1), seconds(1))}).tenants.empty());
}

}  // namespace
}  // namespace tessera
