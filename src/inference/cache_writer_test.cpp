#include "inference/cache_writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <vector>

namespace tessera {
namespace {

TEST(CacheWriter, WorksInOrderAndFinishes) {
    std::vector<int> done;
    CacheWriter writer;
    for (int i = 0; i < 3; ++i) {
        writer.add([&done, i](const std::stop_token&) { done.push_back(i); });
    }
    writer.finish();
    EXPECT_EQ(done, (std::vector<int>{0, 1, 2}));
}

TEST(CacheWriter, FinishesWhenItGoes) {
    std::atomic<int> done = 0;
    {
        CacheWriter writer;
        writer.add([&](const std::stop_token&) { ++done; });
        writer.add([&](const std::stop_token&) { ++done; });
    }
    EXPECT_EQ(done, 2);
}

TEST(CacheWriter, AbandonsWhatRunsAndWhatWaits) {
    std::latch started(1);
    std::atomic<bool> stopped = false;
    std::atomic<bool> later = false;
    std::atomic<bool> next = false;
    CacheWriter writer;
    writer.add([&](const std::stop_token& stop) {
        started.count_down();
        while (!stop.stop_requested()) {
            std::this_thread::yield();
        }
        stopped = true;
    });
    writer.add([&](const std::stop_token&) { later = true; });
    started.wait();
    writer.abandon();
    writer.finish();
    EXPECT_TRUE(stopped);
    EXPECT_FALSE(later);

    writer.add([&](const std::stop_token& stop) { next = !stop.stop_requested(); });
    writer.finish();
    EXPECT_TRUE(next);
}

}  // namespace
}  // namespace tessera
