"""What was accepted, what was delivered, and what is not as it must be?"""
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from specs import Spec


@dataclass
class Job:
    id: str
    tenant: str
    spec: Spec
    count: int
    pictures: list[str] = field(default_factory=list)  # SHA-256, as the record says, by number

    def __str__(self) -> str:
        return f"job {self.id} of {self.tenant}"


class Ledger:
    """Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.jobs: dict[str, Job] = {}
        self.delivered = 0
        self.faults = {"lost": 0, "doubled": 0, "wrong": 0}
        self.complaints: list[str] = []
        self.endings = defaultdict(set)  # ids of events, by job and unit; unit -1 is the job itself

    def accept(self, job: Job) -> None:
        with self.lock:
            self.jobs[job.id] = job

    def deliver(self, count: int) -> None:
        with self.lock:
            self.delivered += count

    def accuse(self, fault: str, tasks: int, why: str) -> None:
        with self.lock:
            self.faults[fault] += tasks
            self.complaints.append(f"{fault}: {why}")
        print(f"{fault}: {why}", flush=True)

    def hear(self, event: dict) -> None:
        """An ending that is told twice under different ids happened twice."""
        kind = event["event"]
        if kind not in ("unit_done", "unit_failed", "done", "failed", "cancelled"):
            return
        ending = (event["job"], event.get("unit", -1))
        with self.lock:
            self.endings[ending].add(event["id"])
            told = len(self.endings[ending])
        if told > 1:
            self.accuse("doubled", 1, f"job {ending[0]}, unit {ending[1]}: {kind} for the "
                                      f"{told}th time")
