#!/usr/bin/env python3
"""Prometheus with our configuration beside a running farm, in a private folder and on a free port
of this machine, until Ctrl-C.

    monitor/farm_prometheus.py                          # of the farm at http://127.0.0.1:7860
    monitor/farm_prometheus.py http://127.0.0.1:8080    # of another one

Without an argument TESSERA_SERVER says which farm. A farm that asks for keys wants an
administrator's in TESSERA_KEY. `make monitor` is the same.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from programs import page_files, program

RULES = pathlib.Path(__file__).resolve().parent / "prometheus"
START_PATIENCE = 60.0


class FarmPrometheus:
    """`change` may alter the text of a file of the configuration, given its name and text."""

    def __init__(self, farm, key, folder, interval="5s", change=lambda name, text: text):
        self.farm = farm.rstrip("/")
        self.folder = pathlib.Path(folder)
        self.change = change
        self._write_configuration(key, interval)
        self.process = None
        self.url = ""

    def start(self):
        log = self.folder / "prometheus.log"
        with log.open("w") as file:
            # The kernel ends it if we are killed; Ctrl-C is ours.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program("prometheus"),
                 f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data", "--storage.tsdb.retention.time=2d",
                 "--web.listen-address=127.0.0.1:0", *page_files()],
                stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + START_PATIENCE
        while not self._is_ready(log.read_text()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit("Prometheus did not start:\n" + log.read_text()[-2000:])
            time.sleep(0.05)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def get(self, path, **parameters):
        """The data of an answer of Prometheus' API."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path} {parameters}: {error.read().decode()}") from None

    def now(self, expr):
        """[(labels, value)]"""
        return [(one["metric"], float(one["value"][1])) for one in self.get("query", query=expr)["result"]]

    def range(self, expr, start, end, step):
        """[(labels, [(time, value)])]"""
        found = self.get("query_range", query=expr, start=start, end=end, step=step)["result"]
        return [(one["metric"], [(time, float(value)) for time, value in one["values"]]) for one in found]

    def _write_configuration(self, key, interval):
        for path in RULES.glob("*.yml"):
            text = path.read_text()
            if path.name == "prometheus.yml":
                text = text.replace("http://127.0.0.1:7860", self.farm)
                text = re.sub(r"_interval: \w+", f"_interval: {interval}", text)
                text = text[:text.index("\nalerting:")]  # there is no Alertmanager
            (self.folder / path.name).write_text(self.change(path.name, text))
        key_file = self.folder / "tessera.key"
        key_file.touch(mode=0o600)
        key_file.write_text(key)

    def _is_ready(self, log):
        address = re.search(r'msg="Listening on" address=(\S+)', log)
        if address and "ready to receive" in log:
            self.url = f"http://{address[1]}"
        return bool(self.url)


def main(arguments):
    if arguments[:1] in (["--help"], ["-h"]) or len(arguments) > 1:
        print(__doc__)
        return 0 if len(arguments) == 1 else 2
    farm = (arguments or [os.environ.get("TESSERA_SERVER", "http://127.0.0.1:7860")])[0]
    with tempfile.TemporaryDirectory(prefix="tessera-monitor-") as folder:
        prometheus = FarmPrometheus(farm, os.environ.get("TESSERA_KEY", "none"), folder).start()
        try:
            show(prometheus)
            prometheus.process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            prometheus.stop()
    return 0


def show(prometheus):
    try:
        urllib.request.urlopen(f"{prometheus.farm}/healthz", timeout=5).close()
        heard = f"Prometheus watches the farm at {prometheus.farm}."
    except OSError as error:
        heard = (f"No farm answers at {prometheus.farm} ({error}).\n"
                 "`make serve` in another terminal starts one, and Prometheus will find it.")
    backlog = urllib.parse.urlencode({"g0.expr": "tessera_queue_tasks", "g0.tab": 0})
    print(f"""{heard}

  {prometheus.url}/classic/alerts      what is wrong, and what to do
  {prometheus.url}/classic/graph?{backlog}
  {prometheus.url}/classic/targets     what is scraped

Its configuration and data are in {prometheus.folder} until Ctrl-C.
For dashboards, give a Grafana this Prometheus and monitor/grafana/: see docs/monitoring.md.""", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
