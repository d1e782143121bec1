#include "api/native_internal.h"

#include <string_view>

namespace tessera::api {
namespace {

OrderedJson task_json(const ConnectedWorker::Task& task, Instant now) {
    return {
        {"task", to_string(task.id)},
        {"job", task.id.job.value},
        {"step", task.progress.step},
        {"steps", task.progress.steps},
        {"stage", task.progress.stage},
        {"seconds", seconds_of(now - task.since)},
    };
}

/// Tasks, and errors, which may quote prompts, are for administrators: they are other tenants' too.
OrderedJson worker_json(const ConnectedWorker& worker, bool is_admin, Instant now) {
    OrderedJson json;
    json["id"] = worker.view.id.value;
    json["node"] = worker.view.node;
    json["program"] = worker.program;
    json["fingerprint"] = worker.view.fingerprint;
    json["slots"] = worker.view.slots;
    json["running"] = worker.tasks.size();
    json["state"] = worker.view.draining ? "draining" : (worker.silent ? "silent" : "ready");
    json["models_loaded"] = worker.view.loaded;
    json["seconds_connected"] = seconds_of(now - worker.since);
    json["seconds_since_heartbeat"] = seconds_of(now - worker.last_beat);
    json["memory_bytes"] = worker.memory_bytes;
    json["done"] = worker.done;
    json["failed"] = worker.failed;
    OrderedJson kept_off = OrderedJson::array();
    for (const TaskKind kind : worker.view.kept_off) {
        kept_off.push_back(to_string(kind));
    }
    json["kept_off"] = std::move(kept_off);
    if (is_admin) {
        json["last_error"] = worker.last_error;
        json["tasks"] = OrderedJson::array();
        for (const ConnectedWorker::Task& task : worker.tasks) {
            json["tasks"].push_back(task_json(task, now));
        }
    }
    return json;
}

}  // namespace

void add_native_worker_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/workers",
        answering([parts](const http::Request& request, const Caller& caller) {
            OrderedJson workers = OrderedJson::array();
            for (const ConnectedWorker& worker : parts->dispatcher.workers()) {
                workers.push_back(
                    worker_json(worker, caller.role == Role::kAdmin, parts->clock.now())
                );
            }
            return json_answer(
                request,
                200,
                {{"workers", std::move(workers)},
                 {"backlog_seconds", parts->dispatcher.backlog_seconds()}}
            );
        })
    );
    router.add(
        "POST",
        "/api/v1/workers/{id}/drain",
        answering(
            [parts](const http::Request& request, const Caller& caller) -> Checked<http::Response> {
                TESSERA_TRY(require_admin(caller));
                const WorkerId id{parameter_of(request, "id")};
                TESSERA_TRY(parts->dispatcher.drain(id));
                return json_answer(request, 202, {{"id", id.value}, {"state", "draining"}});
            }
        )
    );
}

}  // namespace tessera::api
