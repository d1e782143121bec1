#include "program.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace tessera::e2e {
namespace {

using ::testing::HasSubstr;

/// Runs the program with a full disk of 64 KiB as ./disk: as root that is mounted in a mount
/// namespace of its own, and for anyone else where the system lets users have namespaces.
class FullDisk : public ProgramTest {
  protected:
    Outcome run_on_full_disk(const std::string& arguments) {
        const std::string script =
            "set -e\n"
            "mkdir disk\n"
            "mount -t tmpfs -o size=64k tmpfs disk\n"
            "head -c 48K /dev/zero > disk/filler\n"
            "set +e\n" +
            std::string(TESSERA_BINARY " ") + arguments +
            "\n"
            "code=$?\n"
            "ls -A disk > left\n"
            "exit $code\n";
        std::vector<std::string> command{"unshare", "--mount", "sh", "-c", script};
        if (::geteuid() != 0) {
            command.insert(command.begin() + 1, {"--user", "--map-root-user"});
        }
        return run_other(command);
    }
};

TEST_F(FullDisk, IsToldAndLeavesNoHalfPicture) {
    const Outcome outcome =
        run_on_full_disk("render 'a lake' --steps 1 --size 256x256 --seed 1 --out disk/lake.png");
    expect_complaint(outcome, 1, {"disk/lake.png", "No space left on device", "--out"});
    EXPECT_EQ(read_text(work / "left"), "filler\n");
}

TEST_F(FullDisk, IsToldByTheExport) {
    const Outcome outcome = run_on_full_disk("export-onnx tessera-tiny disk/onnx");
    expect_complaint(outcome, 1, {"disk/onnx", "No space left on device"});
}

TEST_F(FullDisk, OfTheCacheOnlyMakesStartsSlower) {
    environment["TESSERA_CACHE_DIR"] = (work / "disk").string();
    const Outcome outcome = run_on_full_disk("render 'a lake' --steps 1 --size 8x8 --out lake.png");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("note: "));
    EXPECT_GT(std::filesystem::file_size(work / "lake.png"), 0U);
}

TEST_F(FullDisk, AtTheOtherEndOfStdoutIsAFailure) {
    const Outcome outcome = run_other({"sh", "-c", TESSERA_BINARY " models > /dev/full"});
    expect_complaint(outcome, 1, {"standard output"});
}

}  // namespace
}  // namespace tessera::e2e
