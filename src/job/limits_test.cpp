#include "job/limits.h"

#include "job/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tessera {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Limits : public ::testing::Test {
  protected:
    Limits() {
        resolved_.passes = {{{512, 512}, 20, true}};
        resolved_.size = {512, 512};
    }

    [[nodiscard]] Status check() const { return check_limits(spec_, resolved_, load_, limits_); }

    void expect_refused(const std::string& message, ErrorKind kind = ErrorKind::kInvalidArgument) {
        const auto status = check();
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().kind, kind);
        EXPECT_THAT(status.error().message, StartsWith(message));
    }

    JobSpec spec_;
    ResolvedJob resolved_;
    TenantLoad load_;
    TenantLimits limits_;
};

TEST_F(Limits, LetOrdinaryJobsPass) {
    const auto status = check();
    EXPECT_TRUE(status) << status.error().message;
}

TEST_F(Limits, HoldAtTheirExactValue) {
    limits_ = {
        .max_side = 512,
        .max_pixels = 512 * 512,
        .max_steps = 20,
        .max_count = 1,
        .max_cost = expected_work(spec_, resolved_)->cost,
        .max_prompt_bytes = 4,
        .max_queued_tasks = 5,
        .max_queued_cost = 100.0,
    };
    spec_.render.prompt = "1234";
    load_ = {.queued_tasks = 4, .queued_cost = 100.0 - limits_.max_cost};
    const auto status = check();
    EXPECT_TRUE(status) << status.error().message;
}

TEST_F(Limits, NameFieldValueAndLimit) {
    limits_.max_count = 10;
    spec_.count = 11;
    expect_refused("count is 11, 10 are allowed");
    spec_.count = 0;
    expect_refused("count is 0, it can be 1 to 10000");
    spec_.count = 1;

    limits_.max_prompt_bytes = 5;
    spec_.render.negative_prompt = "too long";
    expect_refused("negative_prompt has 8 bytes, 5 are allowed");
    spec_.render.negative_prompt.clear();

    limits_.max_steps = 19;
    expect_refused("steps is 20, 19 are allowed");
    limits_.max_steps = 20;
    resolved_.passes.push_back({{1024, 1024}, 21, true});
    expect_refused("hires_steps is 21, 20 are allowed");
    resolved_.passes.pop_back();

    limits_.max_side = 511;
    expect_refused("size leads to 512x512, 511 pixels are allowed on a side");
    limits_.max_side = 9000;
    limits_.max_pixels = 262'144;
    resolved_.size = {513, 512};
    expect_refused("size leads to 513x512, which are 262656 pixels, 262144 are allowed");
}

TEST_F(Limits, CountWhatAJobCosts) {
    limits_.max_cost = 10.0;
    expect_refused("count 1 leads to 11 megapixel-steps, 10 are allowed");
}

TEST_F(Limits, AskToWaitWhenTheQueueIsFull) {
    load_.queued_tasks = limits_.max_queued_tasks;
    expect_refused("10000 of your tasks wait and this job adds 1", ErrorKind::kExhausted);
    load_ = {.queued_tasks = 1, .queued_cost = limits_.max_queued_cost};
    expect_refused("200000 megapixel-steps of yours wait", ErrorKind::kExhausted);
    load_ = {.queued_tasks_of_all = limits_.max_queued_tasks_of_all};
    expect_refused("100000 tasks wait in all and this job adds 1", ErrorKind::kExhausted);
}

TEST_F(Limits, DoNotAskToWaitForWhatWillNeverFit) {
    limits_.max_queued_tasks = 2;
    spec_.count = 3;
    expect_refused("count 3 leads to 3 tasks");
    limits_.max_queued_tasks = 3;
    limits_.max_queued_cost = 30.0;
    expect_refused("count 3 leads to 3 tasks that cost 34 megapixel-steps, 3 and 30 may wait");
    limits_.max_queued_tasks_of_all = 2;
    expect_refused("count 3 leads to 3 tasks that cost 34 megapixel-steps, 2 and 30 may wait");
}

TEST_F(Limits, NeverSayYesToWhatCannotBeStored) {
    spec_.client_tag.assign(1000, 'x');
    expect_refused("client_tag has 1000 bytes, 256 are allowed");
}

}  // namespace
}  // namespace tessera
