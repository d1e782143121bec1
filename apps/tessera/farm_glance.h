#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::cli {

/// How a farm stands at one moment, by its server's answers. All words in it are the farm's, as
/// they came.
struct FarmGlance {
    struct Line {
        std::string priority;
        std::string tenant;
        std::size_t tasks = 0;
        double cost = 0.0;
        double oldest_seconds = 0.0;
    };
    struct Task {
        std::string id;
        std::string job;
        std::string stage;
        int step = 0;
        int steps = 0;
        double seconds = 0.0;  ///< since it was given to the worker
    };
    struct Worker {
        std::string id;
        std::string node;
        std::string state;
        std::vector<std::string> models;
        int slots = 0;
        int running = 0;
        std::vector<Task> tasks;        ///< empty for those who may not see them
        double steps_per_second = 0.0;  ///< of all its slots; see StepRates
        std::uint64_t memory_bytes = 0;
        std::size_t done = 0;
        std::size_t failed = 0;
        double beat_seconds = 0.0;  ///< since its last heartbeat
        std::string last_error;
    };
    struct Job {
        std::string id;
        std::string tenant;
        std::string state;
        std::string priority;
        double fraction = 0.0;
        std::size_t pictures = 0;
        std::size_t pictures_done = 0;
        std::string prompt;
    };

    std::size_t ready = 0;
    std::size_t running = 0;
    std::size_t blocked = 0;
    std::size_t delayed = 0;
    double backlog_seconds = 0.0;
    std::vector<Line> lines;
    std::vector<Worker> workers;
    std::vector<Job> jobs;

    /// Takes in the answer to GET /api/v1/queue; false when it is none.
    bool take_queue(std::string_view json);
    /// GET /api/v1/workers
    bool take_workers(std::string_view json);
    /// GET /api/v1/jobs; adds to the jobs.
    bool take_jobs(std::string_view json);
};

/// Speeds by how far tasks came between two glances.
class StepRates {
  public:
    /// Fills in Worker::steps_per_second. `now` in seconds, from any beginning.
    void rate(FarmGlance& glance, double now);

  private:
    struct Seen {
        int step = 0;
        double at = 0.0;
        double rate = 0.0;
    };
    std::map<std::pair<std::string, std::string>, Seen> tasks_;  ///< by worker and task
};

}  // namespace tessera::cli
