#include "events/event_mailbox.h"

#include "events/events_test.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <set>
#include <thread>

namespace tessera {
namespace {

using Kind = FarmEvent::Kind;
using testing::ElementsAre;

EventPtr event(Kind kind, std::string job, int unit = 0) {
    return std::make_shared<const FarmEvent>(farm_event(kind, "ada", std::move(job), unit));
}

std::vector<std::string> all_of(EventMailbox& mailbox) {
    std::vector<std::string> words;
    mailbox.drain([&words](const EventPtr& next) {
        words.push_back(words_of(*next));
        return true;
    });
    return words;
}

TEST(EventMailboxTest, GivesASlowReaderTheLatestStateAndEveryEnd) {
    EventMailbox mailbox([] {});
    for (int step = 0; step < 1000; ++step) {
        mailbox.put(event(Kind::kProgress, "a", 0));
        mailbox.put(event(Kind::kPreview, "a", 0));
        mailbox.put(event(Kind::kProgress, "a", 1));
    }
    EXPECT_EQ(mailbox.waiting(), 3U);
    mailbox.put(event(Kind::kUnitDone, "a", 0));
    EXPECT_THAT(all_of(mailbox), ElementsAre("a:1 progress", "a:0 unit_done"));
    mailbox.put(event(Kind::kProgress, "a", 1));
    mailbox.put(event(Kind::kDone, "a"));
    EXPECT_THAT(all_of(mailbox), ElementsAre("a:0 done"));
}

TEST(EventMailboxTest, HoldsWhatCouldNotBeSent) {
    EventMailbox mailbox([] {});
    mailbox.put(event(Kind::kStarted, "a"));
    mailbox.put(event(Kind::kDone, "a"));
    int sent = 0;
    EXPECT_FALSE(mailbox.drain([&sent](const EventPtr&) { return sent++ == 0; }));
    EXPECT_THAT(all_of(mailbox), ElementsAre("a:0 done"));
    EXPECT_TRUE(mailbox.drain([](const EventPtr&) { return false; })) << "nothing waits";
}

TEST(EventMailboxTest, WakesOnceUntilItIsDrained) {
    int wakes = 0;
    EventMailbox mailbox([&wakes] { ++wakes; });
    mailbox.put(event(Kind::kStarted, "a"));
    mailbox.put(event(Kind::kUnitDone, "a"));
    EXPECT_EQ(wakes, 1);
    EXPECT_FALSE(mailbox.drain([](const EventPtr&) { return false; }));
    mailbox.put(event(Kind::kDone, "a"));
    EXPECT_EQ(wakes, 2);
}

TEST(EventMailboxTest, KeepsEndsOfJobsAndSaysThatTheRestIsMissing) {
    EventMailbox mailbox([] {}, 10);
    mailbox.put(event(Kind::kDone, "early"));
    for (int unit = 0; unit < 10; ++unit) {
        mailbox.put(event(Kind::kUnitDone, "a", unit));
    }
    mailbox.put(event(Kind::kFailed, "late"));
    EXPECT_THAT(all_of(mailbox), ElementsAre(":0 reset", "early:0 done", "late:0 failed"));
}

TEST(EventMailboxTest, StaysBoundedWhateverComes) {
    EventMailbox mailbox([] {}, 100);
    for (int job = 0; job < 10'000; ++job) {
        mailbox.put(event(Kind::kDone, std::to_string(job)));
        ASSERT_LE(mailbox.waiting(), 100U);
    }
    const auto words = all_of(mailbox);
    EXPECT_EQ(words.front(), ":0 reset");
    EXPECT_EQ(words.back(), "9999:0 done");
}

TEST(EventMailboxTest, AReaderOnItsOwnThreadMissesNoEndAndSeesTheLastStates) {
    std::mutex mutex;
    std::condition_variable changed;
    bool awake = false;
    EventMailbox mailbox([&] {
        const std::lock_guard lock(mutex);
        awake = true;
        changed.notify_one();
    });
    EventBus bus;
    const auto subscription =
        bus.subscribe({}, [&mailbox](const EventPtr& next) { mailbox.put(next); });
    constexpr int kUnits = 200;
    constexpr int kSteps = 20;
    std::map<int, int> last_step;
    std::set<int> done;
    std::jthread reader([&] {
        for (bool over = false; !over;) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&awake] { return awake; });
            awake = false;
            lock.unlock();
            mailbox.drain([&](const EventPtr& next) {
                if (next->kind == Kind::kProgress) {
                    EXPECT_FALSE(done.contains(next->unit));
                    EXPECT_GT(next->progress.step, last_step[next->unit]);
                    last_step[next->unit] = next->progress.step;
                } else if (next->kind == Kind::kUnitDone) {
                    done.insert(next->unit);
                }
                over = over || next->kind == Kind::kDone;
                return true;
            });
        }
    });
    for (int unit = 0; unit < kUnits; ++unit) {
        for (int step = 1; step <= kSteps; ++step) {
            FarmEvent progress = farm_event(Kind::kProgress, "ada", "a", unit);
            progress.progress = {step, kSteps, "steps"};
            bus.publish(std::move(progress));
        }
        bus.publish(farm_event(Kind::kUnitDone, "ada", "a", unit));
    }
    bus.publish(farm_event(Kind::kDone, "ada", "a"));
    reader.join();
    EXPECT_EQ(done.size(), static_cast<std::size_t>(kUnits));
}

TEST(EventMailboxTest, TwoThousandReadersShareOneCopyOfAnEvent) {
    EventBus bus;
    std::vector<std::unique_ptr<EventMailbox>> mailboxes;
    std::vector<EventBus::Subscription> subscriptions;
    for (int i = 0; i < 2000; ++i) {
        mailboxes.push_back(std::make_unique<EventMailbox>([] {}));
        subscriptions.push_back(bus.subscribe(
            {}, [box = mailboxes.back().get()](const EventPtr& next) { box->put(next); }
        ));
    }
    FarmEvent preview = farm_event(Kind::kPreview, "ada", "a");
    preview.jpeg = std::string(32U << 10U, 'j');
    for (int i = 0; i < 20; ++i) {
        bus.publish(preview);
    }
    EventPtr waiting;
    for (const auto& mailbox : mailboxes) {
        ASSERT_EQ(mailbox->waiting(), 1U);
        mailbox->drain([&waiting](const EventPtr& next) {
            EXPECT_TRUE(waiting == nullptr || waiting == next);
            waiting = next;
            return false;
        });
    }
}

}  // namespace
}  // namespace tessera
