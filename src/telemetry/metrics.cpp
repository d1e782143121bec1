#include "telemetry/metrics.h"

#include "base/utf8.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kLongestLabel = 128;
constexpr std::string_view kOther = "other";

using Values = std::vector<std::string>;

std::size_t label_count(const MetricFamily& family) {
    return static_cast<std::size_t>(std::ranges::count_if(family.labels, [](std::string_view name) {
        return !name.empty();
    }));
}

/// As many as the family has labels, none of them harmful.
template <class Given>
Values values_of(const MetricFamily& family, const Given& given) {
    Values values;
    for (const std::string_view value : given) {
        const bool is_fine = value.size() <= kLongestLabel && check_utf8(value).has_value();
        values.emplace_back(is_fine ? value : kOther);
    }
    values.resize(label_count(family));
    return values;
}

prometheus::MetricType type_of(MetricKind kind) {
    switch (kind) {
        case MetricKind::kCounter:
            return prometheus::MetricType::Counter;
        case MetricKind::kHistogram:
            return prometheus::MetricType::Histogram;
        default:
            return prometheus::MetricType::Gauge;
    }
}

/// One line of a family, or with a histogram some. One of the three is there.
struct Series {
    std::unique_ptr<prometheus::Counter> counter;
    std::unique_ptr<prometheus::Gauge> gauge;
    std::unique_ptr<prometheus::Histogram> histogram;
    // What take_changes has given away.
    double taken_sum = 0.0;
    std::vector<std::uint64_t> taken_buckets;

    explicit Series(const MetricFamily& family) {
        switch (family.kind) {
            case MetricKind::kCounter:
                counter = std::make_unique<prometheus::Counter>();
                break;
            case MetricKind::kGauge:
                gauge = std::make_unique<prometheus::Gauge>();
                break;
            case MetricKind::kHistogram:
                histogram = std::make_unique<prometheus::Histogram>(
                    std::vector<double>(family.bounds.begin(), family.bounds.end())
                );
                taken_buckets.resize(family.bounds.size() + 1);
                break;
        }
    }

    [[nodiscard]] prometheus::ClientMetric collect() const {
        return counter ? counter->Collect() : gauge ? gauge->Collect() : histogram->Collect();
    }

    /// False: nothing has changed.
    bool take(MetricChange& change) {
        if (gauge) {
            return false;
        }
        const prometheus::ClientMetric now = collect();
        const double sum = counter ? now.counter.value : now.histogram.sample_sum;
        change.sum = sum - std::exchange(taken_sum, sum);
        std::uint64_t below = 0;
        std::uint64_t observed = 0;
        for (std::size_t i = 0; i < taken_buckets.size(); ++i) {
            const std::uint64_t up_to = now.histogram.bucket[i].cumulative_count;
            const std::uint64_t in_it = up_to - std::exchange(below, up_to);
            change.buckets.push_back(in_it - std::exchange(taken_buckets[i], in_it));
            observed += change.buckets.back();
        }
        return change.sum != 0.0 || observed > 0;
    }
};

struct Family {
    const MetricFamily* what = nullptr;
    std::map<Values, Series> series;

    Series& at(Values values) {
        if (const auto found = series.find(values); found != series.end()) {
            return found->second;
        }
        if (series.size() + 1 >= what->most_series) {
            values.assign(values.size(), std::string(kOther));
        }
        return series.try_emplace(std::move(values), *what).first->second;
    }
};

prometheus::ClientMetric labelled(
    prometheus::ClientMetric metric, const MetricFamily& family, const Values& values
) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        metric.label.push_back({std::string(family.labels[i]), values[i]});
    }
    return metric;
}

using Collected = std::map<std::string_view, prometheus::MetricFamily>;

prometheus::MetricFamily& entry(Collected& all, const MetricFamily& family) {
    prometheus::MetricFamily& its = all[family.name];
    if (its.name.empty()) {
        its.name = family.name;
        its.help = family.help;
        its.type = type_of(family.kind);
    }
    return its;
}

class CollectingWriter final : public MetricWriter {
  public:
    explicit CollectingWriter(Collected& all) : all_(all) {}

