#include "program.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// One that nobody listens on now.
int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const bool is_bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                          ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    EXPECT_TRUE(is_bound);
    ::close(socket);
    return ntohs(address.sin_port);
}

/// What is answered there.
std::string curl(const std::string& url) {
    std::string body;
    FILE* const pipe = ::popen(fmt::format("curl -s '{}'", url).c_str(), "r");
    for (int letter = std::fgetc(pipe); letter != EOF; letter = std::fgetc(pipe)) {
        body += static_cast<char>(letter);
    }
    ::pclose(pipe);
    return body;
}

/// A farm of real processes on a free port.
class Farm : public ProgramTest {
  protected:
    ~Farm() override {
        if (server_ != 0) {
            stop();
        }
    }

    void serve(const std::vector<std::string>& more = {}) {
        // It shares standard error with the commands that are looked at.
        std::vector<std::string> arguments{
            "serve",
            "--port",
            "0",
            "--threads",
            "1",
            "--data",
            (root / "farm").string(),
            "--set",
            "log.level=error"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        server_ = start(arguments);
        wait_for_text(server_, root / "stdout", "Ctrl-C");
        greeting_ = read_text(root / "stdout");
        const auto begin = greeting_.find("http");
        ASSERT_NE(begin, std::string::npos) << greeting_ << read_text(root / "stderr");
        environment["TESSERA_SERVER"] =
            greeting_.substr(begin, greeting_.find_first_of(" \n", begin) - begin);
    }

    /// Asks it to stop; what it has begun is finished first.
    int stop() {
        kill(server_, SIGINT);
        return finish(std::exchange(server_, 0)).exit_code;
    }

    void kill_server() {
        kill(server_, SIGKILL);
        (void)finish(std::exchange(server_, 0));
    }

    void kill_workers() const {
        // The supervisor's threads start them; each thread has its own list.
        for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", server_))) {
            std::ifstream list(task.path() / "children");
            for (pid_t child = 0; list >> child;) {
                kill(child, SIGKILL);
            }
        }
    }

    /// What a single machine makes of the same words.
    std::string rendered(const std::string& prompt, int seed, const std::string& steps) {
        const fs::path file = work / fmt::format("alone-{}.png", seed);
        const Outcome outcome =
            run({"render", prompt, "--seed", std::to_string(seed), "--steps", steps, "--out", file}
            );
        EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
        return read_text(file);
    }

    std::string submit(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "submit");
        const Outcome outcome = run(std::move(arguments));
        EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
        return outcome.out.substr(0, outcome.out.find('\n'));
    }

    std::string greeting_;

  private:
    pid_t server_ = 0;
};

TEST_F(Farm, DeliversThePicturesThatRenderMakes) {
    serve({"--workers", "2"});
    const std::string job =
        submit({"a boat on a lake", "--count", "3", "--seed", "5", "--steps", "3"});
    ASSERT_EQ(run({"watch", job, "--out", "out"}).exit_code, 0);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(
            read_text(work / "out" / fmt::format("{}-{}.png", job, i + 1)),
            rendered("a boat on a lake", 5 + i, "3")
        ) << i;
    }
    EXPECT_EQ(stop(), 0);
}

TEST_F(Farm, MakesTheSameBytesHoweverManyWorkThere) {
    std::vector<std::string> first;
    for (const auto& [processes, slots] :
         {std::pair("1", "1"), {"1", "4"}, {"2", "1"}, {"2", "4"}}) {
        serve({"--workers", processes, "--slots", slots});
        const std::string job =
            submit({"a lighthouse by the sea", "--count", "5", "--seed", "7", "--steps", "3"});
        ASSERT_EQ(run({"watch", job, "--out", "out"}).exit_code, 0);
        std::vector<std::string> pictures;
        for (int i = 0; i < 5; ++i) {
            pictures.push_back(read_text(work / "out" / fmt::format("{}-{}.png", job, i + 1)));
        }
        first = first.empty() ? pictures : first;
        EXPECT_TRUE(pictures == first) << processes << " processes, " << slots << " slots";
        EXPECT_EQ(stop(), 0);
    }
}

TEST_F(Farm, RendersBehindACertificateThatDoesNotSpeakForItsAddress) {
    const fs::path tls = fs::path(TESSERA_TEST_DATA) / "tls";
    serve(
        {"--tls-certificate",
         (tls / "localhost.pem").string(),
         "--tls-key",
         (tls / "localhost.key").string()}
    );
    std::string& url = environment["TESSERA_SERVER"];
    ASSERT_THAT(url, HasSubstr("https://127.0.0.1:"));
    url.replace(url.find("127.0.0.1"), std::string_view("127.0.0.1").size(), "localhost");
    const Outcome outcome = run(
        {"submit",
         "a boat on a lake",
         "--steps",
         "1",
         "--wait",
         "--authorities",
         (tls / "localhost.pem").string()}
    );
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(stop(), 0);
}

