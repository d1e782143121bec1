#pragma once

#include "scheduler/farm_test.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <queue>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace tessera {

/// An open queue in virtual time: tasks arrive by chance, workers serve them as the scheduler says.
struct QueueingModel {
    std::vector<double> speeds;  ///< of workers with one slot each
    int models = 1;              ///< asked for by Zipf's law; a worker holds one
    double swap_seconds = 0.0;
    double mean_work = 8.0;  ///< seconds at speed 1
    double spread = 0.0;     ///< sigma of the lognormal distribution of the work
    double load = 0.85;      ///< work that arrives by work that can be done without swaps
    int tasks = 10'000;
    std::uint64_t seed = 1;
};

struct QueueingFigures {
    double mean_wait = 0.0;
    double late_mean_wait = 0.0;  ///< of the last fifth to arrive: much more when unstable
    double p99_sojourn = 0.0;
    double mean_sojourn = 0.0;
    double swap_rate = 0.0;  ///< swaps for each task

    void summarise(std::vector<double>& waits, std::vector<double>& sojourns) {
        const auto mean = [](auto from, auto to) {
            double sum = 0.0;
            for (auto value = from; value != to; ++value) {
                sum += *value;
            }
            return sum / static_cast<double>(to - from);
        };
        mean_wait = mean(waits.begin(), waits.end());
        late_mean_wait =
            mean(waits.end() - static_cast<std::ptrdiff_t>(waits.size() / 5), waits.end());
        mean_sojourn = mean(sojourns.begin(), sojourns.end());
        std::sort(sojourns.begin(), sojourns.end());
        p99_sojourn = sojourns[sojourns.size() * 99 / 100];
    }
};

class QueueingRun {
  public:
    explicit QueueingRun(const QueueingModel& model) : model_(model), chance_(model.seed) {
        double capacity = 0.0;
        for (const double speed : model.speeds) {
            capacity += speed;
        }
        double weights = 0.0;
        for (int i = 1; i <= model.models; ++i) {
            weights += 1.0 / i;
        }
        double at = 0.0;
        for (int i = 0; i < model.tasks; ++i) {
            at -= std::log(1.0 - chance_.unit()) * model.mean_work / (capacity * model.load);
            Arrival arrival{at, model.mean_work, 0};
            if (model.spread > 0.0) {
                const double normal = std::sqrt(-2.0 * std::log(1.0 - chance_.unit())) *
                                      std::cos(2.0 * std::numbers::pi * chance_.unit());
                arrival.work *= std::exp(model.spread * normal - model.spread * model.spread / 2.0);
            }
            double drawn = chance_.unit() * weights;
            while (arrival.model + 1 < model.models && drawn > 1.0 / (arrival.model + 1)) {
                drawn -= 1.0 / ++arrival.model;
            }
            arrivals_.push_back(arrival);
        }
    }

    [[nodiscard]] QueueingFigures with(const SchedulerSettings& settings) {
        TestFarm farm(settings, model_.seed);
        const Instant begin = farm.now;
        std::vector<std::string> names;
        for (int i = 0; i < model_.models; ++i) {
            names.push_back("model " + std::to_string(i));
        }
        for (std::size_t i = 0; i < model_.speeds.size(); ++i) {
            farm.join("w" + std::to_string(i), 1, names);
        }
        std::vector<int> loaded(model_.speeds.size(), 0);
        std::vector<double> waits(arrivals_.size());
        std::vector<double> sojourns(arrivals_.size());
        using End = std::tuple<double, int, Assignment, double>;
        const auto later = [](const End& a, const End& b) {
            return std::pair(std::get<0>(a), std::get<1>(a)) >
                   std::pair(std::get<0>(b), std::get<1>(b));
        };
        std::priority_queue<End, std::vector<End>, decltype(later)> ends(later);
        QueueingFigures figures;
        std::size_t arrived = 0;
        const double never = std::numeric_limits<double>::infinity();
        for (;;) {
            const double arrival_at = arrived < arrivals_.size() ? arrivals_[arrived].at : never;
            const double end_at = ends.empty() ? never : std::get<0>(ends.top());
            const auto ask_again = farm.scheduler.ask_again();
            const double ask_at = ask_again ? seconds_of(*ask_again - begin) : never;
            const double at = std::min({arrival_at, end_at, ask_at});
            if (at == never) {
                break;
            }
            farm.now = std::max(farm.now, begin + duration_of(at));
            const bool arrives = arrival_at == at;
            if (arrives) {
                ReadyTask task = TestFarm::task("job", static_cast<int>(arrived));
                task.cost = arrivals_[arrived].work;
                task.affinity = names[static_cast<std::size_t>(arrivals_[arrived].model)];
                farm.ready(task);
                ++arrived;
            } else if (end_at == at) {
                farm.end(std::get<2>(ends.top()), std::get<3>(ends.top()));
                ends.pop();
            }
            while (const auto assignment = farm.next()) {
                const auto worker =
                    static_cast<std::size_t>(std::stoi(assignment->worker.value.substr(1)));
                const auto task = static_cast<std::size_t>(assignment->task.index);
                const Arrival& arrival = arrivals_[task];
                double seconds = arrival.work / model_.speeds[worker];
                if (loaded[worker] != arrival.model) {
                    seconds += model_.swap_seconds;
                    figures.swap_rate += 1.0 / model_.tasks;
                    loaded[worker] = arrival.model;
                    std::vector<ModelOffer> offers;
                    for (int i = 0; i < model_.models; ++i) {
                        offers.push_back({names[static_cast<std::size_t>(i)], i == arrival.model});
                    }
                    farm.scheduler.worker_models(assignment->worker, offers);
                }
                waits[task] = at - arrival.at;
                sojourns[task] = at + seconds - arrival.at;
                ends.emplace(at + seconds, assignment->task.index, *assignment, seconds);
            }
        }
        figures.summarise(waits, sojourns);
        return figures;
    }

    /// For comparison: each task is bound to a worker when it arrives, one worker after the other.
    [[nodiscard]] QueueingFigures with_early_round_robin() const {
        std::vector<double> free_at(model_.speeds.size(), 0.0);
        std::vector<double> waits;
        std::vector<double> sojourns;
        for (std::size_t i = 0; i < arrivals_.size(); ++i) {
            const std::size_t worker = i % model_.speeds.size();
            const double start = std::max(free_at[worker], arrivals_[i].at);
            free_at[worker] = start + arrivals_[i].work / model_.speeds[worker];
            waits.push_back(start - arrivals_[i].at);
            sojourns.push_back(free_at[worker] - arrivals_[i].at);
        }
        QueueingFigures figures;
        figures.summarise(waits, sojourns);
        return figures;
    }

  private:
    struct Arrival {
        double at = 0.0;
        double work = 0.0;
        int model = 0;
    };
    QueueingModel model_;
    SeededEntropy chance_;
    std::vector<Arrival> arrivals_;
};

}  // namespace tessera
