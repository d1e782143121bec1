#!/usr/bin/env python3
"""Writes Grafana's dashboards: what they show is in this file, how Grafana spells it follows.

    monitor/grafana/make_dashboards.py            # into monitor/grafana/dashboards/
    monitor/grafana/make_dashboards.py --check    # 1 if what is there is not what this would write

In a query, @ stands for the farm that was chosen above the dashboard.
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "dashboards"
RATE = "[$__rate_interval]"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24


# ---- What is shown ----

def overview():
    return dashboard("tessera-overview", "Tessera: the farm", "What waits, who works, what goes wrong.", [
        row("Now", [
            stat("Tasks that wait", 'sum(tessera_queue_tasks{@, state="ready"})',
                 help="Ready, and not claimed by a worker."),
            stat("Time for what waits", "tessera_backlog_seconds{@}", "s",
                 help="With the workers that are there."),
            stat("Oldest task waits", "max(tessera_queue_oldest_task_age_seconds{@})", "s"),
            stat("Workers", "sum(tessera_workers{@})", steps=[("red", None), ("green", 1)]),
            stat("Slots at work", "instance:tessera_worker_utilisation:ratio_rate5m{@}", "percentunit",
                 help="Over five minutes."),
            stat("Jobs that failed", "instance:tessera_jobs_failed:ratio_increase1h{@}", "percentunit",
                 help="Of those that ended within the hour and were not cancelled. The budget is 1 %.",
                 steps=[("green", None), ("orange", 0.01), ("red", 0.1)]),
        ]),
        row("Queue", [
            lines("Tasks that wait, by class", [
                ("sum by (class) (tessera_queue_waiting_tasks{@})", "{{class}}")], stacked=True),
            lines("The oldest of them", [
                ("tessera_queue_oldest_task_age_seconds{@}", "{{class}}")], "s"),
            lines("Tasks by state", [
                ("sum by (state) (tessera_queue_tasks{@})", "{{state}}")], stacked=True,
                help="Blocked tasks wait for other tasks, delayed ones for their next attempt."),
            lines("Work that waits", [
                ("tessera_queue_waiting_megapixel_steps{@}", "megapixel steps")]),
        ]),
        row("Work", [
            lines("Pictures a minute", [
                (f"60 * sum(rate(tessera_pictures_total{{@}}{RATE}))", "pictures")]),
            lines("Jobs a minute", [
                (f"60 * rate(tessera_jobs_submitted_total{{@}}{RATE})", "submitted"),
                (f"60 * sum by (state) (rate(tessera_jobs_ended_total{{@}}{RATE}))", "{{state}}")]),
            lines("Slots", [
                ("sum(tessera_worker_slots{@})", "there"),
                ("sum(tessera_worker_tasks{@})", "in use")]),
            lines("Workers by state", [
                ("sum by (state) (tessera_workers{@})", "{{state}}")], stacked=True),
            lines("Attempts a minute, by outcome", [
                (f"60 * sum by (outcome) (rate(tessera_task_attempts_total{{@}}{RATE}))",
                 "{{outcome}}")]),
            lines("Where workers' time goes", [
                (f"sum by (stage) (rate(tessera_stage_seconds_sum{{@}}{RATE}))", "{{stage}}")],
                stacked=True, help="Seconds of work in each second, all workers together."),
        ]),
        row("Trouble", [
            lines("What went wrong, in the last five minutes", [
                ("sum by (reason) (increase(tessera_task_retries_total{@}[5m]))", "retried: {{reason}}"),
                ("increase(tessera_dead_tasks_total{@}[5m])", "given up"),
                ("increase(tessera_lease_expiries_total{@}[5m])", "leases expired"),
                ("increase(tessera_stale_commits_total{@}[5m])", "stale commits"),
                ("increase(tessera_workers_lost_total{@}[5m])", "workers lost")]),
            lines("Answers a second, by status", [
                (f"sum by (code) (rate(tessera_http_requests_total{{@}}{RATE}))", "{{code}}")],
                "reqps"),
            lines("Memory", [
                ("tessera_server_resident_memory_bytes{@}", "server"),
                ("sum by (node) (tessera_worker_resident_memory_bytes{@})", "workers on {{node}}")],
                "bytes"),
            lines("Object store", [
                ("tessera_store_bytes{@}", "held"),
                ("tessera_store_free_bytes{@}", "free")], "bytes"),
        ]),
    ])


def latency():
    return dashboard("tessera-latency", "Tessera: time of jobs", "How long users wait, and for what.", [
        row("Users wait", [
            lines("From submitted to done: 95 of 100 are faster", [
                (quantile(0.95, "tessera_job_seconds", "class"), "{{class}}")], "s"),
            lines("From submitted to done: half are faster", [
                (quantile(0.5, "tessera_job_seconds", "class"), "{{class}}")], "s"),
            lines("A task waits for a worker: 95 of 100 less", [
                (quantile(0.95, "tessera_task_wait_seconds", "class"), "{{class}}")], "s"),
            heatmap("How long tasks wait", "tessera_task_wait_seconds"),
        ]),
        row("Tasks take", [
            lines("From claimed to done, half of them", [
                (quantile(0.5, "tessera_task_run_seconds", "kind, model"), "{{kind}} {{model}}")], "s"),
            lines("From claimed to done, 95 of 100", [
                (quantile(0.95, "tessera_task_run_seconds", "kind, model"), "{{kind}} {{model}}")], "s"),
            lines("A stage on average", [
                (f"sum by (stage) (rate(tessera_stage_seconds_sum{{@}}{RATE}))"
                 f" / sum by (stage) (rate(tessera_stage_seconds_count{{@}}{RATE}))", "{{stage}}")], "s"),
            lines("A step, half of them and 95 of 100", [
                (quantile(0.5, "tessera_render_step_seconds", "model"), "{{model}}"),
                (quantile(0.95, "tessera_render_step_seconds", "model"), "{{model}}, 95 of 100")], "s"),
        ]),
        row("The farm's own part", [
            lines("To choose a task and a worker", [
                (quantile(0.5, "tessera_scheduler_decision_seconds"), "half"),
                (quantile(0.99, "tessera_scheduler_decision_seconds"), "99 of 100")], "s"),
            lines("Time taken to time expected", [
                (quantile(0.1, "tessera_estimate_ratio"), "10 of 100"),
                (quantile(0.5, "tessera_estimate_ratio"), "half"),
                (quantile(0.9, "tessera_estimate_ratio"), "90 of 100")],
                help="1: as expected. The scheduler plans with these expectations."),
            lines("Answers, 95 of 100, by route", [
                (quantile(0.95, "tessera_http_request_seconds", "route"), "{{route}}")], "s",
                help="Streams and long waits count as long as they last."),
            lines("Object store, 95 of 100", [
                (quantile(0.95, "tessera_store_request_seconds", "operation"), "{{operation}}")], "s"),
            lines("Time to make a model ready, half of them", [
                (quantile(0.5, "tessera_model_load_seconds", interval="[1h]"), "a model")], "s"),
            lines("Answers a second, by route", [
                (f"sum by (route) (rate(tessera_http_requests_total{{@}}{RATE}))", "{{route}}")], "reqps"),
        ]),
    ])


def workers():
    chosen = '@, worker=~"$worker"'
    name = "{{worker}} on {{node}}"
    return dashboard("tessera-workers", "Tessera: workers", "Each worker: load, memory, silence.", [
        row("Workers", [
            lines("Share of its slots at work", [
                (f"rate(tessera_worker_busy_seconds_total{{{chosen}}}{RATE})"
                 f" / on (worker, node) tessera_worker_slots{{{chosen}}}", name)], "percentunit"),
            lines("Tasks in hand", [(f"tessera_worker_tasks{{{chosen}}}", name)]),
            lines("Memory", [(f"tessera_worker_resident_memory_bytes{{{chosen}}}", name)], "bytes"),
            lines("Not heard for", [(f"tessera_worker_heartbeat_age_seconds{{{chosen}}}", name)], "s"),
        ]),
        row("Machines", [
            lines("Workers of each machine", [("node:tessera_workers:count{@}", "{{node}}")]),
            lines("Slots of each machine", [("sum by (node) (tessera_worker_slots{@})", "{{node}}")]),
            lines("Workers by engine", [
                ("count by (fingerprint) (tessera_worker_engine_info{@})", "{{fingerprint}}")],
                help="Workers with the same engine make the same bytes of the same job."),
            lines("Workers lost and leases expired, in the last hour", [
                ("increase(tessera_workers_lost_total{@}[1h])", "lost"),
                ("increase(tessera_lease_expiries_total{@}[1h])", "leases expired")]),
        ]),
        row("All workers together", [
            lines("Steps a second, by model", [
                (f"sum by (model) (rate(tessera_render_step_seconds_count{{@}}{RATE}))", "{{model}}")]),
            lines("Models loaded in the last hour", [
                ("sum by (reason) (increase(tessera_model_loads_total{@}[1h]))", "{{reason}}"),
                ("sum(increase(tessera_model_evictions_total{@}[1h]))", "left memory")],
                help="Many swaps: the workers have too little memory for the models that jobs want."),
            lines("Looks into caches that found it", [
                ('sum by (cache) (rate(tessera_cache_requests_total{@, result="hit"}[5m]))'
                 " / (sum by (cache) (rate(tessera_cache_requests_total{@}[5m])) > 0)", "{{cache}}")],
                "percentunit"),
        ]),
    ], [query_variable("worker", "Worker", 'label_values(tessera_worker_slots{instance="$farm"}, worker)',
                       many=True)])


def tenants():
    return dashboard("tessera-tenants", "Tessera: tenants", "Who asks for what, and who gets it.", [
        row("Share", [
            bars("Work done for each, in this time", [
                ("topk(15, sum by (tenant) (increase(tessera_work_megapixel_steps_total{@}[$__range])))",
                 "{{tenant}}")], help="Megapixels through one step."),
            bars("Pictures, in this time", [
                ("topk(15, sum by (tenant) (increase(tessera_pictures_total{@}[$__range])))", "{{tenant}}")]),
        ]),
        row("Over time", [
            lines("Work a second", [
                (f"topk(10, sum by (tenant) (rate(tessera_work_megapixel_steps_total{{@}}{RATE})))",
                 "{{tenant}}")], stacked=True, help="Megapixels through one step."),
            lines("Pictures a minute", [
                (f"topk(10, 60 * sum by (tenant) (rate(tessera_pictures_total{{@}}{RATE})))", "{{tenant}}")],
                stacked=True),
            lines("Tasks that wait, by tenant", [
                ("topk(10, sum by (tenant) (tessera_queue_waiting_tasks{@}))", "{{tenant}}")],
                stacked=True),
            lines("Tasks that wait, by class", [
                ("sum by (class) (tessera_queue_waiting_tasks{@})", "{{class}}")], stacked=True),
        ]),
        row("Turned away", [
            lines("Too many requests a minute", [
                (f"60 * rate(tessera_rate_limited_total{{@}}{RATE})", "requests")]),
            lines("Wrong keys a minute", [
                (f"60 * rate(tessera_auth_failures_total{{@}}{RATE})", "requests")]),
        ]),
    ])


def quantile(part, histogram, by="", interval=RATE):
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({part}, sum by ({labels}) (rate({histogram}_bucket{{@}}{interval})))"


# ---- How Grafana spells it ----

def panel(kind, title, queries, width, height, help, defaults, options, **target):
    farm = 'instance="$farm"'
    return {
        "type": kind,
        "title": title,
        **({"description": help} if help else {}),
        "datasource": SOURCE,
        "gridPos": {"x": 0, "y": 0, "w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": expr.replace("@", farm),
             "legendFormat": legend, **target}
            for index, (expr, legend) in enumerate(queries)],
    }


def thresholds(steps):
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in steps]}


def one_value(kind, **more):
    return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "orientation": kind, **more}


def stat(title, expr, unit="short", *, help="", steps=(("green", None),)):
    defaults = {"unit": unit, "noValue": "–", "color": {"mode": "thresholds"},
                "thresholds": thresholds(steps)}
    options = one_value("auto", colorMode="value", graphMode="area", justifyMode="auto",
                        textMode="auto", wideLayout=True, showPercentChange=False,
                        percentChangeColorMode="standard")
    return panel("stat", title, [(expr, "")], 4, 4, help, defaults, options, range=True)


def lines(title, queries, unit="short", *, stacked=False, help=""):
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if stacked else 8,
              "showPoints": "never", "spanNulls": False,
              "stacking": {"mode": "normal" if stacked else "none", "group": "A"}}
    defaults = {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom}
    options = {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, queries, 12, 8, help, defaults, options, range=True)


def bars(title, queries, unit="short", *, help=""):
    defaults = {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}}
    options = one_value("horizontal", displayMode="basic", valueMode="color", namePlacement="auto",
                        showUnfilled=True, sizing="auto", minVizWidth=8, minVizHeight=16,
                        maxVizHeight=300,
                        legend={"showLegend": False, "displayMode": "list", "placement": "bottom",
                                "calcs": []})
    return panel("bargauge", title, queries, 12, 8, help, defaults, options, instant=True)


def heatmap(title, histogram, *, help=""):
    expr = f"sum by (le) (increase({histogram}_bucket{{@}}{RATE}))"
    options = {"calculate": False, "cellGap": 1,
               "color": {"mode": "scheme", "scheme": "Blues", "steps": 32, "exponent": 0.5, "fill": "blue",
                         "reverse": False},
               "exemplars": {"color": "orange"}, "filterValues": {"le": 1e-9},
               "legend": {"show": True}, "rowsFrame": {"layout": "auto"}, "showValue": "never",
               "tooltip": {"mode": "single", "yHistogram": False},
               "yAxis": {"axisPlacement": "left", "unit": "s", "reverse": False}}
    return panel("heatmap", title, [(expr, "{{le}}")], 12, 8, help, {}, options, range=True,
                 format="heatmap")


def row(title, panels):
    return title, panels


def placed(rows):
    """The panels of all rows, from left to right and from top to bottom."""
    result = []
    y = 0
    for title, panels in rows:
        result.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y += 1
        x = 0
        for shown in panels:
            place = shown["gridPos"]
            if x + place["w"] > COLUMNS:
                x, y = 0, y + place["h"]
            place["x"], place["y"] = x, y
            x += place["w"]
            result.append(shown)
        y += panels[-1]["gridPos"]["h"]
    return [{"id": number, **shown} for number, shown in enumerate(result, 1)]


def query_variable(name, label, query, *, many=False):
    return {"name": name, "label": label, "type": "query", "datasource": SOURCE,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "hide": 0,
            "multi": many, "includeAll": many, **({"allValue": ".*"} if many else {})}


def dashboard(uid, title, description, rows, variables=()):
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
              "hide": 0}
    farm = query_variable("farm", "Farm", 'label_values(tessera_build_info{role="server"}, instance)')
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["tessera"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 41,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "Tessera", "tags": ["tessera"], "icon": "",
                   "asDropdown": True, "includeVars": True, "keepTime": True, "targetBlank": False,
                   "tooltip": ""}],
        "annotations": {"list": [
            {"name": "Alerts", "datasource": SOURCE, "enable": True, "iconColor": "red",
             "target": {"refId": "Alerts",
                        "expr": 'ALERTS{alertstate="firing", job="tessera", severity!="info"}'}}]},
        "templating": {"list": [source, farm, *variables]},
        "panels": placed(rows),
    }


def main(check):
    stale = []
    for name, content in (("overview", overview()), ("latency", latency()), ("workers", workers()),
                          ("tenants", tenants())):
        path = FOLDER / f"{name}.json"
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text() != text:
            stale.append(path.name)
            if not check:
                path.write_text(text)
    if check and stale:
        print(f"not what monitor/grafana/make_dashboards.py writes: {', '.join(stale)}; run it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