TEST_F(Farm, DeliversWhateverDies) {
    const std::vector<std::string> options{
        "--workers",
        "2",
        "--set",
        "farm.lease=2s",
        "--set",
        "farm.heartbeat=400ms",
        "--set",
        "worker.checkpoint_least=0s",
        "--set",
        "worker.checkpoint_share=0",
        "--set",
        "log.level=info"};
    serve(options);
    const std::string job = submit({"a castle", "--count", "8", "--seed", "5", "--steps", "12"});
    kill_workers();
    EXPECT_THAT(run({"show", job}).out, HasSubstr("/8"));
    kill_workers();
    kill_server();
    serve(options);
    const Outcome watched = run({"watch", job, "--out", "out"});
    ASSERT_EQ(watched.exit_code, 0) << watched.err;
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(
            read_text(work / "out" / fmt::format("{}-{}.png", job, i + 1)),
            rendered("a castle", 5 + i, "12")
        ) << i;
    }
    const std::string log = run({"logs", "--job", job}).out;
    for (const char* line : {"accepted from tenant local", "will be tried again", "ended: done"}) {
        EXPECT_THAT(log, HasSubstr(line)) << "through both lives of the server";
    }
}

TEST_F(Farm, LogsNeitherKeysNorPrompts) {
    serve({"--set", "log.level=debug", "--set", "server.keys=always"});
    const auto begin = greeting_.find("tsr_");
    ASSERT_NE(begin, std::string::npos) << greeting_;
    const std::string key = greeting_.substr(begin, greeting_.find('\n', begin) - begin);
    environment["TESSERA_KEY"] = key;
    ASSERT_EQ(run({"submit", "a very private wish", "--steps", "1", "--wait"}).exit_code, 0);
    const std::string log = run({"logs", "--json"}).out;
    EXPECT_THAT(log, HasSubstr("\"message\":\"done\""));
    const std::string kept = read_text(root / "farm" / "logs" / "farm.jsonl");
    for (const std::string& text : {log, kept, read_text(root / "stderr")}) {
        EXPECT_THAT(text, Not(HasSubstr("private wish")));
        EXPECT_THAT(text, Not(HasSubstr(key)));
    }
    EXPECT_EQ(stop(), 0);
}

TEST_F(Farm, TracesTellWhereAJobsTimeWent) {
    serve({"--workers", "1"});
    const std::string job = submit({"a boat on a lake", "--steps", "3"});
    ASSERT_EQ(run({"watch", job}).exit_code, 0);
    const Outcome chart = run({"trace", job});
    EXPECT_EQ(chart.exit_code, 0) << chart.err;
    for (const char* part :
         {"submit",
          "render 1",
          "wait",
          "attempt",
          "load",
          "encode",
          "denoise",
          "decode",
          "store"}) {
        EXPECT_THAT(chart.out, HasSubstr(part));
    }
    EXPECT_THAT(chart.out, Not(HasSubstr("boat")));
    const Outcome stranger = run({"trace", "01kb"});
    EXPECT_NE(stranger.exit_code, 0);
    EXPECT_THAT(stranger.err, HasSubstr("there is no job 01kb"));
    EXPECT_EQ(stop(), 0);
}

TEST_F(Farm, PrometheusFindsTheServerAndItsWorkers) {
    const std::string port = std::to_string(free_port());
    serve({"--workers", "1", "--set", "worker.metrics_port=" + port});
    const std::string url = environment["TESSERA_SERVER"];
    std::string targets;
    while (targets.find("worker") == std::string::npos) {
        targets = curl(url + "/api/v1/discovery/prometheus");
    }
    EXPECT_THAT(targets, HasSubstr("\"127.0.0.1:" + port + "\""));
    EXPECT_THAT(
        curl("http://127.0.0.1:" + port + "/metrics"),
        HasSubstr("tessera_worker_resident_memory_bytes{worker=")
    );
    EXPECT_THAT(curl(url + "/metrics"), HasSubstr("tessera_workers{state=\"idle\"} 1\n"));
    EXPECT_EQ(stop(), 0);
}

TEST_F(Farm, AnEqualKeyIsTheSameJobAndAnotherBodyUnderItIsRefused) {
    serve({"--set", "worker.local=false"});
    const std::string job = submit({"a boat", "--key", "k1"});
    EXPECT_EQ(submit({"a boat", "--key", "k1"}), job);
    expect_complaint(run({"submit", "a castle", "--key", "k1"}), 2, {"k1"});
}

