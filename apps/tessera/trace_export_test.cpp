#include "tessera/trace_export.h"

#include "events/whole_trace_test.h"
#include "http/server.h"
#include "telemetry/otlp_schema_test.h"

#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tessera::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using Json = nlohmann::json;

/// Takes traces as a collector does, and holds each request against the schema.
class Collector {
  public:
    Collector() {
        http::Router router;
        router.add(
            "POST",
            "/v1/traces",
            [this](const std::shared_ptr<http::Exchange>& exchange) {
                exchange->respond(answer(exchange->request()));
            },
            {.body_limit = 64U << 20U}
        );
        server_ = http::Server::start({}, std::move(router)).value();
    }
    ~Collector() { server_->stop(milliseconds(0)); }
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    [[nodiscard]] std::string url() const {
        return fmt::format("http://127.0.0.1:{}", server_->port());
    }
    /// What the next requests are answered, until it is set again.
    void answer_with(int status) {
        const std::lock_guard lock(mutex_);
        status_ = status;
    }
    /// Waits for so many requests.
    std::vector<std::string> requests(std::size_t many) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, seconds(20), [&] { return bodies_.size() >= many; }));
        return bodies_;
    }
    std::set<std::string> traces() {
        const std::lock_guard lock(mutex_);
        return traces_;
    }

  private:
    http::Response answer(const http::Request& request) {
        const std::lock_guard lock(mutex_);
        EXPECT_EQ(request.fields.get("Content-Type"), "application/json");
        EXPECT_EQ(OtlpSchema::violation(request.body), "");
        bodies_.push_back(request.body);
        if (status_ == 200) {
            const Json parsed = Json::parse(request.body);
            for (const Json& span : parsed["resourceSpans"][0]["scopeSpans"][0]["spans"]) {
                traces_.insert(span["traceId"].get<std::string>());
            }
        }
        changed_.notify_all();
        return http::json_response(status_, "{}");
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int status_ = 200;
    std::vector<std::string> bodies_;
    std::set<std::string> traces_;  ///< that were taken
    std::unique_ptr<http::Server> server_;
};

/// A job of so many tasks that was waited for and cancelled.
std::shared_ptr<const JobHistory> life_of(const std::string& job, int tasks = 1) {
    JobHistory life;
    life.job = {job};
    life.context = job_context(life.job, {});
    life.began = WallTime(milliseconds(1'795'000'000'000));
    life.heard = milliseconds(5);
    for (int task = 0; task < tasks; ++task) {
        TaskMark mark;
        mark.task = task;
        mark.at = milliseconds(5);
        life.marks.push_back(mark);
        mark.kind = TaskMark::Kind::kCancelled;
        mark.at = seconds(1);
        life.marks.push_back(mark);
    }
    life.ended = seconds(1);
    life.state = JobState::kCancelled;
    return std::make_shared<const JobHistory>(std::move(life));
}

class TraceExportTest : public testing::Test {
  protected:
    TraceExportOptions options() {
        TraceExportOptions options;
        options.endpoint = collector_.url();
        options.version = "1.2.3";
        options.longest_wait = milliseconds(1);
        options.first_pause = milliseconds(1);
        options.longest_pause = milliseconds(5);
        options.say = [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            said_.push_back(line);
        };
        return options;
    }
    std::string counted(const std::string& result) {
        const std::string name =
            fmt::format("tessera_traces_exported_total{{result=\"{}\"}} ", result);
        const std::string text = metrics_.text();
        const auto at = text.find(name);
        return at == std::string::npos
                   ? ""
                   : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
    }
    std::vector<std::string> said() {
        const std::lock_guard lock(mutex_);
        return said_;
    }

    Collector collector_;
    Metrics metrics_;
    std::mutex mutex_;
    std::vector<std::string> said_;
};

TEST_F(TraceExportTest, SendsAJobWhenItEnded) {
    auto exporting = TraceExport::start(options(), metrics_).value();
    exporting->add(life_of("a"));
    const auto requests = collector_.requests(1);
    const Json resource = Json::parse(requests.at(0))["resourceSpans"][0];
    EXPECT_EQ(resource["resource"]["attributes"][1]["value"]["stringValue"], "1.2.3");
    EXPECT_THAT(resource["scopeSpans"][0]["spans"], SizeIs(4));  // job, submit, render, wait
    exporting.reset();
    EXPECT_EQ(counted("sent"), "1");
    EXPECT_EQ(counted("dropped"), "0");
}

