#pragma once

#include "base/clock.h"
#include "telemetry/metrics.h"

namespace tessera {

class Dispatcher;

/// What a dispatcher counts as it goes.
struct DispatchMetrics {
    explicit DispatchMetrics(Metrics& metrics);

    Histogram decision;
    Histogram estimate_ratio;
    Counter stale_commits;
    Counter workers_lost;
};

/// What is read off it when somebody looks: the workers, what waits for them, and how long.
void write_metrics(const Dispatcher& dispatcher, Instant now, MetricWriter& writer);

}  // namespace tessera
