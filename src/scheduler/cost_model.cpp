#include "scheduler/cost_model.h"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

constexpr double kLeastWeight = 0.067;  // 1 - 2^(-1/10): half-life of ten samples
constexpr Duration kStaleAfter = std::chrono::minutes(10);
constexpr double kMedianStep = 0.03;
constexpr double kLeastCost = 1e-6;

}  // namespace

void Learned::learn(double value, Instant now) {
    ++samples_;
    const double weight = std::max(kLeastWeight, 1.0 / samples_);
    mean_ += weight * (value - mean_);
    updated_ = now;
    samples_ = std::min(samples_, 1000);
}

double Learned::at(Instant now, double usual) const {
    if (samples_ == 0) {
        return usual;
    }
    const Duration age = now - updated_;
    if (age <= kStaleAfter) {
        return mean_;
    }
    const double faded = std::min(1.0, seconds_of(age - kStaleAfter) / seconds_of(kStaleAfter));
    return mean_ + faded * (usual - mean_);
}

void RunningMedian::learn(double value) {
    if (samples_ == 0) {
        value_ = value;
    } else {
        // In proportion, so that it needs no scale; never past the sample itself.
        const double step = 1.0 + std::max(kMedianStep, 1.0 / (samples_ + 1));
        value_ = value > value_ ? std::min(value, std::max(value_ * step, kLeastCost))
                                : std::max(value, value_ / step);
    }
    samples_ = std::min(samples_ + 1, 1000);
}

void CostModel::learn(
    Learned& own, NodeCosts& node, double cost, double seconds, bool swap, Instant now
) {
    cost = std::max(cost, kLeastCost);
    if (!swap) {
        const double sample = seconds / cost;
        own.learn(sample, now);
        node.seconds_per_cost.learn(sample, now);
        seconds_per_cost_.learn(sample);
        return;
    }
    if (seconds_per_cost_.known()) {
        const double sample = std::max(0.0, seconds - cost * seconds_per_cost(own, node, now));
        node.swap_seconds.learn(sample, now);
        swap_seconds_.learn(sample);
        return;
    }
    // The very first task: how it divides is a guess, which goes to the whole alone, so that the
    // first task without a swap replaces it for worker and node.
    const double work = std::max(seconds - swap_seconds(node, now), seconds / 2.0);
    seconds_per_cost_.learn(work / cost);
}

}  // namespace tessera