    void write(const MetricFamily& family, LabelValues labels, double value) override {
        prometheus::MetricFamily& its = entry(all_, family);
        Values values = values_of(family, labels);
        const Values rest_of_all(values.size(), std::string(kOther));
        const bool is_full = its.metric.size() + 1 >= family.most_series;
        if (!values.empty() && (is_full || values == rest_of_all)) {
            values = rest_of_all;
            if (const auto rest = others_.find(family.name); rest != others_.end()) {
                value_of(its.metric[rest->second], family) += value;
                return;
            }
            others_.emplace(family.name, its.metric.size());
        }
        prometheus::ClientMetric metric;
        value_of(metric, family) = value;
        its.metric.push_back(labelled(std::move(metric), family, values));
    }

  private:
    static double& value_of(prometheus::ClientMetric& metric, const MetricFamily& family) {
        return family.kind == MetricKind::kCounter ? metric.counter.value : metric.gauge.value;
    }

    Collected& all_;
    std::map<std::string_view, std::size_t> others_;  ///< where the rest of a family is added up
};

}  // namespace

void Counter::add(double more) const {
    counter_->Increment(more);
}

void Gauge::set(double value) const {
    gauge_->Set(value);
}

void Gauge::add(double more) const {
    gauge_->Increment(more);
}

void Histogram::observe(double value) const {
    histogram_->Observe(value);
}

struct Metrics::State {
    std::mutex mutex;  // guards families
    std::map<std::string_view, Family> families;
    std::mutex collecting;  // guards collectors, and is held while they are asked
    std::list<Collector> collectors;

    Series& series(const MetricFamily& family, Values values) {
        Family& its = families[family.name];
        its.what = &family;
        return its.at(std::move(values));
    }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const MetricFamily& family, LabelValues labels) {
    const std::lock_guard lock(state_->mutex);
    return Counter(state_->series(family, values_of(family, labels)).counter.get());
}

Gauge Metrics::gauge(const MetricFamily& family, LabelValues labels) {
    const std::lock_guard lock(state_->mutex);
    return Gauge(state_->series(family, values_of(family, labels)).gauge.get());
}

Histogram Metrics::histogram(const MetricFamily& family, LabelValues labels) {
    const std::lock_guard lock(state_->mutex);
    return Histogram(state_->series(family, values_of(family, labels)).histogram.get());
}

std::shared_ptr<void> Metrics::collect(Collector collector) {
    const std::lock_guard lock(state_->collecting);
    const auto place = state_->collectors.insert(state_->collectors.end(), std::move(collector));
    return {state_.get(), [place](State* state) {
                const std::lock_guard guard(state->collecting);
                state->collectors.erase(place);
            }};
}

std::string Metrics::text() const {
    Collected all;
    {
        const std::lock_guard lock(state_->collecting);
        CollectingWriter writer(all);
        for (const Collector& collector : state_->collectors) {
            collector(writer);
        }
    }
    {
        const std::lock_guard lock(state_->mutex);
        for (const auto& [name, family] : state_->families) {
            prometheus::MetricFamily& its = entry(all, *family.what);
            for (const auto& [values, series] : family.series) {
                its.metric.push_back(labelled(series.collect(), *family.what, values));
            }
        }
    }
    std::vector<prometheus::MetricFamily> families;
    families.reserve(all.size());
    for (auto& [name, family] : all) {
        families.push_back(std::move(family));
    }
    return prometheus::TextSerializer().Serialize(families);
}

std::vector<MetricChange> Metrics::take_changes() {
    std::vector<MetricChange> changes;
    const std::lock_guard lock(state_->mutex);
    for (auto& [name, family] : state_->families) {
        for (auto& [values, series] : family.series) {
            MetricChange change{std::string(name), values, 0.0, {}};
            if (series.take(change)) {
                changes.push_back(std::move(change));
            }
        }
    }
    return changes;
}

bool Metrics::apply(const MetricFamily& family, const MetricChange& change) {
    const bool is_histogram = family.kind == MetricKind::kHistogram;
    const std::size_t buckets = is_histogram ? family.bounds.size() + 1 : 0;
    if (family.name != change.name || family.kind == MetricKind::kGauge ||
        change.labels.size() != label_count(family) || change.buckets.size() != buckets ||
        !std::isfinite(change.sum) || change.sum < 0.0) {
        return false;
    }
    const std::lock_guard lock(state_->mutex);
    Series& series = state_->series(family, values_of(family, change.labels));
    if (is_histogram) {
        series.histogram->ObserveMultiple(
            {change.buckets.begin(), change.buckets.end()}, change.sum
        );
    } else {
        series.counter->Increment(change.sum);
    }
    return true;
}

}  // namespace tessera
