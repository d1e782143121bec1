#include "imaging/metadata.h"
#include "pictures.h"
#include "program.h"

#include <gmock/gmock.h>
#include <signal.h>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PromptFileRender : public ProgramTest {
  protected:
    static std::vector<std::string> command(std::vector<std::string> more = {"--steps", "2"}) {
        std::vector<std::string> arguments{
            "render", "--prompts", "prompts.txt", "--size", "64x64", "--seed", "5", "--no-cache"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
};

TEST_F(PromptFileRender, MakesAPictureOfEachLine) {
    write_text(
        work / "prompts.txt",
        "# two lakes\na lake\n\n--prompt \"a pine forest\" --steps 3 --seed 9\n"
    );
    const Outcome outcome = run(command());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "a-lake-5.png\na-pine-forest-9.png\n");
    EXPECT_THAT(work_files(), ElementsAre("a-lake-5.png", "a-pine-forest-9.png", "prompts.txt"));
    const auto metadata =
        extract_metadata(as_bytes(read_text(work / "a-pine-forest-9.png"))).value();
    EXPECT_THAT(metadata.parameters, HasSubstr("Steps: 3"));
}

TEST_F(PromptFileRender, GoesOnAfterABadLineAndReportsAtTheEnd) {
    write_text(work / "prompts.txt", "a lake\na (lake:1e9)\n--prompt x --steps many\na boat\n");
    const Outcome outcome = run(command());
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.out, "a-lake-5.png\na-boat-5.png\n");
    EXPECT_THAT(outcome.err, HasSubstr("line 2"));
    EXPECT_THAT(outcome.err, HasSubstr("line 3"));
    EXPECT_THAT(outcome.err, HasSubstr("2 of 4 lines failed"));
    // What is done is not done again; the bad lines fail again.
    const Outcome again = run(command());
    EXPECT_EQ(again.exit_code, 2);
    EXPECT_EQ(again.out, "");
    EXPECT_THAT(again.err, HasSubstr("2 pictures were there already"));
}

TEST_F(PromptFileRender, GoesOnWhereItWasKilled) {
    write_text(work / "prompts.txt", "a lake\na boat\na castle\n");
    const pid_t process = start(command({"--steps", "30"}));
    wait_for_text(process, root / "stdout", "\n");
    kill(process, SIGKILL);
    EXPECT_EQ(finish(process).exit_code, -1);
    const std::string lake = read_text(work / "a-lake-5.png");
    const Outcome outcome = run(command({"--steps", "30"}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("there already"));
    EXPECT_THAT(outcome.out, Not(HasSubstr("a-lake")));
    EXPECT_EQ(read_text(work / "a-lake-5.png"), lake);
    EXPECT_THAT(
        work_files(), ElementsAre("a-boat-5.png", "a-castle-5.png", "a-lake-5.png", "prompts.txt")
    );
}

TEST_F(PromptFileRender, ReadsStandardInputAndRefusesWhatHasNoPrompts) {
    write_text(work / "prompts.txt", "# nothing\n");
    expect_complaint(run(command()), 2, {"prompts.txt", "no prompts"});
    expect_complaint(run({"render", "--prompts", "missing.txt"}), 2, {"missing.txt"});
    expect_complaint(run({"render", "a lake", "--prompts", "prompts.txt"}), 2, {"PROMPT"});
}

class GridRender : public ProgramTest {
  protected:
    Outcome grid(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"render", "a lake", "--seed", "5"});
        arguments.insert(
            arguments.end(), {"--steps", "2", "--size", "64x64", "--no-cache", "--out", "sheet.png"}
        );
        return run(std::move(arguments));
    }
};

TEST_F(GridRender, DrawsALabelledSheet) {
    const Outcome outcome = grid({"--grid", "sampler=Euler,DDIM", "--grid", "cfg=3,5,7"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "sheet.png\n");
    EXPECT_THAT(work_files(), ElementsAre("sheet.png"));
    const Image sheet = picture_in(work / "sheet.png");
    EXPECT_GT(sheet.width, 2 * 64);
    EXPECT_GT(sheet.height, 3 * 64);
    const auto metadata = extract_metadata(as_bytes(read_text(work / "sheet.png"))).value();
    EXPECT_THAT(metadata.parameters, HasSubstr("Script: X/Y/Z plot, X Type: sampler"));
}

TEST_F(GridRender, KeepsTheSinglePicturesWhenAsked) {
    const Outcome outcome = grid({"--grid", "sr=lake,boat", "--keep-cells"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(work_files(), ElementsAre("a-boat-5.png", "a-lake-5.png", "sheet.png"));
}

TEST_F(GridRender, KeepsThemInTheSheetsFormat) {
    const Outcome outcome = run(
        {"render",
         "a lake",
         "--seed",
         "5",
         "--steps",
         "2",
         "--size",
         "64x64",
         "--no-cache",
         "--grid",
         "cfg=3,5",
         "--keep-cells",
         "--out",
         "sheet.jpg",
         "--quality",
         "80"}
    );
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(work_files(), ElementsAre("a-lake-5-2.jpg", "a-lake-5.jpg", "sheet.jpg"));
}

TEST_F(GridRender, ShowsWhyACellFailed) {
    const Outcome outcome = grid({"--grid", "prompt=a lake,(a lake:1e9)"});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("1 of 2 cells failed"));
    EXPECT_THAT(work_files(), Contains("sheet.png"));
}

TEST_F(GridRender, RefusesAxesThatMakeNoSense) {
    expect_complaint(grid({"--grid", "samplr=Euler"}), 2, {"samplr", "sampler"});
    expect_complaint(grid({"--grid", "cfg=warm"}), 2, {"cfg", "warm"});
    expect_complaint(grid({"--grid", "sampler=Eule"}), 2, {"Eule", "Euler"});
    expect_complaint(grid({"--grid", "steps=1-1000"}), 1, {"400"});
    EXPECT_THAT(work_files(), ElementsAre());
}

}  // namespace
}  // namespace tessera::e2e
