#include "events/event_bus.h"

#include "events/events_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

namespace tessera {
namespace {

using Kind = FarmEvent::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(EventBusTest, BringsEventsToThoseWhoseFilterTheyPass) {
    EventBus bus;
    Heard of_ada;
    Heard of_job;
    Heard of_all;
    Heard without_previews;
    const auto first = bus.subscribe({.tenant = "ada", .job = {}}, of_ada.listener());
    const auto second = bus.subscribe({.tenant = "bob", .job = {"b1"}}, of_job.listener());
    const auto third = bus.subscribe({}, of_all.listener());
    const auto fourth =
        bus.subscribe({.tenant = "ada", .job = {}, .previews = false}, without_previews.listener());

    bus.publish(farm_event(Kind::kQueued, "ada", "a1"));
    bus.publish(farm_event(Kind::kQueued, "bob", "b1"));
    bus.publish(farm_event(Kind::kQueued, "bob", "b2"));
    bus.publish(farm_event(Kind::kPreview, "ada", "a1"));

    EXPECT_THAT(of_ada.words(), ElementsAre("a1:0 queued", "a1:0 preview"));
    EXPECT_THAT(of_job.words(), ElementsAre("b1:0 queued"));
    EXPECT_EQ(of_all.events.size(), 4U);
    EXPECT_THAT(without_previews.words(), ElementsAre("a1:0 queued"));
}

TEST(EventBusTest, AJobsNameDoesNotOpenItToAnotherTenant) {
    EventBus bus;
    Heard heard;
    const auto subscription = bus.subscribe({.tenant = "eve", .job = {"a1"}}, heard.listener());
    bus.publish(farm_event(Kind::kDone, "ada", "a1"));
    const auto again = bus.subscribe({.tenant = "eve", .job = {"a1"}}, heard.listener(), 0);
    EXPECT_THAT(heard.events, IsEmpty());
}

TEST(EventBusTest, NumbersAllButPreviewsUpwards) {
    EventBus bus;
    Heard heard;
    const auto subscription = bus.subscribe({}, heard.listener());
    for (const Kind kind : {Kind::kQueued, Kind::kPreview, Kind::kStarted, Kind::kDone}) {
        bus.publish(farm_event(kind, "ada", "a1"));
    }
    EXPECT_EQ(heard.events[1]->id, 0U);
    EXPECT_LT(heard.events[0]->id, heard.events[2]->id);
    EXPECT_LT(heard.events[2]->id, heard.events[3]->id);
}

TEST(EventBusTest, EndsWhenTheHandleIsDropped) {
    EventBus bus;
    Heard heard;
    auto subscription = bus.subscribe({.tenant = "", .job = {"a1"}}, heard.listener());
    EXPECT_TRUE(subscription.handle);
    EXPECT_EQ(bus.subscribers(), 1U);
    subscription.handle.reset();
    EXPECT_EQ(bus.subscribers(), 0U);
    bus.publish(farm_event(Kind::kDone, "ada", "a1"));
    EXPECT_THAT(heard.events, IsEmpty());
}

TEST(EventBusTest, AListenerMayDropItsOwnHandleAndAnothers) {
    EventBus bus;
    Heard other;
    EventBus::Subscription mine;
    EventBus::Subscription others;
    int calls = 0;
    mine = bus.subscribe({}, [&](const EventPtr&) {
        ++calls;
        mine.handle.reset();
        others.handle.reset();
    });
    others = bus.subscribe({}, other.listener());
    bus.publish(farm_event(Kind::kQueued, "ada", "a1"));
    bus.publish(farm_event(Kind::kDone, "ada", "a1"));
    EXPECT_EQ(calls, 1);
    EXPECT_THAT(other.events, IsEmpty());
}

TEST(EventBusTest, AHandleMayOutliveTheBus) {
    EventBus::Subscription subscription;
    {
        EventBus bus;
        subscription = bus.subscribe({}, [](const EventPtr&) {});
    }
    subscription.handle.reset();
}

TEST(EventBusTest, ThoseWhoComeBackHearWhatTheyMissedAndThenTheRest) {
    EventBus bus;
    Heard before;
    auto subscription = bus.subscribe({.tenant = "ada", .job = {}}, before.listener());
    bus.publish(farm_event(Kind::kStarted, "ada", "a1"));
    subscription.handle.reset();
    bus.publish(farm_event(Kind::kUnitDone, "ada", "a1", 0));
    bus.publish(farm_event(Kind::kDone, "bob", "b1"));
    bus.publish(farm_event(Kind::kDone, "ada", "a1"));

    Heard after;
    subscription =
        bus.subscribe({.tenant = "ada", .job = {}}, after.listener(), before.events.back()->id);
    EXPECT_TRUE(subscription.complete);
    bus.publish(farm_event(Kind::kDeleted, "ada", "a1"));
    EXPECT_THAT(after.words(), ElementsAre("a1:0 unit_done", "a1:0 done", "a1:0 deleted"));
}

TEST(EventBusTest, AdministratorsHearAllTenantsInOneOrder) {
    EventBus bus;
    for (const char* job : {"1", "2", "3", "4"}) {
        bus.publish(farm_event(Kind::kDone, *job % 2 == 0 ? "ada" : "bob", job));
    }
    Heard heard;
    const auto subscription = bus.subscribe({}, heard.listener(), 0);
    EXPECT_THAT(heard.words(), ElementsAre("1:0 done", "2:0 done", "3:0 done", "4:0 done"));
}

TEST(EventBusTest, KeepsOnlyTheLatestStateAndNoneOfWhatHasEnded) {
    EventBus bus;
    bus.publish(farm_event(Kind::kQueued, "ada", "a1"));
    bus.publish(farm_event(Kind::kQueued, "ada", "a1"));
    bus.publish(farm_event(Kind::kStarted, "ada", "a1"));
    for (int step = 0; step < 5; ++step) {
        bus.publish(farm_event(Kind::kProgress, "ada", "a1", 0));
        bus.publish(farm_event(Kind::kProgress, "ada", "a1", 1));
    }
    bus.publish(farm_event(Kind::kUnitDone, "ada", "a1", 0));
    Heard heard;
    const auto subscription = bus.subscribe({}, heard.listener(), 0);
    EXPECT_TRUE(subscription.complete);
    EXPECT_THAT(heard.words(), ElementsAre("a1:0 started", "a1:1 progress", "a1:0 unit_done"));
}

TEST(EventBusTest, SaysWhenSomethingIsForgotten) {
    EventBus bus({.kept_events = 3});
    std::uint64_t first = 0;
    Heard all;
    const auto listening = bus.subscribe({}, all.listener());
    for (const char* job : {"1", "2", "3", "4"}) {
        bus.publish(farm_event(Kind::kDone, "ada", job));
    }
    first = all.events.front()->id;

    Heard none_missing;
    EXPECT_TRUE(bus.subscribe({}, none_missing.listener(), first).complete);
    EXPECT_THAT(none_missing.words(), ElementsAre("2:0 done", "3:0 done", "4:0 done"));

    Heard missing;
    EXPECT_FALSE(bus.subscribe({}, missing.listener(), first - 1).complete);
    EXPECT_THAT(missing.words(), ElementsAre(":0 reset", "2:0 done", "3:0 done", "4:0 done"));
}

TEST(EventBusTest, OneTenantsEventsDoNotMakeAnotherForget) {
    EventBus bus({.kept_events = 3});
    bus.publish(farm_event(Kind::kDone, "ada", "a1"));
    for (int i = 0; i < 100; ++i) {
        bus.publish(farm_event(Kind::kDone, "bob", std::to_string(i)));
    }
    Heard heard;
    EXPECT_TRUE(bus.subscribe({.tenant = "ada", .job = {}}, heard.listener(), 0).complete);
    EXPECT_THAT(heard.words(), ElementsAre("a1:0 done"));
}

TEST(EventBusTest, KeepsWithinItsBytes) {
    EventBus bus({.kept_events = 1000, .kept_bytes = 20'000});
    for (int i = 0; i < 100; ++i) {
        FarmEvent event = farm_event(Kind::kFailed, "ada", std::to_string(i));
        event.message = std::string(1000, 'm');
        bus.publish(std::move(event));
    }
    Heard heard;
    EXPECT_FALSE(bus.subscribe({}, heard.listener(), 0).complete);
    std::size_t bytes = 0;
    for (const EventPtr& event : heard.events) {
        bytes += footprint(*event);
    }
    EXPECT_LE(bytes, 20'000U + sizeof(FarmEvent));
    EXPECT_GT(heard.events.size(), 5U);
}

TEST(EventBusTest, KnowsIdsOfAnotherLife) {
    std::uint64_t id = 0;
    {
        EventBus bus({.incarnation = 7});
        const auto subscription =
            bus.subscribe({}, [&id](const EventPtr& event) { id = event->id; });
        bus.publish(farm_event(Kind::kStarted, "ada", "a1"));
    }
    EventBus next({.incarnation = 8});
    next.publish(farm_event(Kind::kDone, "ada", "a1"));
    Heard heard;
    EXPECT_FALSE(next.subscribe({}, heard.listener(), id).complete);
    EXPECT_THAT(heard.words(), ElementsAre(":0 reset", "a1:0 done"));
    Heard from_the_future;
    EXPECT_FALSE(next.subscribe({}, from_the_future.listener(), UINT64_MAX).complete);
}

TEST(EventBusTest, KeepsNothingOfADeletedJobButThat) {
    EventBus bus;
    bus.publish(farm_event(Kind::kStarted, "ada", "a1"));
    bus.publish(farm_event(Kind::kDone, "ada", "a1"));
    bus.publish(farm_event(Kind::kDone, "ada", "a2"));
    bus.publish(farm_event(Kind::kDeleted, "ada", "a1"));
    Heard heard;
    EXPECT_TRUE(bus.subscribe({}, heard.listener(), 0).complete);
    EXPECT_THAT(heard.words(), ElementsAre("a2:0 done", "a1:0 deleted"));
}

TEST(EventBusTest, ComingBackAnywhereTellsTheSameEndAsHavingStayed) {
    EXPECT_TRUE(rc::check([] {
        EventBus bus;
        Heard stayed;
        const auto listening = bus.subscribe({}, stayed.listener());
        const auto kinds = *rc::gen::container<std::vector<std::pair<Kind, int>>>(rc::gen::pair(
            rc::gen::element(
                Kind::kQueued, Kind::kStarted, Kind::kProgress, Kind::kUnitDone, Kind::kRetrying
            ),
            rc::gen::inRange(0, 3)
        ));
        for (const auto& [kind, unit] : kinds) {
            bus.publish(farm_event(kind, unit == 1 ? "ada" : "bob", "j", unit));
        }
        RC_PRE(!kinds.empty());
        const auto seen = *rc::gen::inRange<std::size_t>(0, kinds.size());
        Heard back;
        const auto subscription = bus.subscribe({}, back.listener(), stayed.events[seen]->id);
        RC_ASSERT(subscription.complete);
        std::vector<std::uint64_t> heard;
        for (const EventPtr& event : back.events) {
            heard.push_back(event->id);
        }
        std::vector<std::uint64_t> wanted;
        for (std::size_t i = seen + 1; i < stayed.events.size(); ++i) {
            const bool superseded = std::any_of(
                stayed.events.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                stayed.events.end(),
                [&](const EventPtr& later) {
                    return later->tenant == stayed.events[i]->tenant &&
                           supersedes(*later, *stayed.events[i]);
                }
            );
            if (!superseded) {
                wanted.push_back(stayed.events[i]->id);
            }
        }
        RC_ASSERT(heard == wanted);
    }));
}

TEST(EventBusTest, EverybodyHearsEverythingInOrderWhileOthersComeAndGo) {
    EventBus bus;
    constexpr int kPublishers = 3;
    constexpr int kEvents = 300;
    std::vector<std::uint64_t> ids;
    const auto steady =
        bus.subscribe({}, [&ids](const EventPtr& event) { ids.push_back(event->id); });
    std::atomic<bool> over = false;
    std::atomic<int> disorders = 0;
    std::jthread visitor([&] {
        std::uint64_t last = 0;
        while (!over) {
            const auto visit = bus.subscribe(
                {},
                [&last, &disorders](const EventPtr& event) {
                    disorders += event->id <= last ? 1 : 0;
                    last = event->id;
                },
                last
            );
        }
    });
    {
        std::vector<std::jthread> publishers;
        for (int p = 0; p < kPublishers; ++p) {
            publishers.emplace_back([&bus, p] {
                for (int i = 0; i < kEvents; ++i) {
                    bus.publish(farm_event(Kind::kUnitDone, "ada", std::to_string(p), i));
                }
            });
        }
    }
    over = true;
    visitor.join();
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(kPublishers * kEvents));
    EXPECT_TRUE(std::ranges::is_sorted(ids));
    EXPECT_EQ(disorders, 0);
}

}  // namespace
}  // namespace tessera
