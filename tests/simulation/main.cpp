#include "base/number.h"
#include "simulation.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace tessera::simulation;

struct Arguments {
    std::uint64_t first = 1;
    std::uint64_t seeds = 100;
    int tasks = 200;
    bool ok = true;
};

Arguments parse(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        const auto value =
            i + 1 < argc ? tessera::read_number<std::uint64_t>(argv[i + 1]) : std::nullopt;
        if (value && name == "--seeds") {
            arguments.seeds = *value;
        } else if (value && name == "--first") {
            arguments.first = *value;
        } else if (value && name == "--tasks") {
            arguments.tasks = static_cast<int>(*value);
        } else {
            arguments.ok = false;
        }
    }
    return arguments;
}

/// Memory is the quicker disk, and power does not fail here: that is the queue's own test.
std::filesystem::path scratch() {
    std::error_code error;
    const std::filesystem::path memory = "/dev/shm";
    const auto base = std::filesystem::is_directory(memory, error)
                          ? memory
                          : std::filesystem::temp_directory_path();
    return base / ("tessera-simulation-" + std::to_string(::getpid()));
}

void add(SimulationReport& sum, const SimulationReport& one) {
    sum.jobs += one.jobs;
    sum.tasks += one.tasks;
    sum.worker_kills += one.worker_kills;
    sum.crashes += one.crashes;
    sum.freezes += one.freezes;
    sum.partitions += one.partitions;
    sum.server_kills += one.server_kills;
    sum.duplicates += one.duplicates;
    sum.clock_jumps += one.clock_jumps;
    sum.renders += one.renders;
    sum.broken.insert(sum.broken.end(), one.broken.begin(), one.broken.end());
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments = parse(argc, argv);
    if (!arguments.ok) {
        std::fprintf(
            stderr,
            "tessera-simulation [--seeds N] [--first SEED] [--tasks N]\n"
            "Runs farms in virtual time, one for each seed, and checks that no promise is broken.\n"
            "A seed that fails fails again: --first SEED --seeds 1\n"
        );
        return 2;
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto folder = scratch();
    std::atomic<std::uint64_t> next = arguments.first;
    std::mutex mutex;
    SimulationReport sum;
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
            threads.emplace_back([&] {
                for (std::uint64_t seed = next++; seed < arguments.first + arguments.seeds;
                     seed = next++) {
                    SimulationPlan plan;
                    plan.seed = seed;
                    plan.tasks = arguments.tasks;
                    plan.folder = folder / std::to_string(seed);
                    const SimulationReport report = Simulation(plan).run();
                    const std::lock_guard lock(mutex);
                    add(sum, report);
                    for (const std::string& line : report.broken) {
                        std::printf("BROKEN %s\n", line.c_str());
                    }
                }
            });
        }
    }
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    std::printf(
        "%llu seeds, %zu jobs, %zu tasks, %zu renders; %zu worker kills (%zu crashes), %zu "
        "freezes, %zu broken links, %zu server kills, %zu duplicates, %zu clock jumps; %.1f s\n"
        "%zu promises broken\n",
        static_cast<unsigned long long>(arguments.seeds),
        sum.jobs,
        sum.tasks,
        sum.renders,
        sum.worker_kills,
        sum.crashes,
        sum.freezes,
        sum.partitions,
        sum.server_kills,
        sum.duplicates,
        sum.clock_jumps,
        spent.count(),
        sum.broken.size()
    );
    return sum.broken.empty() ? 0 : 1;
}
