#!/usr/bin/env python3
"""A farm at work, with a tenant who misbehaves and a machine that dies, seen by a real Prometheus
with our configuration: everything is scraped, the counters add up, every query of every dashboard has
an answer, the right alert fires and no other. Ends with 1 at the first thing that does not hold.

    tests/monitor/live_test.py build/dev/bin/tessera
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

from tree import MONITOR, ROOT

sys.path.insert(0, str(ROOT / "tests" / "chaos"))

import dashboards
import farm as chaos_farm
from client import Client
from farm import Farm
from farm_prometheus import FarmPrometheus
from programs import program
from random_model import make_random_model

PATIENCE = 120.0
chaos_farm.LEASE = 30.0  # chaos has it short; here a busy machine must not look like a dead worker
RATE = "10s"  # of what is scraped every second


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came so far: {what}")
        time.sleep(0.25)
    return result


def say(what):
    print(f"ok  {what}", flush=True)


def hurried(name, text):
    """The alerts as they are, but that what must last a minute fires at once."""
    return text.replace("for: 1m", "for: 0s") if name == "alerts.yml" else text


def firing(prometheus):
    return {labels["alertname"] for labels, _ in prometheus.now('ALERTS{alertstate="firing"}')}


def is_done(client, job):
    return client.get(job).json["state"] == "done"


def submit(client, **fields):
    body = {"model": "random", "prompt": "a calm sea", "sampler": "Euler", "size": "64x64", **fields}
    answer = client.post("/api/v1/jobs", body)
    assert answer.status == 202, answer
    return answer.json["job"]


def misbehave(port, key):
    """What an operator sees of it must not look like trouble of the farm."""
    mallory = Client(port, key)
    for body in ({}, {"prompt": "x", "model": "../../etc/passwd"}, {"prompt": "x\x00", "steps": -1}):
        assert mallory.post("/api/v1/jobs", body).status in (400, 404)
    assert mallory.get("/api/v1/jobs/01m\"}tessera{").status in (400, 404)
    assert Client(port, "tsr_wrong").get("/api/v1/jobs").status == 401
    job = submit(mallory, prompt="mine", steps=150, count=4)
    assert mallory.post(f"{job}/cancel", {}).status < 300


def check_queries(prometheus, farm):
    asked = 0
    for name, dashboard in dashboards.load().items():
        for panel in dashboards.panels(dashboard):
            for target in panel["targets"]:
                expr = dashboards.filled(target["expr"], farm, RATE, "5m")
                now = time.time()
                series = prometheus.range(expr, now - 120, now, 1)
                values = [value for _, points in series for _, value in points if value == value]
                assert values, f"{name}, {panel['title']}: no series for {expr}"
                asked += 1
    say(f"{asked} queries of the dashboards are answered")


def check_sums(prometheus):
    """At every scrape, also while the server was away and came back."""
    expr = ("tessera_jobs_submitted_total - on (instance) sum by (instance) (tessera_jobs_ended_total)"
            " - on (instance) tessera_jobs_in_flight")
    (labels, points), = prometheus.range(expr, time.time() - 300, time.time(), 1)
    assert len(points) >= 5, points
    assert {value for _, value in points} == {0.0}, points
    say(f"submitted = ended + in flight, {len(points)} times")


def check_text(client):
    answer = client.get("/metrics")
    assert answer.status == 200
    lint = subprocess.run([program("promtool"), "check", "metrics"], input=answer.body, capture_output=True)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    say("promtool has no complaint about /metrics")


def check_rules(prometheus):
    for group in prometheus.get("rules")["groups"]:
        for rule in group["rules"]:
            assert rule["health"] == "ok", rule
    say("every rule can be evaluated")


def check_picture(prometheus, folder):
    file = folder / "overview.svg"
    subprocess.run([MONITOR / "overview_picture.py", prometheus.url, file, "--minutes", "2"], check=True)
    drawn = xml.etree.ElementTree.parse(file).getroot()
    lines = drawn.findall(".//{http://www.w3.org/2000/svg}polyline")
    titles = {text.text for text in drawn.findall(".//{http://www.w3.org/2000/svg}text")}
    panels = dashboards.panels(dashboards.load()["overview"])
    assert titles >= {panel["title"] for panel in panels}
    curves = [line for line in lines if line.get("stroke-width") == "1.5"]
    assert len(curves) >= sum(panel["type"] == "timeseries" for panel in panels), len(curves)
    say("the overview can be drawn")


def check_page(prometheus):
    """The program that `make monitor` starts, until Ctrl-C."""
    with subprocess.Popen([MONITOR / "farm_prometheus.py", prometheus.farm], stdout=subprocess.PIPE,
                          text=True, start_new_session=True) as process:
        said = ""
        while "until Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0, said
    assert "watches the farm" in said, said
    say("make monitor says where to look, and ends with Ctrl-C")


def watch(farm, prometheus):
    address = farm.url.removeprefix("http://")
    admin = Client(farm.port, farm.admin_key)
    anna = Client(farm.port, farm.add_key("anna"))
    until("the farm is scraped", lambda: prometheus.now("up{role='server'} == 1"))
    until("two workers", lambda: prometheus.now("sum(tessera_workers) == 2"))
    jobs = [submit(anna, priority=priority, steps=4, count=3, seed=seed)
            for seed, priority in enumerate(("interactive", "normal", "batch"))]
    misbehave(farm.port, farm.add_key("mallory"))
    until("the jobs are done", lambda: all(is_done(anna, job) for job in jobs))
    until("their pictures are counted", lambda: prometheus.now("sum(tessera_pictures_total) >= 9"))
    assert firing(prometheus) == set(), firing(prometheus)
    say("a farm that works, and refuses what it must, fires no alert")

    # Both workers have a task when one's machine dies.
    long = submit(anna, steps=150, count=6)
    until("both work", lambda: len([worker for worker in admin.get("/api/v1/workers").json["workers"]
                                    if worker["tasks"]]) == 2)
    os.killpg(farm.supervisor.pid, signal.SIGKILL)
    farm.supervisor.wait()
    farm.supervisor = None
    until("the alert", lambda: firing(prometheus))
    until("the other worker goes on", lambda: is_done(anna, long))
    assert firing(prometheus) == {"TesseraWorkerDown"}, firing(prometheus)
    assert prometheus.now("tessera_workers_lost_total == 1")
    say("a worker that died fires TesseraWorkerDown and nothing else")

    check_queries(prometheus, address)
    check_rules(prometheus)
    check_text(admin)
    check_page(prometheus)
    check_picture(prometheus, farm.folder)

    farm.kill_server()
    until("its absence is seen", lambda: "TesseraServerDown" in firing(prometheus))
    farm.start_server()
    until("it is back", lambda: "TesseraServerDown" not in firing(prometheus))
    again = submit(anna, steps=2)
    until("it works", lambda: is_done(anna, again))
    say("a server that died fires TesseraServerDown until it is back")
    check_sums(prometheus)


def main(binary):
    with tempfile.TemporaryDirectory(prefix="tessera-live-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "models").mkdir()
        (folder / "prometheus").mkdir()
        make_random_model(ROOT / "weights" / "tessera-tiny", folder / "models" / "random")
        farm = Farm(pathlib.Path(binary), folder, workers=1)
        prometheus = None
        try:
            farm.start_server()
            farm.start_supervisor()
            prometheus = FarmPrometheus(farm.url, farm.admin_key, folder / "prometheus", "1s",
                                        hurried).start()
            watch(farm, prometheus)
        finally:
            if prometheus:
                prometheus.stop()
            farm.stop()
        assert not farm.complaints(), farm.complaints()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
