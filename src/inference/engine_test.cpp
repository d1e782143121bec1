#include "inference/engine.h"

#include "inference/small_network_test.h"
#include "inference/temporary_folder_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <fstream>
#include <mutex>
#include <thread>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Warnings of engines, from any thread.
class Warnings {
  public:
    [[nodiscard]] std::function<void(const std::string&)> sink() {
        return [this](const std::string& sentence) {
            const std::lock_guard lock(mutex_);
            sentences_.push_back(sentence);
        };
    }
    [[nodiscard]] std::vector<std::string> all() {
        const std::lock_guard lock(mutex_);
        return sentences_;
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> sentences_;
};

struct Rows {
    std::int64_t batch = 1;
    std::uint32_t first = 0;
    std::int64_t height = 12;
    std::int64_t width = 20;
};

Result<Tensor> try_run(const Network& network, const Rows& rows) {
    const Tensor sample = random_rows({rows.batch, 4, rows.height, rows.width}, rows.first);
    const Tensor time = random_rows({rows.batch, 64}, rows.first);
    const Tensor context = random_rows({rows.batch, 7, 48}, rows.first);
    const std::vector<Input> inputs{{"context", context}, {"sample", sample}, {"time", time}};
    TESSERA_ASSIGN(auto outputs, network.run(inputs));
    return std::move(outputs.front());
}

Tensor run(const Network& network, const Rows& rows) {
    auto output = try_run(network, rows);
    EXPECT_TRUE(output.has_value()) << output.error().message;
    return output ? *std::move(output) : Tensor();
}

std::shared_ptr<Engine> make_engine(EngineOptions options) {
    auto engine = Engine::create(std::move(options));
    EXPECT_TRUE(engine.has_value()) << engine.error().message;
    return *engine;
}

std::shared_ptr<Network> load(Engine& engine, const ModelSource& source) {
    auto network = engine.load(source);
    EXPECT_TRUE(network.has_value()) << network.error().message;
    return *network;
}

ModelSource source_of(const std::function<OnnxModel()>& build) {
    return {.name = "net", .content_key = "key", .build = [build]() -> Result<OnnxModel> {
                return build();
            }};
}

/// A source that must come from the cache.
ModelSource cached_only(const SmallNetwork& size) {
    ModelSource source = small_source(size);
    source.build = []() -> Result<OnnxModel> {
        ADD_FAILURE() << "the network was built anew";
        return fail(ErrorKind::kInternal, "built");
    };
    return source;
}

class EngineTest : public ::testing::Test {
  protected:
    EngineOptions cached() {
        return {
            .threads = 2,
            .cache_folder = folder_.path() / "engines",
            .cache_budget_bytes = std::uint64_t{1} << 40U,
            .warn = warnings_.sink(),
            .available_memory = [] { return std::uint64_t{1} << 40U; },
        };
    }

    void fill_cache(const SmallNetwork& size) {
        const auto engine = make_engine(cached());
        load(*engine, small_source(size));
        engine->finish_cache_writes();
    }

    /// The one entry of the cache.
    fs::path entry() {
        const auto cache = EngineCache::open(cached().cache_folder, 0);
        EXPECT_EQ(cache->list().size(), 1U);
        return cached().cache_folder / cache->list().front().key;
    }

    /// A damaged entry is refused with a word why, made anew, and good again.
    void expect_made_anew(const char* why) {
        const Tensor expected = run(*load(*make_engine({.threads = 2}), small_source({})), {2, 0});
        {
            const auto engine = make_engine(cached());
            EXPECT_EQ(run(*load(*engine, small_source({})), {2, 0}), expected);
        }
        EXPECT_THAT(
            warnings_.all(), ElementsAre(::testing::AllOf(HasSubstr("refused"), HasSubstr(why)))
        );
        const auto engine = make_engine(cached());
        EXPECT_EQ(run(*load(*engine, cached_only({})), {2, 0}), expected);
    }

