#include "tessera/farm_glance.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;

/// A field of the kind that is expected; anything else counts as missing: a server may be newer, or
/// lie.
std::string text(const Json& json, const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number(const Json& json, const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
}

template <class T>
T count(const Json& json, const char* name) {
    constexpr double kMost = 1e15;
    constexpr auto kMostHere = static_cast<double>(std::numeric_limits<T>::max());
    return static_cast<T>(std::clamp(number(json, name), 0.0, std::min(kMost, kMostHere)));
}

/// The objects of a list.
std::vector<Json> objects(const Json& json, const char* name) {
    std::vector<Json> all;
    if (const auto found = json.find(name); found != json.end() && found->is_array()) {
        std::copy_if(found->begin(), found->end(), std::back_inserter(all), [](const Json& each) {
            return each.is_object();
        });
    }
    return all;
}

FarmGlance::Task task_of(const Json& json) {
    FarmGlance::Task task;
    task.id = text(json, "task");
    task.job = text(json, "job");
    task.stage = text(json, "stage");
    task.step = count<int>(json, "step");
    task.steps = count<int>(json, "steps");
    task.seconds = number(json, "seconds");
    return task;
}

FarmGlance::Worker worker_of(const Json& json) {
    FarmGlance::Worker worker;
    worker.id = text(json, "id");
    worker.node = text(json, "node");
    worker.state = text(json, "state");
    if (const auto models = json.find("models_loaded");
        models != json.end() && models->is_array()) {
        for (const Json& model : *models) {
            if (model.is_string()) {
                worker.models.push_back(model.get<std::string>());
            }
        }
    }
    worker.slots = count<int>(json, "slots");
    worker.running = count<int>(json, "running");
    for (const Json& task : objects(json, "tasks")) {
        worker.tasks.push_back(task_of(task));
    }
    worker.memory_bytes = count<std::uint64_t>(json, "memory_bytes");
    worker.done = count<std::size_t>(json, "done");
    worker.failed = count<std::size_t>(json, "failed");
    worker.beat_seconds = number(json, "seconds_since_heartbeat");
    worker.last_error = text(json, "last_error");
    return worker;
}

}  // namespace

bool FarmGlance::take_queue(std::string_view json) {
    const Json answer = Json::parse(json, nullptr, false);
    if (!answer.is_object()) {
        return false;
    }
    ready = count<std::size_t>(answer, "ready");
    running = count<std::size_t>(answer, "running");
    blocked = count<std::size_t>(answer, "blocked");
    delayed = count<std::size_t>(answer, "delayed");
    backlog_seconds = number(answer, "backlog_seconds");
    for (const Json& each : objects(answer, "lines")) {
        lines.push_back(
            {text(each, "priority"),
             text(each, "tenant"),
             count<std::size_t>(each, "tasks"),
             number(each, "cost"),
             number(each, "oldest_seconds")}
        );
    }
    return true;
}

bool FarmGlance::take_workers(std::string_view json) {
    const Json answer = Json::parse(json, nullptr, false);
    if (!answer.is_object()) {
        return false;
    }
    for (const Json& each : objects(answer, "workers")) {
        workers.push_back(worker_of(each));
    }
    return true;
}

bool FarmGlance::take_jobs(std::string_view json) {
    const Json answer = Json::parse(json, nullptr, false);
    if (!answer.is_object()) {
        return false;
    }
    for (const Json& each : objects(answer, "jobs")) {
        const auto spec = each.find("spec");
        const Json words = spec != each.end() && spec->is_object() ? *spec : Json::object();
        Job job;
        job.id = text(each, "id");
        job.tenant = text(each, "tenant");
        job.state = text(each, "state");
        job.priority = text(words, "priority");
        job.fraction = std::clamp(number(each, "fraction"), 0.0, 1.0);
        job.pictures = count<std::size_t>(each, "pictures");
        job.pictures_done = count<std::size_t>(each, "pictures_done");
        job.prompt = words.contains("prompt") ? text(words, "prompt") : text(words, "kind");
        jobs.push_back(std::move(job));
    }
    return true;
}

void StepRates::rate(FarmGlance& glance, double now) {
    std::map<std::pair<std::string, std::string>, Seen> seen;
    for (FarmGlance::Worker& worker : glance.workers) {
        worker.steps_per_second = 0.0;
        for (const FarmGlance::Task& task : worker.tasks) {
            const auto key = std::make_pair(worker.id, task.id);
            const auto before = tasks_.find(key);
            Seen is{task.step, now, 0.0};
            if (before != tasks_.end() && task.step >= before->second.step) {
                is = before->second;
                // A step may take longer than the time between glances: the speed holds until the
                // next one is done, or would have been done at half of it.
                const double passed = now - is.at;
                if (task.step > is.step && passed > 0.0) {
                    is = {task.step, now, (task.step - is.step) / passed};
                } else if (is.rate > 0.0 && passed * is.rate > 2.0) {
                    is.rate = 1.0 / passed;
                }
            }
            worker.steps_per_second += is.rate;
            seen.emplace(key, is);
        }
    }
    tasks_ = std::move(seen);
}

}  // namespace tessera::cli
