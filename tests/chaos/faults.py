"""What is done to the farm: workers killed, workers frozen past their lease, the server killed."""
import os
import random
import signal
import time
from collections import Counter

from farm import LEASE, Farm
from watch import BOUNDS, Watch

EACH_KIND = ["kill", "pause", "server"]
GAP = 1.5  # seconds between two faults, on average
MOST_FROZEN = 2
READY_SHARE = 0.4  # of the workers; with fewer the faults wait, or a slow machine renders nothing
BUSY_SHARE = 0.8  # of the faults; the others take whoever is there
LONGEST_DOWN = 1.5  # seconds that the server stays away


def make_deck(kills: int, pauses: int, server_kills: int, chance: random.Random) -> list[str]:
    """One of each kind comes first, so that the shortest run has them all."""
    deck = ["kill"] * (kills - 1) + ["pause"] * (pauses - 1) + ["server"] * (server_kills - 1)
    chance.shuffle(deck)
    return EACH_KIND + deck


class Faults:
    """From one thread."""

    def __init__(self, farm: Farm, watch: Watch, chance: random.Random):
        self.farm = farm
        self.watch = watch
        self.chance = chance
        self.done = Counter()
        self.frozen: dict[str, tuple[int, float, float]] = {}  # pid, thawed not before, not after

    def commit(self, fault: str) -> bool:
        """False when there are too few now whom it could befall."""
        if fault == "server":
            self.kill_server()
            return True
        if fault == "pause" and len(self.frozen) >= MOST_FROZEN:
            return False
        processes = self.farm.render_processes()
        ready = self.watch.ready
        workers = sorted(ready.keys() & processes.keys() - self.frozen.keys())
        if len(workers) < self.farm.workers * READY_SHARE:
            return False
        busy = [worker for worker in workers if ready[worker] > 0]
        worker = self.chance.choice(
            busy if busy and self.chance.random() < BUSY_SHARE else workers)
        {"kill": self.kill, "pause": self.freeze}[fault](worker, processes[worker])
        return True

    def kill(self, worker: str, pid: int) -> None:
        self.watch.begin("kill", worker)
        self.signal(pid, signal.SIGKILL)
        self.done["kill"] += 1

    def freeze(self, worker: str, pid: int) -> None:
        self.watch.begin("pause", worker)
        self.signal(pid, signal.SIGSTOP)
        now = time.monotonic()
        self.frozen[worker] = (
            pid, now + LEASE + self.chance.uniform(0.5, 3.0), now + BOUNDS["pause"])

    def thaw(self, all_of_them: bool = False) -> None:
        """Those that were frozen for long enough, and whom the farm has missed."""
        now = time.monotonic()
        for worker, (pid, not_before, not_after) in list(self.frozen.items()):
            is_due = now > not_before and (now > not_after or self.watch.is_noticed(worker))
            if is_due or all_of_them:
                del self.frozen[worker]
                self.signal(pid, signal.SIGCONT)
                self.done["pause"] += is_due

    def kill_server(self) -> None:
        """Its own worker dies with it; half of the time one of the supervisor's does meanwhile."""
        self.farm.kill_server()
        self.watch.forget()
        self.done["server"] += 1
        begun = time.monotonic()
        processes = {worker: pid for worker, pid in self.farm.render_processes().items()
                     if worker not in self.frozen}
        if processes and self.chance.random() < 0.5:
            self.signal(self.chance.choice(list(processes.values())), signal.SIGKILL)
            self.done["kill"] += 1
        time.sleep(max(0.0, begun + self.chance.uniform(0, LONGEST_DOWN) - time.monotonic()))
        self.farm.start_server()

    @staticmethod
    def signal(pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
