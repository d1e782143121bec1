#include "job/states.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

namespace tessera {
namespace {

constexpr auto kTaskStates = std::to_array<TaskState>({
    TaskState::kBlocked,
    TaskState::kReady,
    TaskState::kDelayed,
    TaskState::kRunning,
    TaskState::kDone,
    TaskState::kDead,
    TaskState::kCancelled,
});
constexpr auto kMoves = std::to_array<TaskMove>({
    TaskMove::kUnblock,
    TaskMove::kClaim,
    TaskMove::kReturn,
    TaskMove::kDelay,
    TaskMove::kWake,
    TaskMove::kComplete,
    TaskMove::kKill,
    TaskMove::kCancel,
    TaskMove::kRevive,
    TaskMove::kReblock,
});

std::set<TaskState> reachable_from(TaskState start, bool with_people) {
    std::set<TaskState> reached{start};
    for (std::size_t before = 0; before != reached.size();) {
        before = reached.size();
        for (const LegalMove& legal : legal_moves()) {
            const bool by_person =
                legal.move == TaskMove::kRevive || legal.move == TaskMove::kReblock;
            if (reached.contains(legal.from) && (with_people || !by_person)) {
                reached.insert(legal.to);
            }
        }
    }
    return reached;
}

TEST(TaskStates, EachMoveLeadsFromAStateToOnePlace) {
    std::set<std::pair<TaskState, TaskMove>> seen;
    for (const LegalMove& legal : legal_moves()) {
        EXPECT_TRUE(seen.emplace(legal.from, legal.move).second)
            << to_string(legal.from) << " " << to_string(legal.move);
        EXPECT_NE(legal.from, legal.to);
        EXPECT_EQ(find_move(legal.from, legal.move), &legal);
    }
}

TEST(TaskStates, OnlyAPersonMovesATaskThatHasEnded) {
    for (const TaskState state : kTaskStates) {
        for (const TaskMove move : kMoves) {
            const bool by_person = move == TaskMove::kRevive || move == TaskMove::kReblock;
            if (is_final(state)) {
                const bool expected = by_person && state != TaskState::kDone;
                EXPECT_EQ(find_move(state, move) != nullptr, expected)
                    << to_string(state) << " " << to_string(move);
            } else if (by_person) {
                EXPECT_EQ(find_move(state, move), nullptr) << to_string(state);
            }
        }
    }
}

TEST(TaskStates, AllAreReachedFromEitherStart) {
    const std::set<TaskState> all(kTaskStates.begin(), kTaskStates.end());
    EXPECT_EQ(reachable_from(TaskState::kBlocked, false), all);
    auto expected = all;
    expected.erase(TaskState::kBlocked);
    EXPECT_EQ(reachable_from(TaskState::kReady, false), expected);
}

TEST(TaskStates, EveryTaskThatIsNotDoneCanStillEnd) {
    for (const TaskState state : kTaskStates) {
        EXPECT_TRUE(reachable_from(state, true).contains(TaskState::kDone)) << to_string(state);
    }
    for (const TaskState state : kTaskStates) {
        if (!is_final(state)) {
            EXPECT_NE(find_move(state, TaskMove::kCancel), nullptr) << to_string(state);
            EXPECT_NE(find_move(state, TaskMove::kKill), nullptr) << to_string(state);
        }
    }
}

TEST(TaskStates, RandomMovesKeepToTheStory) {
    EXPECT_TRUE(rc::check([](const std::vector<unsigned>& choices) {
        TaskState state = *rc::gen::element(TaskState::kBlocked, TaskState::kReady);
        int claims = 0;
        int ends_of_claims = 0;
        for (const unsigned choice : choices) {
            const TaskMove move = kMoves[choice % kMoves.size()];
            const LegalMove* legal = find_move(state, move);
            if (legal == nullptr) {
                continue;
            }
            claims += move == TaskMove::kClaim ? 1 : 0;
            ends_of_claims += legal->from == TaskState::kRunning ? 1 : 0;
            state = legal->to;
            // Nobody works on a task without having claimed it, or twice at a time.
            RC_ASSERT(claims - ends_of_claims == (state == TaskState::kRunning ? 1 : 0));
        }
        RC_ASSERT(std::ranges::count(kTaskStates, state) == 1);
    }));
}

TEST(TaskStates, HaveNames) {
    std::set<std::string_view> names;
    for (const TaskState state : kTaskStates) {
        names.insert(to_string(state));
    }
    EXPECT_EQ(names.size(), kTaskStates.size());
    EXPECT_EQ(to_string(TaskState::kReady), "ready");
    std::set<std::string_view> moves;
    for (const TaskMove move : kMoves) {
        moves.insert(to_string(move));
    }
    EXPECT_EQ(moves.size(), kMoves.size());
}

TEST(JobStates, EndInThreeWays) {
    EXPECT_FALSE(is_final(JobState::kQueued));
    EXPECT_FALSE(is_final(JobState::kRunning));
    EXPECT_TRUE(is_final(JobState::kDone));
    EXPECT_TRUE(is_final(JobState::kFailed));
    EXPECT_TRUE(is_final(JobState::kCancelled));
    EXPECT_EQ(to_string(JobState::kFailed), "failed");
}

}  // namespace
}  // namespace tessera
