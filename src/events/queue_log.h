#pragma once

#include "queue/task_queue.h"
#include "telemetry/log.h"

#include <functional>
#include <optional>

namespace tessera {

/// Writes down what happens to jobs and tasks: accepted, given to a worker, failed, lost, done.
/// What the person wrote (prompts) is hidden unless `prompts` says otherwise. Thread-safe.
class QueueLog {
  public:
    /// For prompt and trace of a job; nothing when it is not known any more.
    using Jobs = std::function<std::optional<JobView>(const JobId&)>;

    /// The log must outlive it.
    QueueLog(Log& log, Jobs jobs, bool prompts)
        : log_(log), jobs_(std::move(jobs)), prompts_(prompts) {}

    /// For TaskQueue::watch.
    void hear(const QueueEvent& event) const;

  private:
    void write(LogLevel level, const QueueEvent& event, std::string message) const;

    Log& log_;
    const Jobs jobs_;
    const bool prompts_;
};

/// The texts of a job that a person wrote, for without_words.
[[nodiscard]] std::vector<std::string> private_words(const JobSpec& spec);

}  // namespace tessera
