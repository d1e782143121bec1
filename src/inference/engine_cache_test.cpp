#include "inference/engine_cache.h"

#include "inference/temporary_folder_test.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <thread>

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kAmple = 1ULL << 40U;

class EngineCacheTest : public ::testing::Test {
  protected:
    EngineCache open(std::uint64_t budget = kAmple) {
        auto cache = EngineCache::open(folder_.path() / "engines", budget);
        EXPECT_TRUE(cache.has_value()) << cache.error().message;
        return *cache;
    }

    static EngineIdentity identity(const std::string& name) {
        return {.name = name, .content_key = "key of " + name, .fingerprint = "here"};
    }

    static void write(const fs::path& path, const std::string& content) {
        std::ofstream(path, std::ios::binary) << content;
    }

    static CacheDraft draft(const EngineCache& cache, std::size_t weights = 10000) {
        auto draft = cache.begin();
        EXPECT_TRUE(draft.has_value()) << draft.error().message;
        write(draft->folder() / kCachedGraphFile, "a graph");
        write(draft->folder() / kCachedWeightsFile, std::string(weights, 'w'));
        return *std::move(draft);
    }

    static void put(
        const EngineCache& cache, const std::string& name, std::size_t weights = 10000
    ) {
        const auto done = cache.commit(draft(cache, weights), identity(name));
        EXPECT_TRUE(done.has_value()) << done.error().message;
    }

    /// Sets when an entry was last used, in seconds since 1970.
    void set_used(const std::string& name, std::int64_t seconds) {
        const timespec when{seconds, 0};
        const std::array<timespec, 2> times{when, when};
        const fs::path manifest = entry(name) / "manifest.json";
        ASSERT_EQ(::utimensat(AT_FDCWD, manifest.c_str(), times.data(), 0), 0);
    }

    fs::path entry(const std::string& name) {
        return folder_.path() / "engines" / identity(name).key();
    }

    static std::vector<std::string> names(const EngineCache& cache) {
        std::vector<std::string> found;
        for (const CacheEntry& entry : cache.list()) {
            found.push_back(entry.name);
        }
        return found;
    }

    /// What lies in the cache's folder, entries or not, but for the lock.
    std::size_t files() {
        std::size_t count = 0;
        for (const auto& item : fs::directory_iterator(folder_.path() / "engines")) {
            count += item.path().filename() == ".lock" ? 0U : 1U;
        }
        return count;
    }

    void expect_refused(const EngineCache& cache, const std::string& name, const char* why) {
        const auto found = cache.find(identity(name));
        ASSERT_FALSE(found.has_value());
        EXPECT_EQ(found.error().kind, ErrorKind::kCorrupt);
        EXPECT_NE(found.error().message.find(why), std::string::npos) << found.error().message;
    }

    TemporaryFolder folder_;
};

TEST_F(EngineCacheTest, FindsWhatWasCommitted) {
    const auto cache = open();
    put(cache, "unet");
    const auto found = cache.find(identity("unet"));
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(found->graph, "a graph");
    EXPECT_EQ(fs::file_size(found->folder / kCachedWeightsFile), 10000U);
    EXPECT_EQ(cache.find(identity("vae")).error().kind, ErrorKind::kNotFound);
}

TEST_F(EngineCacheTest, ListsNamesAndSizes) {
    const auto cache = open();
    put(cache, "unet");
    put(cache, "vae", 500);
    set_used("unet", 1000);
    set_used("vae", 2000);
    EXPECT_EQ(names(cache), (std::vector<std::string>{"vae", "unet"}));
    const auto entries = cache.list();
    EXPECT_EQ(entries.front().key, identity("vae").key());
    EXPECT_EQ(entries.front().last_used.time_since_epoch(), std::chrono::seconds(2000));
    EXPECT_GT(entries.front().bytes, 500U);
    EXPECT_EQ(cache.total_bytes(), entries[0].bytes + entries[1].bytes);
}

