#include "job/states.h"

#include <algorithm>
#include <array>

namespace tessera {
namespace {

constexpr auto kLegalMoves = std::to_array<LegalMove>({
    {TaskState::kBlocked, TaskMove::kUnblock, TaskState::kReady},
    {TaskState::kBlocked, TaskMove::kKill, TaskState::kDead},
    {TaskState::kBlocked, TaskMove::kCancel, TaskState::kCancelled},

    {TaskState::kReady, TaskMove::kClaim, TaskState::kRunning},
    {TaskState::kReady, TaskMove::kKill, TaskState::kDead},
    {TaskState::kReady, TaskMove::kCancel, TaskState::kCancelled},

    {TaskState::kDelayed, TaskMove::kWake, TaskState::kReady},
    {TaskState::kDelayed, TaskMove::kKill, TaskState::kDead},
    {TaskState::kDelayed, TaskMove::kCancel, TaskState::kCancelled},

    {TaskState::kRunning, TaskMove::kComplete, TaskState::kDone},
    {TaskState::kRunning, TaskMove::kReturn, TaskState::kReady},
    {TaskState::kRunning, TaskMove::kDelay, TaskState::kDelayed},
    {TaskState::kRunning, TaskMove::kKill, TaskState::kDead},
    {TaskState::kRunning, TaskMove::kCancel, TaskState::kCancelled},

    {TaskState::kDead, TaskMove::kRevive, TaskState::kReady},
    {TaskState::kDead, TaskMove::kReblock, TaskState::kBlocked},

    {TaskState::kCancelled, TaskMove::kRevive, TaskState::kReady},
    {TaskState::kCancelled, TaskMove::kReblock, TaskState::kBlocked},
});

}  // namespace

std::span<const LegalMove> legal_moves() {
    return kLegalMoves;
}

const LegalMove* find_move(TaskState from, TaskMove move) {
    const auto* const found = std::ranges::find_if(kLegalMoves, [&](const LegalMove& legal) {
        return legal.from == from && legal.move == move;
    });
    return found == kLegalMoves.end() ? nullptr : found;
}

bool is_final(TaskState state) {
    return state == TaskState::kDone || state == TaskState::kDead || state == TaskState::kCancelled;
}

bool is_final(JobState state) {
    return state == JobState::kDone || state == JobState::kFailed || state == JobState::kCancelled;
}

std::string_view to_string(TaskState state) {
    switch (state) {
        case TaskState::kBlocked:
            return "blocked";
        case TaskState::kReady:
            return "ready";
        case TaskState::kDelayed:
            return "delayed";
        case TaskState::kRunning:
            return "running";
        case TaskState::kDone:
            return "done";
        case TaskState::kDead:
            return "dead";
        case TaskState::kCancelled:
            break;
    }
    return "cancelled";
}

std::string_view to_string(JobState state) {
    switch (state) {
        case JobState::kQueued:
            return "queued";
        case JobState::kRunning:
            return "running";
        case JobState::kDone:
            return "done";
        case JobState::kFailed:
            return "failed";
        case JobState::kCancelled:
            break;
    }
    return "cancelled";
}

std::string_view to_string(TaskMove move) {
    switch (move) {
        case TaskMove::kUnblock:
            return "unblock";
        case TaskMove::kClaim:
            return "claim";
        case TaskMove::kReturn:
            return "return";
        case TaskMove::kDelay:
            return "delay";
        case TaskMove::kWake:
            return "wake";
        case TaskMove::kComplete:
            return "complete";
        case TaskMove::kKill:
            return "kill";
        case TaskMove::kCancel:
            return "cancel";
        case TaskMove::kRevive:
            return "revive";
        case TaskMove::kReblock:
            break;
    }
    return "reblock";
}

}  // namespace tessera
