#include "program.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include <algorithm>

namespace tessera::e2e {
namespace {

using ::testing::IsEmpty;

class InterruptedRender : public ProgramTest {
  protected:
    /// A render that would go on for hours, once it is among its steps.
    pid_t start_long_render() {
        const pid_t process = start(
            {"render", "a lake", "--size", "512x512", "--steps", "1000", "--seed", "1", "--json"}
        );
        wait_for_text(process, root / "stderr", "/1000");
        return process;
    }
};

TEST_F(InterruptedRender, StopsWithinAStepAndLeavesNothing) {
    const pid_t process = start_long_render();
    ASSERT_EQ(::kill(process, SIGINT), 0);
    const Outcome outcome = finish(process);
    expect_complaint(outcome, 130, {"stopped"});
    EXPECT_THAT(work_files(), IsEmpty());
    EXPECT_EQ(nlohmann::json::parse(outcome.out)["error"]["kind"], "cancelled");
}

TEST_F(InterruptedRender, TakesSigtermTheSame) {
    const pid_t process = start_long_render();
    ASSERT_EQ(::kill(process, SIGTERM), 0);
    expect_complaint(finish(process), 130, {"stopped"});
    EXPECT_THAT(work_files(), IsEmpty());
}

TEST_F(InterruptedRender, StopsByCtrlCOnATerminalAndLeavesItsLineClean) {
    const Outcome outcome = run_on_terminal(
        {"render", "a lake", "--size", "512x512", "--steps", "1000", "--seed", "1"}, "/1000", "\x03"
    );
    EXPECT_EQ(outcome.exit_code, 130);
    EXPECT_TRUE(outcome.out.ends_with("\r\x1b[Ktessera: stopped\r\n"));
    EXPECT_THAT(work_files(), IsEmpty());
}

TEST_F(InterruptedRender, EndsAtOnceByTheSecondCtrlC) {
    const Outcome outcome = run_on_terminal(
        {"render", "a lake", "--size", "512x512", "--steps", "1000", "--seed", "1"},
        "/1000",
        "\x03\x03"
    );
    EXPECT_EQ(outcome.exit_code, 130);
    EXPECT_THAT(work_files(), IsEmpty());
}

TEST_F(InterruptedRender, KeepsThePicturesThatWereDone) {
    const pid_t process = start(
        {"render",
         "a lake",
         "--steps",
         "1",
         "--size",
         "8x8",
         "--seed",
         "1",
         "--count",
         "1000",
         "--no-cache"}
    );
    wait_for_text(process, root / "stdout", "\n");
    ASSERT_EQ(::kill(process, SIGINT), 0);
    const Outcome outcome = finish(process);
    EXPECT_EQ(outcome.exit_code, 130);
    const auto told = std::count(outcome.out.begin(), outcome.out.end(), '\n');
    EXPECT_GE(told, 1);
    EXPECT_EQ(static_cast<std::ptrdiff_t>(work_files().size()), told);
}

}  // namespace
}  // namespace tessera::e2e