TEST_F(EngineCacheTest, RemovesByKeyOnly) {
    const auto cache = open();
    put(cache, "unet");
    const std::string key = identity("unet").key();
    EXPECT_EQ(cache.remove("../" + key).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_TRUE(cache.remove(key).has_value());
    EXPECT_EQ(cache.remove(key).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(files(), 0U);
}

TEST_F(EngineCacheTest, ClearsEverything) {
    const auto cache = open();
    put(cache, "unet");
    put(cache, "vae");
    EXPECT_TRUE(cache.clear().has_value());
    EXPECT_EQ(files(), 0U);
}

TEST_F(EngineCacheTest, PrunesTheLeastRecentlyUsed) {
    const auto cache = open();
    for (const char* name : {"a", "b", "c"}) {
        put(cache, name);
    }
    set_used("a", 1000);
    set_used("b", 2000);
    set_used("c", 3000);
    ASSERT_TRUE(cache.find(identity("a")).has_value());
    const std::uint64_t two = cache.list().front().bytes * 2;
    EXPECT_TRUE(cache.prune(two).has_value());
    EXPECT_EQ(names(cache), (std::vector<std::string>{"a", "c"}));
    EXPECT_TRUE(cache.prune(two - 1).has_value());
    EXPECT_EQ(names(cache), (std::vector<std::string>{"a"}));
}

TEST_F(EngineCacheTest, StaysWithinItsBudget) {
    const auto cache = open(25000);
    put(cache, "a");
    put(cache, "b");
    set_used("a", 1000);
    set_used("b", 2000);
    put(cache, "c");
    EXPECT_EQ(names(cache), (std::vector<std::string>{"c", "b"}));
}

TEST_F(EngineCacheTest, RefusesWhatIsLargerThanTheBudget) {
    const auto cache = open(25000);
    put(cache, "a");
    const auto done = cache.commit(draft(cache, 30000), identity("b"));
    EXPECT_EQ(done.error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(names(cache), (std::vector<std::string>{"a"}));
    EXPECT_EQ(files(), 1U);
}

TEST_F(EngineCacheTest, RefusesAForeignFingerprint) {
    const auto cache = open();
    EngineIdentity foreign = identity("unet");
    foreign.fingerprint = "elsewhere";
    ASSERT_TRUE(cache.commit(draft(cache), foreign).has_value());
    fs::rename(folder_.path() / "engines" / foreign.key(), entry("unet"));
    expect_refused(cache, "unet", "foreign engine (elsewhere)");
}

TEST_F(EngineCacheTest, RefusesOtherContent) {
    const auto cache = open();
    put(cache, "vae");
    fs::rename(entry("vae"), entry("unet"));
    expect_refused(cache, "unet", "another network");
}

TEST_F(EngineCacheTest, RefusesDamagedFiles) {
    const auto cache = open();
    put(cache, "unet");
    write(entry("unet") / kCachedGraphFile, "a grapf");
    expect_refused(cache, "unet", "checksum");
    write(entry("unet") / kCachedGraphFile, "a gra");
    expect_refused(cache, "unet", "checksum");
    write(entry("unet") / kCachedGraphFile, "a graph");
    ASSERT_TRUE(cache.find(identity("unet")).has_value());
    fs::resize_file(entry("unet") / kCachedWeightsFile, 9999);
    expect_refused(cache, "unet", "another size");
    fs::remove(entry("unet") / kCachedWeightsFile);
    expect_refused(cache, "unet", "another size");
    write(entry("unet") / "manifest.json", std::string(100000, ' '));
    expect_refused(cache, "unet", "65536 bytes");
    fs::remove(entry("unet") / "manifest.json");
    expect_refused(cache, "unet", "manifest.json");
    EXPECT_EQ(names(cache), (std::vector<std::string>{""}));
}

TEST_F(EngineCacheTest, LeavesNothingOfADroppedDraft) {
    const auto cache = open();
    { const auto dropped = draft(cache); }
    EXPECT_EQ(files(), 0U);
}

TEST_F(EngineCacheTest, RemovesDraftsOfTheDeadOnly) {
    const auto cache = open();
    fs::create_directory(folder_.path() / "engines" / ".draft-dead");
    const auto living = draft(cache);
    EXPECT_EQ(files(), 1U);
    EXPECT_TRUE(cache.clear().has_value());
    EXPECT_TRUE(fs::exists(living.folder()));
}

TEST_F(EngineCacheTest, KeepsTheFirstOfTwoEqualEntries) {
    const auto cache = open();
    auto late = draft(cache);
    put(cache, "unet");
    set_used("unet", 1000);
    EXPECT_TRUE(cache.commit(std::move(late), identity("unet")).has_value());
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(cache.list().front().last_used.time_since_epoch(), std::chrono::seconds(1000));
}

TEST_F(EngineCacheTest, WaitsForReadersBeforeItRemoves) {
    const auto cache = open();
    put(cache, "unet");
    auto reader = cache.find(identity("unet"));
    ASSERT_TRUE(reader.has_value());
    std::thread remover([&] { EXPECT_TRUE(cache.remove(identity("unet").key()).has_value()); });
    EXPECT_TRUE(fs::exists(reader->folder / kCachedWeightsFile));
    reader->lock.reset();
    remover.join();
    EXPECT_EQ(files(), 0U);
}

TEST_F(EngineCacheTest, NamesAFolderThatCannotBe) {
    write(folder_.path() / "file", "");
    const auto cache = EngineCache::open(folder_.path() / "file", kAmple);
    ASSERT_FALSE(cache.has_value());
    EXPECT_EQ(cache.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(cache.error().message.find("file"), std::string::npos);
}

}  // namespace
}  // namespace tessera
