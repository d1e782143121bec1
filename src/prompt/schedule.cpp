#include "prompt/schedule.h"

#include "prompt/prompt_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMostNested = 100;
constexpr std::size_t kMostBytes = std::size_t{4} << 20;

/// [from:to:when] or [a|b|c], as offsets into the text.
struct Change {
    std::size_t open;
    std::size_t close;
    std::vector<std::size_t> separators;
    bool alternates;
    std::size_t when;  ///< in steps; of alternates: unused
};

/// The end of a scheduled bracket: optional white space around SIGNED_NUMBER of lark's common.lark.
std::optional<std::string_view> number_text(std::string_view text) {
    const std::string_view number = trimmed(text);
    std::string_view rest = number;
    const auto take_sign = [&] {
        if (rest.starts_with('+') || rest.starts_with('-')) {
            rest.remove_prefix(1);
        }
    };
    const auto take_digits = [&] {
        const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
        rest.remove_prefix(digits);
        return digits;
    };
    take_sign();
    std::size_t digits = take_digits();
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        digits += take_digits();
    }
    if (digits == 0) {
        return std::nullopt;
    }
    if (rest.starts_with('e') || rest.starts_with('E')) {
        rest.remove_prefix(1);
        take_sign();
        if (take_digits() == 0) {
            return std::nullopt;
        }
    }
    return rest.empty() ? std::optional(number) : std::nullopt;
}

/// The step after which `when` changes, from 0 (before the first) to the last.
std::size_t step_of(std::string_view when, const PassSteps& pass) {
    const bool negative = when.starts_with('-');
    when.remove_prefix(negative || when.starts_with('+') ? 1 : 0);
    double value = 0;
    const auto read = std::from_chars(when.data(), when.data() + when.size(), value);
    if (read.ec == std::errc::result_out_of_range) {
        // Beyond all steps, or so small that it is none.
        const auto exponent = when.find_first_of("eE");
        const bool small =
            exponent != std::string_view::npos && when.substr(exponent + 1).starts_with('-');
        value = small ? 0 : static_cast<double>(kMaxScheduleSteps) * 2;
    }
    value = negative ? -value : value;
    const auto steps = static_cast<double>(pass.steps);
    if (when.find('.') != std::string_view::npos) {
        value = (value - (pass.first_pass_steps ? 1 : 0)) * steps;
    } else {
        value -= static_cast<double>(pass.first_pass_steps.value_or(0));
    }
    return static_cast<std::size_t>(std::clamp(value, 0.0, steps));
}

/// Finds the brackets that change. A bracket counts only if all between it and its partner fits the
/// grammar too; any other stands for itself, as do its colons.
class ChangeFinder {
  public:
    ChangeFinder(std::string_view text, const PassSteps& pass, std::size_t first_character)
        : text_(text), pass_(pass), first_character_(first_character) {}

    /// By `open`. None if a sign stands where the grammar has no place for it.
    Result<std::vector<Change>> find() {
        for (std::size_t at = 0; at < text_.size(); ++at) {
            switch (text_[at]) {
                case '\\':
                    if (at + 1 == text_.size() || text_[at + 1] == '\n') {
                        return std::vector<Change>();
                    }
                    ++at;
                    break;
                case '(':
                case '[':
                    if (open_.size() == kMostNested) {
                        return fail(
                            ErrorKind::kInvalidArgument,
                            "the \"{}\" at character {} stands within {} others; write \\{} for "
                            "the sign itself",
                            text_[at],
                            position(at),
                            kMostNested,
                            text_[at]
                        );
                    }
                    open_.push_back({at, {}, {}});
                    break;
                case ')':
                case ']':
                    close(at);
                    break;
                case ':':
                    if (!open_.empty()) {
                        open_.back().colons.push_back(at);
                    }
                    break;
                case '|':
                    if (open_.empty()) {
                        stray_bar(at);
                    } else {
                        open_.back().bars.push_back(at);
                    }
                    break;
                default:
                    break;
            }
        }
        forget_open();
        if (stray_bar_) {
            return std::vector<Change>();
        }
        std::sort(changes_.begin(), changes_.end(), [](const Change& left, const Change& right) {
            return left.open < right.open;
        });
        return std::move(changes_);
    }

    /// Where a | stands that turns all changes off.
    [[nodiscard]] std::optional<std::size_t> stray_bar_position() const {
        return stray_bar_ ? std::optional(position(*stray_bar_)) : std::nullopt;
    }

  private:
    struct Open {
        std::size_t at;
        std::vector<std::size_t> colons;
        std::vector<std::size_t> bars;
    };

    void close(std::size_t at) {
        const char partner = text_[at] == ')' ? '(' : '[';
        if (open_.empty() || text_[open_.back().at] != partner || !fits(at)) {
            forget_open();
            return;
        }
        open_.pop_back();
    }