TEST_F(TraceExportTest, SendsManyAtOnceInBatches) {
    TraceExportOptions batching = options();
    batching.longest_wait = std::chrono::hours(1);
    auto exporting = TraceExport::start(batching, metrics_).value();
    std::set<std::string> wanted;
    for (int i = 0; i < 300; ++i) {
        const auto life = life_of(fmt::format("job {}", i));
        wanted.insert(to_string(life->context.trace));
        exporting->add(life);
    }
    exporting.reset();  // does not leave the last batch behind
    EXPECT_EQ(collector_.traces(), wanted);
    const auto requests = collector_.requests(1);
    EXPECT_THAT(requests, SizeIs(3));  // 300 jobs of 4 spans, 512 in each request
    EXPECT_EQ(counted("sent"), "300");
}

TEST_F(TraceExportTest, SendsALargeJobInParts) {
    auto exporting = TraceExport::start(options(), metrics_).value();
    exporting->add(life_of("large", 1000));
    std::size_t spans = 0;
    for (const std::string& request : collector_.requests(4)) {
        const Json sent = Json::parse(request)["resourceSpans"][0]["scopeSpans"][0]["spans"];
        EXPECT_LE(sent.size(), 512U);
        spans += sent.size();
    }
    EXPECT_EQ(spans, 2U + 2U * 1000U);
    exporting.reset();
    EXPECT_EQ(counted("sent"), "1");
}

TEST_F(TraceExportTest, TriesAgainWhenTheCollectorIsBusy) {
    collector_.answer_with(503);
    auto exporting = TraceExport::start(options(), metrics_).value();
    exporting->add(life_of("a"));
    (void)collector_.requests(3);
    collector_.answer_with(200);
    const auto seen = collector_.requests(3).size();
    (void)collector_.requests(seen + 1);
    exporting.reset();
    EXPECT_THAT(collector_.traces(), SizeIs(1));
    EXPECT_EQ(counted("sent"), "1");
    EXPECT_THAT(
        said(),
        testing::ElementsAre(AllOf(HasSubstr("cannot send"), HasSubstr("503")), HasSubstr("again"))
    );
}

TEST_F(TraceExportTest, DropsWhatTheCollectorWillNotTake) {
    collector_.answer_with(400);
    auto exporting = TraceExport::start(options(), metrics_).value();
    exporting->add(life_of("a"));
    (void)collector_.requests(1);
    exporting.reset();
    EXPECT_EQ(counted("dropped"), "1");
    EXPECT_THAT(said(), SizeIs(1));
}

TEST_F(TraceExportTest, DropsTheOldestWhenTooManyWait) {
    collector_.answer_with(503);
    TraceExportOptions small = options();
    small.most_waiting = 10;
    auto exporting = TraceExport::start(small, metrics_).value();
    exporting->add(life_of("stuck"));
    (void)collector_.requests(1);  // from now on it is busy with that one
    for (int i = 0; i < 100; ++i) {
        exporting->add(life_of(fmt::format("job {}", i)));
    }
    EXPECT_EQ(counted("dropped"), "90");
    collector_.answer_with(200);
    exporting.reset();
    EXPECT_EQ(counted("sent"), "11");
    EXPECT_TRUE(collector_.traces().contains(to_string(job_context({"job 99"}, {}).trace)));
    EXPECT_FALSE(collector_.traces().contains(to_string(job_context({"job 0"}, {}).trace)));
}

TEST_F(TraceExportTest, LeavesOutWhatTheCallerDoesNotKeep) {
    auto exporting = TraceExport::start(options(), metrics_).value();
    auto life = std::make_shared<JobHistory>(*life_of("a"));
    life->context.sampled = false;
    exporting->add(life);
    exporting->add(life_of("b"));
    exporting.reset();
    EXPECT_THAT(collector_.traces(), SizeIs(1));
}

TEST_F(TraceExportTest, EndsThoughTheCollectorIsAway) {
    TraceExportOptions away = options();
    {
        Collector gone;
        away.endpoint = gone.url();
    }
    auto exporting = TraceExport::start(away, metrics_).value();
    for (int i = 0; i < 1000; ++i) {
        exporting->add(life_of(fmt::format("job {}", i)));
    }
    exporting.reset();
    EXPECT_EQ(counted("dropped"), "1000");
    EXPECT_EQ(counted("sent"), "0");
}

TEST_F(TraceExportTest, RefusesAnEndpointThatIsNone) {
    TraceExportOptions none = options();
    none.endpoint = "nonsense";
    EXPECT_EQ(TraceExport::start(none, metrics_).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::cli
