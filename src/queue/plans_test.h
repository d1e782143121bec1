#pragma once

#include "job/task.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

/// A hash that is none of anything.
[[nodiscard]] inline std::string test_hash(unsigned number) {
    return fmt::format("{:064x}", number);
}

/// A job whose i-th task needs needs[i]; the last one publishes.
[[nodiscard]] inline JobPlan test_plan(
    std::vector<std::vector<int>> needs = {{}}, const std::string& tenant = "alice"
) {
    JobPlan plan;
    plan.spec.tenant = tenant;
    plan.spec.render.prompt = "a lighthouse by the sea";
    plan.recipe = R"({"prompt":"a lighthouse by the sea"})";
    plan.affinity = "demo:1234";
    plan.units.resize(1);
    for (auto& list : needs) {
        TaskPlan task;
        task.needs = std::move(list);
        task.cost = 2.0;
        plan.tasks.push_back(std::move(task));
    }
    plan.tasks.back().publishes = true;
    return plan;
}

/// A job of that many pictures.
[[nodiscard]] inline JobPlan test_pictures(std::size_t count) {
    JobPlan plan = test_plan(std::vector<std::vector<int>>(count));
    plan.units.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        plan.tasks[i].unit = static_cast<int>(i);
        plan.tasks[i].publishes = true;
    }
    return plan;
}

[[nodiscard]] inline TaskResult test_result(unsigned number = 1) {
    TaskResult result;
    result.object = {test_hash(number), 1000, "image/png"};
    result.fingerprint = "cpu";
    result.times = {{"steps", 1.5}};
    result.recipe = R"({"seed":1})";
    result.width = 512;
    result.height = 512;
    return result;
}

[[nodiscard]] inline TaskCheckpoint test_checkpoint(int step) {
    return {
        {test_hash(1000U + static_cast<unsigned>(step)), 77, "application/octet-stream"},
        step,
        "cpu"};
}

[[nodiscard]] inline TaskFailure own_failure(std::string log = "") {
    return {FaultKind::kTask, true, "the render crashed", std::move(log)};
}

[[nodiscard]] inline TaskFailure infrastructure_failure() {
    return {FaultKind::kInfrastructure, true, "the store is away", ""};
}

}  // namespace tessera
