#include "http/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::http {
namespace {

using Offer = Outbox::Offer;
using ::testing::ElementsAre;

Outbox::Part part(std::string bytes, std::string topic = "") {
    return {std::move(bytes), false, std::move(topic)};
}

std::vector<std::string> take(Outbox& outbox, std::size_t bytes = 1000) {
    std::vector<std::string> taken;
    for (const auto& each : outbox.take(bytes)) {
        taken.push_back(each.bytes);
    }
    return taken;
}

TEST(Outbox, WakesOnceUntilItWasFoundEmpty) {
    Outbox outbox(100);
    EXPECT_EQ(outbox.put(part("a")), Offer::kWake);
    EXPECT_EQ(outbox.put(part("b")), Offer::kQueued);
    EXPECT_THAT(take(outbox), ElementsAre("a", "b"));
    EXPECT_EQ(outbox.put(part("c")), Offer::kQueued);
    EXPECT_THAT(take(outbox), ElementsAre("c"));
    EXPECT_THAT(take(outbox), ElementsAre());
    EXPECT_EQ(outbox.put(part("d")), Offer::kWake);
}

TEST(Outbox, RefusesWhatIsTooMuchCountingWhatIsUnderWay) {
    Outbox outbox(10);
    EXPECT_NE(outbox.put(part(std::string(6, 'a'))), Offer::kRefused);
    EXPECT_EQ(outbox.put(part(std::string(5, 'b'))), Offer::kRefused);
    EXPECT_EQ(take(outbox).size(), 1U);
    EXPECT_EQ(outbox.put(part(std::string(5, 'b'))), Offer::kRefused);
    EXPECT_EQ(take(outbox).size(), 0U);
    EXPECT_EQ(outbox.put(part(std::string(50, 'c'))), Offer::kWake);
}

TEST(Outbox, KeepsTheLatestOfATopicAtTheEnd) {
    Outbox outbox(100);
    static_cast<void>(outbox.put_latest(part("step 1", "steps")));
    static_cast<void>(outbox.put(part("started")));
    static_cast<void>(outbox.put_latest(part("other", "others")));
    static_cast<void>(outbox.put_latest(part("step 2", "steps")));
    EXPECT_THAT(take(outbox), ElementsAre("started", "other", "step 2"));
}

TEST(Outbox, KeepsTheOldOfATopicWhenTheNewHasNoRoom) {
    Outbox outbox(10);
    static_cast<void>(outbox.put(part("12345")));
    static_cast<void>(outbox.put_latest(part("a", "t")));
    EXPECT_EQ(outbox.put_latest(part("123456", "t")), Offer::kRefused);
    EXPECT_EQ(outbox.put_latest(part("bcde", "t")), Offer::kQueued);
    EXPECT_THAT(take(outbox), ElementsAre("12345", "bcde"));
}

TEST(Outbox, GivesBatchesOfAboutTheSizeAsked) {
    Outbox outbox(100);
    for (const auto* bytes : {"aaa", "bbb", "ccc"}) {
        static_cast<void>(outbox.put(part(bytes)));
    }
    EXPECT_THAT(take(outbox, 6), ElementsAre("aaa", "bbb"));
    EXPECT_THAT(take(outbox, 0), ElementsAre("ccc"));
}

TEST(Outbox, EndsAfterItsLastPart) {
    Outbox outbox(100);
    static_cast<void>(outbox.put(part("a")));
    EXPECT_FALSE(outbox.finish());
    EXPECT_EQ(outbox.put(part("b")), Offer::kRefused);
    EXPECT_FALSE(outbox.is_at_end());
    EXPECT_THAT(take(outbox), ElementsAre("a"));
    EXPECT_TRUE(outbox.is_at_end());
    Outbox idle(100);
    EXPECT_TRUE(idle.finish());
    EXPECT_FALSE(idle.finish());
}

TEST(Outbox, TakesNothingOnceClosed) {
    Outbox outbox(100);
    outbox.close();
    EXPECT_EQ(outbox.put(part("a")), Offer::kRefused);
    EXPECT_EQ(outbox.put_latest(part("a", "t")), Offer::kRefused);
}

}  // namespace
}  // namespace tessera::http