    TemporaryFolder folder_;
    Warnings warnings_;
};

TEST_F(EngineTest, GivesEachRowOfABatchAsItWouldAlone) {
    const auto engine = make_engine({.threads = 2});
    const auto network = load(*engine, small_source({}));
    std::vector<Tensor> alone;
    for (std::uint32_t row = 0; row < 4; ++row) {
        alone.push_back(run(*network, {1, row}));
    }
    for (std::int64_t batch = 2; batch <= 4; ++batch) {
        const Tensor together = run(*network, {batch, 0});
        std::vector<float> expected;
        for (std::size_t row = 0; row < static_cast<std::size_t>(batch); ++row) {
            expected.insert(expected.end(), alone[row].values.begin(), alone[row].values.end());
        }
        EXPECT_EQ(together.values, expected) << "batch " << batch;
    }
}

TEST_F(EngineTest, GivesTheSameBytesOnAnyNumberOfThreads) {
    std::vector<Tensor> outputs;
    for (const int threads : {1, 2, 4}) {
        const auto engine = make_engine({.threads = threads});
        outputs.push_back(run(*load(*engine, small_source({})), {3, 0, 24, 40}));
    }
    EXPECT_EQ(outputs[0], outputs[1]);
    EXPECT_EQ(outputs[0], outputs[2]);
}

TEST_F(EngineTest, GivesTheSameBytesFromMemoryAndFromTheCache) {
    const Tensor expected = run(*load(*make_engine({.threads = 2}), small_source({})), {2, 5});
    EXPECT_NE(expected.values[0], expected.values[1]);
    fill_cache({});
    const auto engine = make_engine(cached());
    const auto network = load(*engine, cached_only({}));
    EXPECT_TRUE(network->is_mapped());
    EXPECT_EQ(run(*network, {2, 5}), expected);
    EXPECT_THAT(warnings_.all(), ElementsAre());
}

TEST_F(EngineTest, GoesOverToTheCacheOnceItIsWritten) {
    const auto engine = make_engine(cached());
    const auto network = load(*engine, small_source({}));
    const Tensor before = run(*network, {2, 0});
    engine->finish_cache_writes();
    EXPECT_TRUE(network->is_mapped());
    EXPECT_EQ(run(*network, {2, 0}), before);
}

TEST_F(EngineTest, RunsWhileItGoesOver) {
    const auto engine = make_engine(cached());
    const auto network = load(*engine, small_source({}));
    const Tensor expected = run(*network, {1, 0});
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            do {
                EXPECT_EQ(run(*network, {1, 0}), expected);
            } while (!network->is_mapped());
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

TEST_F(EngineTest, KeepsNetworksOfOtherContentApart) {
    fill_cache({.seed = 1});
    const auto engine = make_engine(cached());
    const auto network = load(*engine, small_source({.seed = 2}));
    EXPECT_FALSE(run(*network, {1, 0}) == run(*load(*engine, cached_only({.seed = 1})), {1, 0}));
}

TEST_F(EngineTest, RefusesAForeignFingerprint) {
    fill_cache({});
    const fs::path manifest = entry() / "manifest.json";
    std::ifstream file(manifest);
    auto json = nlohmann::json::parse(file);
    json["fingerprint"] = "an engine of another processor";
    std::ofstream(manifest) << json.dump();
    expect_made_anew("foreign engine (an engine of another processor)");
}

TEST_F(EngineTest, RefusesATamperedGraph) {
    fill_cache({});
    std::fstream file(entry() / kCachedGraphFile, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('#');
    file.close();
    expect_made_anew("checksum");
}

TEST_F(EngineTest, RefusesATruncatedGraph) {
    fill_cache({});
    fs::resize_file(entry() / kCachedGraphFile, 500);
    expect_made_anew("checksum");
}

TEST_F(EngineTest, RefusesWeightsOfAnotherSize) {
    fill_cache({});
    fs::resize_file(entry() / kCachedWeightsFile, 5000);
    expect_made_anew("another size");
}

TEST_F(EngineTest, RefusesALyingManifest) {
    fill_cache({});
    const fs::path manifest = entry() / "manifest.json";
    fs::resize_file(entry() / kCachedWeightsFile, 5000);
    std::ifstream file(manifest);
    auto json = nlohmann::json::parse(file);
    json["weights_bytes"] = 5000;
    std::ofstream(manifest) << json.dump();
    expect_made_anew("ONNX Runtime failed");
}

TEST_F(EngineTest, LeavesNoEntryWhenTheDiskIsFull) {
    // A limit on file sizes stands for the full disk: writes fail half-way in the same places.
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = 20000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    {
        const auto engine = make_engine(cached());
        const auto network = load(*engine, small_source({}));
        engine->finish_cache_writes();
        EXPECT_FALSE(network->is_mapped());
        EXPECT_EQ(run(*network, {1, 0}).shape, (Shape{1, 4, 12, 20}));
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, ignored);
    EXPECT_THAT(warnings_.all(), ElementsAre(HasSubstr("the engine of small is not cached")));
    EXPECT_THAT(EngineCache::open(cached().cache_folder, 0)->list(), ElementsAre());
    for (const auto& item : fs::directory_iterator(cached().cache_folder)) {
        EXPECT_EQ(item.path().filename(), ".lock");
    }
}

TEST_F(EngineTest, WritesNoEntryWithoutRoomForIt) {
    auto poor = cached();
    poor.available_memory = [] { return std::uint64_t{1} << 20U; };
    { load(*make_engine(poor), small_source({})); }
    auto frugal = cached();
    frugal.cache_budget_bytes = 1000;
    { load(*make_engine(frugal), small_source({})); }
    EXPECT_THAT(
        warnings_.all(),
        ElementsAre(HasSubstr("of memory are free"), HasSubstr("the cache's budget of 0 MiB"))
    );
    EXPECT_THAT(EngineCache::open(cached().cache_folder, 0)->list(), ElementsAre());
}

TEST_F(EngineTest, WorksWithoutACacheFolderThatCannotBe) {
    auto options = cached();
    options.cache_folder = "/proc/no-such-folder";
    const auto engine = make_engine(options);
    EXPECT_THAT(warnings_.all(), ElementsAre(HasSubstr("/proc/no-such-folder")));
    EXPECT_EQ(run(*load(*engine, small_source({})), {1, 0}).shape, (Shape{1, 4, 12, 20}));
}

TEST_F(EngineTest, LetsTwoEnginesWriteTheSameEntry) {
    const auto one = make_engine(cached());
    const auto two = make_engine(cached());
    const auto first = load(*one, small_source({}));
    const auto second = load(*two, small_source({}));
    one->finish_cache_writes();
    two->finish_cache_writes();
    EXPECT_EQ(run(*first, {1, 0}), run(*second, {1, 0}));
    EXPECT_THAT(warnings_.all(), ElementsAre());
    EXPECT_TRUE(fs::exists(entry()));
}

TEST_F(EngineTest, ForgetsAbandonedWrites) {
    auto options = cached();
    std::atomic<bool> asked = false;
    std::atomic<bool> abandoned = false;
    options.available_memory = [&] {
        asked = true;
        while (!abandoned) {
            std::this_thread::yield();
        }
        return std::uint64_t{1} << 40U;
    };
    {
        const auto engine = make_engine(options);
        load(*engine, small_source({.seed = 1}));
        load(*engine, small_source({.seed = 2}));
        while (!asked) {
            std::this_thread::yield();
        }
        engine->abandon_cache_writes();
        abandoned = true;
    }
    EXPECT_THAT(warnings_.all(), ElementsAre());
    EXPECT_THAT(EngineCache::open(cached().cache_folder, 0)->list(), ElementsAre());
}

TEST_F(EngineTest, RefusesASecondNumberOfThreads) {
    const auto engine = make_engine({.threads = 2});
    EXPECT_EQ(Engine::create({.threads = 3}).error().kind, ErrorKind::kConflict);
    EXPECT_EQ(Engine::create({.threads = -1}).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(EngineTest, PassesOnWhyANetworkCannotBeBuilt) {
    const auto engine = make_engine({.threads = 2});
    ModelSource source = small_source({});
    source.build = []() -> Result<OnnxModel> { return fail(ErrorKind::kNotFound, "no tensor a"); };
    const auto network = engine->load(source);
    EXPECT_EQ(network.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(network.error().message, "no tensor a");
}

TEST_F(EngineTest, SaysSoWhereNoCudaProviderIsInstalled) {
    // Neither the build nor the tests bring the GPU's provider; see tools/test_gpu.sh.
    const auto engine = make_engine({.provider = Provider::kCuda, .threads = 2});
    EXPECT_THAT(engine->fingerprint().text(), HasSubstr("provider=cuda"));
    const auto network = engine->load(small_source({}));
    ASSERT_FALSE(network);
    EXPECT_EQ(network.error().kind, ErrorKind::kUnsupported) << network.error().message;
}

TEST_F(EngineTest, NamesAnOperatorThatIsUnknown) {
    const auto engine = make_engine({.threads = 2});
    const auto network =
        engine->load(source_of([] { return single_operator("else.where", "Foo"); }));
    ASSERT_FALSE(network.has_value());
    EXPECT_EQ(network.error().kind, ErrorKind::kUnsupported) << network.error().message;
    EXPECT_THAT(network.error().message, HasSubstr("net: "));
    EXPECT_THAT(network.error().message, HasSubstr("Foo"));
}

TEST_F(EngineTest, RefusesAGraphThatIsNone) {
    const auto engine = make_engine({.threads = 2});
    const auto network = engine->load(source_of([] {
        OnnxModel model = small_network({});
        model.proto.resize(model.proto.size() / 2);
        return model;
    }));
    ASSERT_FALSE(network.has_value());
    EXPECT_EQ(network.error().kind, ErrorKind::kCorrupt) << network.error().message;
}

TEST_F(EngineTest, RefusesAGraphWhoseWeightsAreMissing) {
    const auto engine = make_engine({.threads = 2});
    EXPECT_FALSE(engine->load(source_of([] {
        OnnxModel model = small_network({});
        model.weights.pop_back();
        return model;
    })));
}

TEST_F(EngineTest, DescribesItsPorts) {
    const auto engine = make_engine({.threads = 2});
    const auto network = load(*engine, small_source({}));
    ASSERT_EQ(network->inputs().size(), 3U);
    EXPECT_EQ(network->inputs()[0].name, "sample");
    EXPECT_EQ(network->inputs()[0].shape, (Shape{-1, 4, -1, -1}));
    EXPECT_THAT(network->inputs()[0].symbols, ElementsAre("batch", "", "height", "width"));
    ASSERT_EQ(network->outputs().size(), 1U);
    EXPECT_EQ(network->outputs()[0].name, "result");
}

TEST_F(EngineTest, NamesTheNetworkWhoseInputIsWrong) {
    const auto engine = make_engine({.threads = 2});
    const auto network = load(*engine, small_source({}));
    const auto outputs = network->run({});
    EXPECT_EQ(outputs.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(outputs.error().message, "small: input \"sample\" is missing");
}

TEST_F(EngineTest, StopsInsideALongCall) {
    const auto engine = make_engine({.threads = 2});
    const auto network = load(*engine, source_of(endless_network));
    const Tensor x = random_rows({8}, 0);
    const std::vector<Input> inputs{{"x", x}};
    std::stop_source stop;
    std::optional<Error> error;
    std::thread runner([&] {
        const auto outputs = network->run(inputs, stop.get_token());
        error = outputs ? std::nullopt : std::optional(outputs.error());
    });
    // Once the runner has used this much time, it is deep inside.
    clockid_t clock{};
    ASSERT_EQ(::pthread_getcpuclockid(runner.native_handle(), &clock), 0);
    timespec used{};
    while (used.tv_sec == 0 && used.tv_nsec < 100'000'000) {
        std::this_thread::yield();
        ::clock_gettime(clock, &used);
    }
    stop.request_stop();
    runner.join();
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, ErrorKind::kCancelled) << error->message;
    EXPECT_EQ(error->message, "net: cancelled");
}

TEST_F(EngineTest, DoesNotStartWhenStopped) {
    const auto engine = make_engine({.threads = 2});
    const auto network = load(*engine, source_of(endless_network));
    const Tensor x = random_rows({8}, 0);
    const std::vector<Input> inputs{{"x", x}};
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(network->run(inputs, stop.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST_F(EngineTest, NetworkOutlivesItsEngine) {
    auto engine = make_engine({.threads = 2});
    const auto network = load(*engine, small_source({}));
    engine.reset();
    EXPECT_EQ(run(*network, {1, 0}).shape, (Shape{1, 4, 12, 20}));
}

/// Starts mapped_memory_child on the cache; what it prints, in kB.
std::int64_t memory_of_child(const fs::path& folder, const ModelSource& source) {
    // Freed memory shall not wait in the sanitizer's quarantine, where it counts as used.
    const std::string command = fmt::format(
        "ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0 "
        "LSAN_OPTIONS=print_suppressions=0 '{}' '{}' {} {}",
        TESSERA_MEMORY_CHILD,
        folder.string(),
        source.name,
        source.content_key
    );
    FILE* child = ::popen(command.c_str(), "r");
    std::int64_t kilobytes = -1;
    EXPECT_EQ(std::fscanf(child, "%ld", &kilobytes), 1);
    EXPECT_EQ(::pclose(child), 0);
    return kilobytes;
}

std::uint64_t weight_bytes(const OnnxModel& model) {
    std::uint64_t bytes = 0;
    for (const OnnxWeight& weight : model.weights) {
        bytes += weight.values.size_bytes();
    }
    return bytes;
}

TEST_F(EngineTest, AddsNextToNothingInTheSecondProcess) {
    const SmallNetwork large{.channels = 640, .blocks = 4};
    fill_cache(large);
    const std::uint64_t weights = weight_bytes(small_network(large));
    ASSERT_GT(weights, std::uint64_t{64} << 20U);
    const std::int64_t kilobytes = memory_of_child(cached().cache_folder, small_source(large));
    RecordProperty("anonymous_kB", static_cast<int>(kilobytes));
    EXPECT_GE(kilobytes, 0);
    EXPECT_LT(kilobytes * 1024, static_cast<std::int64_t>(weights / 20));
}

}  // namespace
}  // namespace tessera
