#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tessera::e2e {

/// How a run of the program ended.
struct Outcome {
    int exit_code;    ///< -1: killed by a signal
    std::string out;  ///< stdout
    std::string err;  ///< stderr
};

/// A test with a folder of its own: the program's current folder is `work`, its cache and the
/// user's models are beside that.
class ProgramTest : public ::testing::Test {
  protected:
    ProgramTest();
    ~ProgramTest() override;

    /// Runs the program to its end.
    Outcome run(std::vector<std::string> arguments);
    /// Runs another program so; it is looked for in PATH.
    Outcome run_other(std::vector<std::string> command);
    /// Starts the program; `finish` waits for it.
    pid_t start(std::vector<std::string> arguments);
    Outcome finish(pid_t process);
    /// Runs the program on a terminal of 80 columns of its own. What that shows is `out`; as soon
    /// as it shows `cue`, `keys` are typed.
    Outcome run_on_terminal(
        std::vector<std::string> arguments, const std::string& cue, const std::string& keys
    );

    /// Returns when the file, to which the process writes, has the text, or the process has ended.
    static void wait_for_text(
        pid_t process, const std::filesystem::path& file, const std::string& text
    );

    /// A copy of the demo model among the user's models, to be damaged.
    std::filesystem::path copy_model(const std::string& name);

    /// The names of all that lies in `work`, hidden files included.
    [[nodiscard]] std::vector<std::string> work_files() const;

    std::filesystem::path root;
    std::filesystem::path work;
    std::filesystem::path models;
    std::filesystem::path cache;
    std::map<std::string, std::string> environment;

  private:
    pid_t spawn(std::vector<std::string> command);
};

[[nodiscard]] std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& content);

/// One sentence for a person on stderr: "tessera: ..." is its only line that is no progress, and it
/// has all of the words.
void expect_complaint(const Outcome& outcome, int exit_code, const std::vector<std::string>& words);

}  // namespace tessera::e2e
