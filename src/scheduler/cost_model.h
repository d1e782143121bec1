#pragma once

#include "base/clock.h"

#include <string>
#include <unordered_map>

namespace tessera {

/// A measured quantity that drifts: an exponentially weighted mean in which a sample's weight is
/// halved by the ten that follow it. The first samples count alike.
class Learned {
  public:
    void learn(double value, Instant now);
    [[nodiscard]] bool known() const { return samples_ > 0; }
    /// Ten minutes after the last sample it begins to move towards `usual`, and is that after ten
    /// more; without samples it is `usual`.
    [[nodiscard]] double at(Instant now, double usual) const;

  private:
    double mean_ = 0.0;
    int samples_ = 0;
    Instant updated_{};
};

/// A running median, whoever the samples come from: each moves it a little to its side.
class RunningMedian {
  public:
    explicit RunningMedian(double assumed) : value_(assumed) {}
    void learn(double value);
    [[nodiscard]] bool known() const { return samples_ > 0; }
    [[nodiscard]] double value() const { return value_; }

  private:
    double value_;
    int samples_ = 0;
};

/// What the workers of one node have shown with one sort of task. Outlives them: a worker that
/// comes anew begins with it.
struct NodeCosts {
    Learned seconds_per_cost;
    Learned swap_seconds;
};

/// What one sort of task (kind and model) takes: by node, and as a whole.
class CostModel {
  public:
    CostModel(double seconds_per_cost, double swap_seconds)
        : seconds_per_cost_(seconds_per_cost), swap_seconds_(swap_seconds) {}

    /// Stays where it is.
    [[nodiscard]] NodeCosts& node(const std::string& name) { return nodes_[name]; }

    /// The usual worker's.
    [[nodiscard]] double seconds_per_cost() const { return seconds_per_cost_.value(); }
    [[nodiscard]] double swap_seconds() const { return swap_seconds_.value(); }

    [[nodiscard]] double seconds_per_cost(const Learned& own, const NodeCosts& node, Instant now)
        const {
        return own.at(now, node.seconds_per_cost.at(now, seconds_per_cost_.value()));
    }
    [[nodiscard]] double swap_seconds(const NodeCosts& node, Instant now) const {
        return node.swap_seconds.at(now, swap_seconds_.value());
    }

    /// A task of that cost took so long. With a swap, what is above the expected is the swap's,
    /// once anything is known of the work itself.
    void learn(Learned& own, NodeCosts& node, double cost, double seconds, bool swap, Instant now);

  private:
    std::unordered_map<std::string, NodeCosts> nodes_;
    RunningMedian seconds_per_cost_;
    RunningMedian swap_seconds_;
};

}  // namespace tessera