    /// Whether what is open may close here; if it changes, it is noted.
    bool fits(std::size_t at) {
        Open& bracket = open_.back();
        if (text_[bracket.at] == '(') {
            return bracket.bars.empty() && bracket.colons.size() <= 1;
        }
        if (!bracket.bars.empty()) {
            if (!bracket.colons.empty()) {
                return false;
            }
            changes_.push_back({bracket.at, at, std::move(bracket.bars), true, 0});
            return true;
        }
        if (bracket.colons.empty()) {
            return true;
        }
        const std::size_t last = bracket.colons.back();
        const auto when = number_text(text_.substr(last + 1, at - last - 1));
        if (bracket.colons.size() > 2 || !when) {
            return false;
        }
        changes_.push_back({bracket.at, at, std::move(bracket.colons), false, step_of(*when, pass_)}
        );
        return true;
    }

    /// What is open can no longer close as the grammar wants.
    void forget_open() {
        for (const Open& bracket : open_) {
            if (!bracket.bars.empty()) {
                stray_bar(bracket.bars.front());
            }
        }
        open_.clear();
    }

    void stray_bar(std::size_t at) { stray_bar_ = std::min(stray_bar_.value_or(at), at); }

    [[nodiscard]] std::size_t position(std::size_t at) const {
        return first_character_ + character_count(text_.substr(0, at));
    }

    std::string_view text_;
    const PassSteps& pass_;
    std::size_t first_character_;
    std::vector<Open> open_;
    std::vector<Change> changes_;
    std::optional<std::size_t> stray_bar_;
};

/// The text as it reads at one step, which is counted from 1.
class StepReader {
  public:
    StepReader(std::string_view text, const std::vector<Change>& changes, std::size_t step)
        : text_(text), changes_(changes), step_(step) {}

    std::string read() {
        append(0, text_.size());
        return std::move(result_);
    }

  private:
    [[nodiscard]] std::vector<Change>::const_iterator first_from(std::size_t begin) const {
        return std::lower_bound(
            changes_.begin(),
            changes_.end(),
            begin,
            [](const Change& candidate, std::size_t at) { return candidate.open < at; }
        );
    }

    /// Depth is that of brackets: at most kMostNested.
    void append(std::size_t begin, std::size_t end) {
        for (auto change = first_from(begin); change != changes_.end() && change->open < end;
             change = first_from(begin)) {
            result_ += text_.substr(begin, change->open - begin);
            append_choice(*change);
            begin = change->close + 1;
        }
        result_ += text_.substr(begin, end - begin);
    }

    void append_choice(const Change& change) {
        const auto& separators = change.separators;
        if (change.alternates) {
            const std::size_t choice = (step_ - 1) % (separators.size() + 1);
            append(
                choice == 0 ? change.open + 1 : separators[choice - 1] + 1,
                choice == separators.size() ? change.close : separators[choice]
            );
        } else if (step_ > change.when) {
            append(
                (separators.size() == 2 ? separators.front() : change.open) + 1, separators.back()
            );
        } else if (separators.size() == 2) {
            append(change.open + 1, separators.front());
        }
    }

    std::string_view text_;
    const std::vector<Change>& changes_;
    std::size_t step_;
    std::string result_;
};

}  // namespace

Result<PromptSchedule> schedule_prompt(
    std::string_view text, const PassSteps& steps, std::size_t first_character
) {
    if (steps.steps < 1 || steps.steps > kMaxScheduleSteps) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a prompt cannot be spread over {} steps; there are from 1 to {}",
            steps.steps,
            kMaxScheduleSteps
        );
    }
    ChangeFinder finder(text, steps, first_character);
    TESSERA_ASSIGN(const auto changes, finder.find());
    std::set<std::size_t> ends{steps.steps};
    for (const Change& change : changes) {
        if (change.alternates) {
            for (std::size_t step = 1; step < steps.steps; ++step) {
                ends.insert(ends.end(), step);
            }
        } else if (change.when >= 1) {
            ends.insert(change.when);
        }
    }
    if (ends.size() > 1 && text.size() > kMostBytes / ends.size()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the prompt has {} bytes and changes at {} steps, which makes more than {} MiB of "
            "text; "
            "make it shorter or let it change less often",
            text.size(),
            ends.size(),
            kMostBytes >> 20
        );
    }
    PromptSchedule schedule;
    for (const std::size_t end : ends) {
        schedule.pieces.push_back({end, StepReader(text, changes, end).read()});
    }
    if (const auto bar = finder.stray_bar_position()) {
        schedule.remarks.push_back(fmt::format(
            "the \"|\" at character {} stands in no [ ] of its own, so nothing of the prompt "
            "changes from step to step",
            *bar
        ));
    }
    return schedule;
}

}  // namespace tessera
