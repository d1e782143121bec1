#include "worker/supervisor.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string read(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

class Supervisor : public testing::Test {
  protected:
    Supervisor() {
        std::string name = (fs::temp_directory_path() / "tessera-supervisor-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        ::mkfifo((folder_ / "ready").c_str(), 0600);
        options_.new_worker = [this] { return WorkerId{fmt::format("w{}", ++workers_)}; };
        options_.say = [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            said_.push_back(line);
        };
        options_.first_pause = std::chrono::milliseconds(1);
        options_.longest_pause = std::chrono::milliseconds(1);
    }
    ~Supervisor() override { fs::remove_all(folder_); }

    /// What each start of a process is to do, as a shell's words.
    void each_start(std::function<std::string(const ProcessStart&)> script) {
        options_.command = [this, script = std::move(script)](const ProcessStart& start) {
            std::string words;
            {
                const std::lock_guard lock(mutex_);
                starts_.push_back(start);
                words = script(start);
            }
            return std::vector<std::string>{"/bin/sh", "-c", words, "sh", folder_.string()};
        };
    }
    /// Waits for the process that says `echo >"$1/ready"`.
    void wait_until_ready() const { (void)read(folder_ / "ready"); }
    Status supervise() {
        return tessera::supervise(options_, drain_.get_token(), abandon_.get_token());
    }

    fs::path folder_;
    SupervisorOptions options_;
    std::stop_source drain_;
    std::stop_source abandon_;
    std::mutex mutex_;  // guards what follows
    std::vector<ProcessStart> starts_;
    std::vector<std::string> said_;

  private:
    std::atomic<int> workers_ = 0;
};

constexpr const char* kCrash = "ulimit -c 0; kill -SEGV $$";
constexpr const char* kStay = "exec sleep 1000";

TEST_F(Supervisor, ReplacesACrashedProcessAndTellsTheNextHowItDied) {
    each_start([this](const ProcessStart& start) {
        if (start.predecessor.value.empty()) {
            return kCrash;
        }
        drain_.request_stop();
        return kStay;
    });
    EXPECT_TRUE(supervise());
    ASSERT_EQ(starts_.size(), 2U);
    EXPECT_EQ(starts_[0].worker.value, "w1");
    EXPECT_EQ(starts_[0].crash, "");
    EXPECT_EQ(starts_[1].worker.value, "w2");
    EXPECT_EQ(starts_[1].predecessor.value, "w1");
    EXPECT_THAT(starts_[1].crash, HasSubstr("signal 11"));
}

TEST_F(Supervisor, AKilledProcessHasNotCrashed) {
    each_start([this](const ProcessStart& start) {
        if (start.predecessor.value.empty()) {
            return "kill -KILL $$";
        }
        drain_.request_stop();
        return kStay;
    });
    EXPECT_TRUE(supervise());
    ASSERT_EQ(starts_.size(), 2U);
    EXPECT_EQ(starts_[1].predecessor.value, "w1");
    EXPECT_EQ(starts_[1].crash, "");
}

TEST_F(Supervisor, GivesUpWhenAProcessCannotStart) {
    options_.processes = 2;
    each_start([](const ProcessStart& start) { return start.number == 0 ? "exit 1" : kStay; });
    const Status ended = supervise();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::kInternal);
    EXPECT_LE(starts_.size(), 2U);
}

TEST_F(Supervisor, TriesAgainWhenAReplacementCannotStart) {
    each_start([this](const ProcessStart& start) {
        if (starts_.size() == 3) {
            drain_.request_stop();
            return kStay;
        }
        return start.predecessor.value.empty() ? kCrash : "exit 1";
    });
    EXPECT_TRUE(supervise());
    ASSERT_EQ(starts_.size(), 3U);
    EXPECT_EQ(starts_[2].predecessor.value, "w2");
    EXPECT_EQ(starts_[2].crash, "") << "the second did not crash";
}

TEST_F(Supervisor, GivesUpWhenTheServerRefusesTheWorker) {
    each_start([](const ProcessStart&) { return "exit 77"; });
    const Status ended = supervise();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(starts_.size(), 1U);
}

TEST_F(Supervisor, AMissingProgramIsAnError) {
    options_.command = [](const ProcessStart&) {
        return std::vector<std::string>{"/no/such/program"};
    };
    const Status ended = supervise();
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().message, HasSubstr("/no/such/program"));
}

TEST_F(Supervisor, ADrainedProcessMayFinish) {
    each_start([](const ProcessStart&) {
        return "trap 'echo finished >\"$1/end\"; exit 0' TERM; echo >\"$1/ready\";"
               "while :; do sleep 0.01; done";
    });
    std::jthread drainer([this] {
        wait_until_ready();
        drain_.request_stop();
    });
    EXPECT_TRUE(supervise());
    EXPECT_EQ(read(folder_ / "end"), "finished\n");
    EXPECT_EQ(starts_.size(), 1U);
    EXPECT_THAT(said_, IsEmpty());
}

TEST_F(Supervisor, KillsWhatDoesNotLeaveWhenAbandoned) {
    options_.last_grace = std::chrono::milliseconds(1);
    each_start([](const ProcessStart&) {
        return "trap '' TERM; echo >\"$1/ready\"; exec sleep 1000";
    });
    std::jthread drainer([this] {
        wait_until_ready();
        drain_.request_stop();
        abandon_.request_stop();
    });
    EXPECT_TRUE(supervise());
    EXPECT_THAT(said_, ElementsAre(HasSubstr("signal 9")));
}

TEST_F(Supervisor, KillsWhatDrainsForTooLong) {
    options_.drain_timeout = std::chrono::milliseconds(1);
    options_.last_grace = std::chrono::milliseconds(1);
    each_start([](const ProcessStart&) {
        return "trap '' TERM; echo >\"$1/ready\"; exec sleep 1000";
    });
    std::jthread drainer([this] {
        wait_until_ready();
        drain_.request_stop();
    });
    EXPECT_TRUE(supervise());
    EXPECT_THAT(said_, ElementsAre(HasSubstr("signal 9")));
}

TEST_F(Supervisor, AddsToTheEnvironmentOfItsProcessesAlone) {
    options_.environment = {{"TESSERA_TEST_KEY", "secret"}, {"HOME", "/elsewhere"}};
    each_start([](const ProcessStart&) {
        return "echo \"$TESSERA_TEST_KEY $HOME $PATH\" >\"$1/seen\"; exit 77";
    });
    EXPECT_FALSE(supervise());
    EXPECT_EQ(read(folder_ / "seen"), fmt::format("secret /elsewhere {}\n", std::getenv("PATH")));
    EXPECT_EQ(std::getenv("TESSERA_TEST_KEY"), nullptr);
}

}  // namespace
}  // namespace tessera
