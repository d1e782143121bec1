"""How soon does the farm notice that a worker is dead or frozen?

Two things are timed from the signal on: until the list of workers does not call it ready any more,
and, where it held a task, until the task's owner hears that it goes to another.
"""
import os
import threading
import time
from dataclasses import dataclass

from client import Client
from farm import LEASE

POLL = 0.05
BOUNDS = {"kill": 1.0, "pause": LEASE + 5.0}
LOADED = 2.0  # runnable processes for each core: then others are at work too,
SLACK = 3.0   # and the bounds are so many times as long


@dataclass
class Fault:
    kind: str
    since: float
    noticed: float | None = None
    given_on: float | None = None


class Watch:
    """Thread-safe."""

    def __init__(self, client: Client):
        self.client = client
        self.lock = threading.Lock()
        self.ready: dict[str, int] = {}  # tasks held, by worker
        self.faults: dict[str, Fault] = {}
        self.past: list[Fault] = []
        self.most_load = 0.0
        self.is_over = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.is_over = True
        self.thread.join()

    def begin(self, kind: str, worker: str) -> None:
        with self.lock:
            self.ready = {other: tasks for other, tasks in self.ready.items() if other != worker}
            if worker in self.faults:
                self.past.append(self.faults[worker])
            self.faults[worker] = Fault(kind, time.monotonic())

    def is_noticed(self, worker: str) -> bool:
        with self.lock:
            return worker not in self.faults or self.faults[worker].noticed is not None

    def forget(self) -> None:
        """The server was killed: it cannot notice what it has not yet."""
        with self.lock:
            self.ready = {}
            self.past += [fault for fault in self.faults.values() if fault.noticed is not None]
            self.faults.clear()

    def hear_of_loss(self, worker: str) -> None:
        with self.lock:
            fault = self.faults.get(worker)
            if fault and fault.given_on is None:
                fault.given_on = time.monotonic() - fault.since

    def report(self, kind: str) -> tuple[str, bool]:
        """In words, and whether it was soon enough each time."""
        with self.lock:
            timed = [fault for fault in (*self.past, *self.faults.values()) if fault.kind == kind]
        now = time.monotonic()
        noticed = [now - fault.since if fault.noticed is None else fault.noticed for fault in timed]
        given_on = [fault.given_on for fault in timed if fault.given_on is not None]
        worst = max(noticed, default=0.0), max(given_on, default=0.0)
        bound = BOUNDS[kind] * (SLACK if self.most_load > LOADED else 1.0)
        return (f"{kind}: {len(timed)} timed, noticed within {worst[0]:.2f} s; {len(given_on)} of them "
                f"held a task, given on within {worst[1]:.2f} s; bound {bound:.0f} s "
                f"(load {self.most_load:.1f} a core)", max(worst) <= bound)

    def _run(self) -> None:
        while not self.is_over:
            asked = time.monotonic()
            self.most_load = max(self.most_load, os.getloadavg()[0] / os.cpu_count())
            workers = self.client.get("/api/v1/workers").json["workers"]
            self._read({worker["id"]: worker["running"] for worker in workers
                        if worker["state"] == "ready"}, asked)
            time.sleep(POLL)

    def _read(self, ready: dict[str, int], asked: float) -> None:
        now = time.monotonic()
        with self.lock:
            for worker, fault in self.faults.items():
                if fault.noticed is None and asked > fault.since and worker not in ready:
                    fault.noticed = now - fault.since
            self.ready = ready
