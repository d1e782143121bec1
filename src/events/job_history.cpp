#include "events/job_history.h"

#include "events/labels.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tessera {
namespace {

using Kind = TaskMark::Kind;

/// A task that may run again at once does not pause for the time it takes to say so.
constexpr Duration kNoPause = std::chrono::milliseconds(1);

std::string_view outcome_of(const TaskMark& mark) {
    switch (mark.kind) {
        case Kind::kDone:
            return "done";
        case Kind::kCancelled:
            return "cancelled";
        default:
            return mark.ending && mark.ending->fault == FaultKind::kTask ? "failed" : "lost";
    }
}

/// Walks through the marks in their order.
class SpanMaker {
  public:
    explicit SpanMaker(const JobHistory& history) : history_(history) {}

    std::vector<Span> make() {
        open_job();
        for (const TaskMark& mark : history_.marks) {
            meet(mark);
        }
        if (history_.left_out > 0) {
            close_truncated();
        }
        if (history_.ended) {
            close_job();
        }
        return std::move(spans_);
    }

  private:
    using Index = std::size_t;
    static constexpr Index kJob = 0;

    enum class Leaf : std::uint8_t { kWait, kAttempt, kPause };
    /// A task that waits or runs.
    struct Lane {
        Index task = 0;
        Index leaf = 0;
        Leaf leaf_kind = Leaf::kWait;
        int attempts = 0;
        Epoch epoch;  ///< of the last attempt
    };

    [[nodiscard]] SpanTime moment(Duration at) const { return history_.began + at; }

    Index open(Index parent, std::string name, Duration at) {
        Span span;
        span.id = child_of(history_.context.span, spans_.size());
        span.parent = spans_.at(parent).id;
        span.name = std::move(name);
        span.begin = moment(at);
        spans_.push_back(std::move(span));
        return spans_.size() - 1;
    }
    void note(Index span, const char* key, SpanValue value) {
        spans_.at(span).attributes.emplace_back(key, std::move(value));
    }

    void open_job() {
        Span job;
        job.id = history_.context.span;
        job.parent = history_.caller;
        job.name = "job";
        job.is_entry = true;
        job.begin = moment({});
        spans_.push_back(std::move(job));
        note(kJob, "tessera.job", history_.job.value);
        note(kJob, "tessera.tenant", history_.tenant);
        note(kJob, "tessera.kind", std::string(to_string(history_.kind)));
        note(kJob, "tessera.model", history_.model);
        note(kJob, "tessera.priority", std::string(to_string(history_.priority)));
        note(kJob, "tessera.pictures", static_cast<std::int64_t>(history_.pictures));
        if (history_.beginning != JobHistory::Beginning::kRetried) {
            const bool is_new = history_.beginning == JobHistory::Beginning::kSubmitted;
            const Index first = open(kJob, is_new ? "submit" : "before the restart", {});
            spans_.at(first).end = moment(history_.heard);
        }
        covered_to_ = history_.heard;
    }

    /// What begins while nothing else goes on begins where the last thing ended.
    [[nodiscard]] Duration without_gap(Duration at) const {
        return lanes_.empty() ? std::min(at, covered_to_) : at;
    }

    void open_leaf(Lane& lane, Leaf kind, const char* name, Duration at) {
        lane.leaf = open(lane.task, name, at);
        lane.leaf_kind = kind;
    }

    Lane& open_task(const TaskMark& mark, std::string_view name, Duration at) {
        Lane lane;
        lane.task = open(kJob, std::string(name), at);
        note(lane.task, "tessera.task", std::int64_t{mark.task});
        note(lane.task, "tessera.unit", std::int64_t{mark.unit});
        return lanes_.insert_or_assign(mark.task, lane).first->second;
    }

    void name_attempt(Lane& lane, const TaskMark& mark) {
        lane.epoch = mark.epoch;
        spans_.at(lane.leaf).id =
            attempt_context(history_.job, {}, mark.task, mark.epoch.value).span;
    }

    void open_attempt(Lane& lane, const TaskMark& mark, Duration at) {
        open_leaf(lane, Leaf::kAttempt, "attempt", at);
        if (lane.epoch != mark.epoch) {  // else a worker came back to what it had lost
            name_attempt(lane, mark);
        }
        note(lane.leaf, "tessera.attempt", std::int64_t{++lane.attempts});
        note(lane.leaf, "tessera.worker", mark.worker.value);
    }

    void close_leaf(const Lane& lane, Duration at) {
        spans_.at(lane.leaf).end = moment(at);
        covered_to_ = std::max(covered_to_, at);
    }

    Lane* lane_of(const TaskMark& mark) {
        const auto found = lanes_.find(mark.task);
        return found == lanes_.end() ? nullptr : &found->second;
    }

    void meet(const TaskMark& mark) {
        switch (mark.kind) {
            case Kind::kReady:
                meet_ready(mark);
                return;
            case Kind::kClaimed:
                meet_claim(mark);
                return;
            case Kind::kReturned:
            case Kind::kDone:
            case Kind::kDead:
            case Kind::kCancelled:
                meet_end(mark);
                return;
        }
    }