TEST_F(Farm, TenantsDoNotSeeEachOther) {
    serve({"--set", "server.keys=always", "--set", "worker.local=false"});
    const auto key = greeting_.find("tsr_");
    ASSERT_NE(key, std::string::npos) << greeting_;
    expect_complaint(run({"jobs"}), 2, {"TESSERA_KEY"});
    environment["TESSERA_KEY"] = greeting_.substr(key, greeting_.find('\n', key) - key);
    std::map<std::string, std::string> keys;
    for (const char* name : {"anna", "ben"}) {
        const std::string made = run({"keys", "add", name}).out;
        keys[name] = made.substr(0, made.find('\n'));
    }
    environment["TESSERA_KEY"] = keys["anna"];
    const std::string job = submit({"a secret garden"});
    EXPECT_THAT(run({"jobs"}).out, HasSubstr("a secret garden"));
    environment["TESSERA_KEY"] = keys["ben"];
    EXPECT_THAT(run({"jobs"}).out, Not(HasSubstr("secret")));
    expect_complaint(run({"show", job}), 2, {job});
    expect_complaint(run({"cancel", job}), 2, {job});
}

TEST_F(Farm, ACancelledJobEnds) {
    serve({"--workers", "1"});
    const std::string job = submit({"a boat", "--count", "50", "--steps", "100"});
    EXPECT_EQ(run({"cancel", job}).exit_code, 0);
    EXPECT_THAT(run({"show", job}).out, HasSubstr("cancelled"));
}

TEST_F(Farm, SaysWhatIsWrongWithASubmission) {
    serve({"--set", "worker.local=false"});
    expect_complaint(run({"submit", "a boat", "--sampler", "Eulre"}), 2, {"Euler"});
    expect_complaint(run({"submit", "a boat", "-m", "no-such-model"}), 2, {"tessera-tiny"});
    expect_complaint(run({"submit", "a boat", "--count", "0"}), 2, {"count"});
    expect_complaint(run({"submit", "a boat", "--field", "stepz=4"}), 2, {"steps"});
    expect_complaint(run({"submit", "a boat", "--init", "/none.png"}), 2, {"no file /none.png"});
    expect_complaint(run({"keys", "add", "anna", "--days", "-1"}), 2, {"--days"});
}

TEST_F(Farm, WatchEndsWithoutAFarmOrAJob) {
    serve({"--set", "worker.local=false"});
    expect_complaint(run({"watch", "nope"}), 2, {"there is no job nope"});
    stop();
    const Outcome watched = run({"watch", "nope"});
    EXPECT_NE(watched.exit_code, 0);
    EXPECT_THAT(watched.err, HasSubstr("is the farm running?"));
}

TEST_F(Farm, CancelGoesOnAfterARefusal) {
    serve({"--set", "worker.local=false"});
    const std::string job = submit({"a boat"});
    expect_complaint(run({"cancel", "nope", job}), 2, {"nope"});
    EXPECT_THAT(run({"show", job}).out, HasSubstr("cancelled"));
}

TEST_F(Farm, ABackupWithoutAFarmIsRefused) {
    const std::string data = (root / "none").string();
    expect_complaint(run({"backup", "copy.db", "--data", data}), 2, {"--data", "server.data"});
    expect_complaint(run({"store", "verify", "--data", data}), 2, {"--data", "server.data"});
    EXPECT_FALSE(fs::exists(data));
}

TEST_F(Farm, ASecondServerOnTheSameFolderIsRefused) {
    serve({"--set", "worker.local=false"});
    const Outcome second = run({"serve", "--port", "0", "--data", (root / "farm").string()});
    EXPECT_EQ(second.exit_code, 2);
    EXPECT_THAT(second.err, HasSubstr("farm"));
}

TEST_F(Farm, ConfigCheckNamesEveryMistakeWithItsLine) {
    write_text(work / "farm.toml", "[server]\nprot = 8080\n[farm]\nlease = 30\n");
    const Outcome outcome = run({"config", "check", "--config", "farm.toml"});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("farm.toml:2:"));
    EXPECT_THAT(outcome.err, HasSubstr("server.port"));
    EXPECT_THAT(outcome.err, HasSubstr("farm.toml:4:"));
}

TEST_F(Farm, ABackupHoldsTheJobs) {
    serve({"--set", "worker.local=false"});
    const std::string job = submit({"a boat"});
    const std::string data = (root / "farm").string();
    ASSERT_EQ(run({"backup", "copy.db", "--set", "server.data=" + data}).exit_code, 0);
    kill_server();
    fs::remove_all(data);
    const Outcome restored = run({"restore", "copy.db", "--set", "server.data=" + data});
    ASSERT_EQ(restored.exit_code, 0) << restored.err;
    serve({"--set", "worker.local=false"});
    EXPECT_THAT(run({"jobs"}).out, HasSubstr(job));
}

}  // namespace
}  // namespace tessera::e2e
