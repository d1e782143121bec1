#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace tessera {

enum class MetricKind : std::uint8_t { kCounter, kGauge, kHistogram };

inline constexpr std::size_t kMostLabels = 3;

/// What is measured under one name. Names, units and label names follow Prometheus' conventions:
/// prefix tessera_, base units, counters end in _total. Lives as long as the program.
struct MetricFamily {
    std::string_view name;
    MetricKind kind = MetricKind::kGauge;
    std::string_view help;                               ///< one sentence
    std::array<std::string_view, kMostLabels> labels{};  ///< names; the rest is empty
    std::span<const double> bounds{};                    ///< of a histogram's buckets, rising
    /// Label values come from outside: series beyond so many are counted as one, whose label values
    /// are all "other".
    std::size_t most_series = 256;
};

/// Values of a family's labels, in its order.
using LabelValues = std::initializer_list<std::string_view>;

// Handles: cheap to copy, valid as long as the Metrics they come from, thread-safe.

class Counter {
  public:
    void add(double more = 1.0) const;  ///< not negative

  private:
    friend class Metrics;
    explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
    prometheus::Counter* counter_;
};

class Gauge {
  public:
    void set(double value) const;
    void add(double more) const;

  private:
    friend class Metrics;
    explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
    prometheus::Gauge* gauge_;
};

class Histogram {
  public:
    void observe(double value) const;

  private:
    friend class Metrics;
    explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
    prometheus::Histogram* histogram_;
};

/// What was added to a counter or histogram since it was last asked for.
struct MetricChange {
    std::string name;                 ///< the family's
    std::vector<std::string> labels;  ///< values
    double sum = 0.0;  ///< added to a counter; of a histogram, of all observed values
    /// Of a histogram: observations in each bucket, the last one being without bound. Else empty.
    std::vector<std::uint64_t> buckets;

    bool operator==(const MetricChange&) const = default;
};

/// Where values that are known only when somebody looks are written.
class MetricWriter {
  public:
    virtual ~MetricWriter() = default;
    /// Of a gauge, or of a counter that somebody else counts. Series are told apart by their
    /// labels: each is written once, those that matter most first, as the rest may be added up as
    /// "other".
    virtual void write(const MetricFamily& family, LabelValues labels, double value) = 0;
};

/// All that is measured in one process. Thread-safe.
///
/// The first call for a series makes it, and costs a look into a map; hold the handle where it
/// counts. Label values longer than 128 bytes, or which are no UTF-8, become "other".
class Metrics {
  public:
    using Collector = std::function<void(MetricWriter&)>;

    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    [[nodiscard]] Counter counter(const MetricFamily& family, LabelValues labels = {});
    [[nodiscard]] Gauge gauge(const MetricFamily& family, LabelValues labels = {});
    [[nodiscard]] Histogram histogram(const MetricFamily& family, LabelValues labels = {});

    /// Asked at each `text`, on its thread, until the handle is dropped; dropping waits for a call
    /// under way.
    [[nodiscard]] std::shared_ptr<void> collect(Collector collector);

    /// Everything, in Prometheus' text format 0.0.4, families by name.
    [[nodiscard]] std::string text() const;

    /// What counters and histograms have gained since the last call; for one caller.
    [[nodiscard]] std::vector<MetricChange> take_changes();
    /// Adds what another process measured. False: `family` is not what the change is about, or it
    /// makes no sense.
    bool apply(const MetricFamily& family, const MetricChange& change);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tessera
