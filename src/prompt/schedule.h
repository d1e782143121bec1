#pragma once

#include "base/result.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// The steps that a prompt's schedule is spread over, counted as evaluations of the denoiser (a
/// sampler of second order makes two a step). At least 1 and at most kMaxScheduleSteps.
struct PassSteps {
    std::size_t steps = 1;
    /// Set: this is the second pass of a high-resolution render whose first pass had so many.
    /// Step numbers then go on from there, and fractions from 1 to 2 stand for the second pass.
    std::optional<std::size_t> first_pass_steps = std::nullopt;
};

constexpr std::size_t kMaxScheduleSteps = 20'000;

struct ScheduledText {
    std::size_t end_at_step;  ///< see piece_at
    std::string text;

    bool operator==(const ScheduledText&) const = default;
};

struct PromptSchedule {
    std::vector<ScheduledText> pieces;  ///< by end_at_step, the last one's is `steps`; never empty
    std::vector<std::string> remarks;   ///< one sentence each
};

/// Spells out prompt editing as AUTOMATIC1111's web UI does since 1.6
/// (get_learned_conditioning_prompt_schedules): [from:to:when], [to:when], [from::when] change at
/// `when`, a step number, or with a decimal point a fraction of the steps; [a|b|c] takes turns, one
/// a step; all nest. What does not fit together as such stays as it stands, brackets and all (a |
/// outside of [ ] turns the whole of it off, as there; of that there is a remark). Escapes and
/// emphasis stay in the texts. A piece for each number that changes it, also if its text is as
/// before. Positions in remarks count characters from `first_character`.
/// kInvalidArgument: steps out of range, brackets nested more than 100 deep, more than 4 MiB of
/// text if none of it were left out.
[[nodiscard]] Result<PromptSchedule> schedule_prompt(
    std::string_view text, const PassSteps& steps, std::size_t first_character = 1
);

/// Which piece the web UI takes for the evaluation of that number, counted from 0: the first with
/// evaluation <= end_at_step. So "[a:b:3]" shows `a` four times, not three, as there.
template <class Piece>
[[nodiscard]] std::size_t piece_at(std::span<const Piece> pieces, std::size_t evaluation) {
    std::size_t index = 0;
    while (index + 1 < pieces.size() && pieces[index].end_at_step < evaluation) {
        ++index;
    }
    return index;
}

}  // namespace tessera
