#include "simulated_work.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <string>

namespace tessera::simulation {

SimulatedRender begin_render(const TaskId& task) {
    return {std::stoull(sha256_hex(as_bytes(to_string(task))).substr(0, 16), nullptr, 16), 0};
}

TaskNature nature_of(const JobSpec& spec, const TaskId& task) {
    const std::uint64_t chance = begin_render(task).state;
    TaskNature nature;
    nature.steps = 2 + static_cast<int>(chance % 7);
    if (spec.render.prompt == "poison") {
        nature.own_failures = 1'000;
    } else if (spec.render.prompt == "flaky") {
        nature.own_failures = 1 + static_cast<int>(chance % 2);
    }
    return nature;
}

ObjectRef object_of(const SimulatedRender& render) {
    // 16 digits of state, 8 of step, and zeros: shaped like a hash, and readable again.
    return {
        fmt::format("{:016x}{:08x}{:040x}", render.state, render.step, 0),
        1,
        "application/octet-stream"};
}

SimulatedRender render_of(const TaskCheckpoint& checkpoint) {
    const std::string& digits = checkpoint.object.sha256;
    return {
        std::stoull(digits.substr(0, 16), nullptr, 16),
        static_cast<int>(std::stoul(digits.substr(16, 8), nullptr, 16))};
}

ObjectRef expected_result(const JobSpec& spec, const TaskId& task) {
    SimulatedRender render = begin_render(task);
    for (int i = nature_of(spec, task).steps; i > 0; --i) {
        render.advance();
    }
    return object_of(render);
}

}  // namespace tessera::simulation