    void meet_ready(const TaskMark& mark) {
        Lane* lane = lane_of(mark);
        if (lane == nullptr) {
            const Duration at = without_gap(mark.at);
            Lane& opened = open_task(mark, to_string(mark.task_kind), at);
            open_leaf(opened, Leaf::kWait, "wait", at);
            return;
        }
        if (lane->leaf_kind == Leaf::kWait) {
            return;  // said twice
        }
        Span& before = spans_.at(lane->leaf);
        if (lane->leaf_kind == Leaf::kPause && moment(mark.at) - before.begin < kNoPause) {
            before.name = "wait";
            lane->leaf_kind = Leaf::kWait;
            return;
        }
        close_leaf(*lane, mark.at);
        open_leaf(*lane, Leaf::kWait, "wait", mark.at);
    }

    void meet_claim(const TaskMark& mark) {
        Lane* lane = lane_of(mark);
        if (lane == nullptr) {
            const Duration at = without_gap(mark.at);
            open_attempt(open_task(mark, to_string(mark.task_kind), at), mark, at);
            return;
        }
        close_leaf(*lane, mark.at);
        open_attempt(*lane, mark, mark.at);
    }

    void meet_end(const TaskMark& mark) {
        Lane* lane = lane_of(mark);
        if (lane == nullptr) {
            return;  // it never began
        }
        const Lane ended = *lane;
        close_leaf(ended, mark.at);
        if (ended.leaf_kind == Leaf::kAttempt) {
            if (ended.epoch == Epoch()) {
                name_attempt(*lane, mark);
            }
            tell_ending(ended.leaf, mark);
        }
        if (mark.kind == Kind::kReturned) {
            open_leaf(*lane, Leaf::kPause, "pause", mark.at);
            return;
        }
        Span& task = spans_.at(ended.task);
        task.end = moment(mark.at);
        note(ended.task, "tessera.outcome", std::string(outcome_of(mark)));
        if (mark.kind == Kind::kDead && mark.ending) {
            task.error = mark.ending->reason;
            first_error_ = first_error_.empty() ? mark.ending->reason : first_error_;
        }
        lanes_.erase(mark.task);
    }

    void tell_ending(Index attempt, const TaskMark& mark) {
        note(attempt, "tessera.outcome", std::string(outcome_of(mark)));
        if (!mark.ending) {
            return;
        }
        spans_.at(attempt).error = mark.ending->reason;
        if (mark.ending->lease_ran_out) {
            note(attempt, "tessera.lease", std::string("ran out"));
        }
        if (mark.ending->progress.steps > 0) {
            note(attempt, "tessera.step", std::int64_t{mark.ending->progress.step});
            note(attempt, "tessera.steps", std::int64_t{mark.ending->progress.steps});
        }
        open_stages(attempt, mark.ending->times);
    }

    /// The worker says how long its stages took, in their order: they are laid end to end, and what
    /// is left of the attempt is the way to the worker and back.
    void open_stages(Index attempt, const std::vector<StageTime>& times) {
        const SpanTime end = *spans_.at(attempt).end;
        SpanTime at = spans_.at(attempt).begin;
        for (const StageTime& time : times) {
            if (!(time.seconds > 0.0)) {
                continue;
            }
            const Index stage = open(attempt, std::string(stage_label(time.stage)), {});
            spans_[stage].begin = at;
            at = time.seconds < seconds_of(end - at) ? at + duration_of(time.seconds) : end;
            spans_[stage].end = at;
        }
        if (!times.empty() && at < end) {
            const Index rest = open(attempt, "hand over", {});
            spans_[rest].begin = at;
            spans_[rest].end = end;
        }
    }

    /// Nothing is known after the last mark.
    void close_truncated() {
        const Duration last = history_.marks.empty() ? history_.heard : history_.marks.back().at;
        for (const auto& [task, lane] : lanes_) {
            close_leaf(lane, last);
            spans_.at(lane.task).end = moment(last);
        }
        lanes_.clear();
        const Index rest = open(kJob, "not recorded", covered_to_);
        note(rest, "tessera.events_left_out", static_cast<std::int64_t>(history_.left_out));
        if (history_.ended) {
            covered_to_ = std::max(covered_to_, *history_.ended);
            spans_.at(rest).end = moment(covered_to_);
        }
    }

    void close_job() {
        for (const auto& [task, lane] : lanes_) {
            close_leaf(lane, *history_.ended);
            spans_.at(lane.task).end = moment(*history_.ended);
        }
        Span& job = spans_.at(kJob);
        // Between the last task's end and the news of the job's nothing happens.
        job.end = moment(covered_to_);
        if (history_.state == JobState::kFailed) {
            job.error = first_error_.empty() ? "the job failed" : first_error_;
        }
        note(kJob, "tessera.state", std::string(to_string(history_.state)));
    }

    const JobHistory& history_;
    std::vector<Span> spans_;
    std::unordered_map<int, Lane> lanes_;
    Duration covered_to_{};  ///< up to there something ended
    std::string first_error_;
};

}  // namespace

std::vector<Span> spans_of(const JobHistory& history) {
    return SpanMaker(history).make();
}

}  // namespace tessera
