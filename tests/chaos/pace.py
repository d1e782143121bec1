"""How much may be in flight? Tasks and faults run abreast, and the farm never has too little to do."""
import random
import threading
import time

from specs import MOST_PICTURES

LEAST_IN_FLIGHT = 16


class Pace:
    """Thread-safe."""

    def __init__(self, tasks: int | None, faults: int, backlog_seconds: float):
        self.tasks = tasks  # None: as many as fit
        self.faults = faults
        self.faults_done = 0
        self.backlog_seconds = backlog_seconds
        self.begun = time.monotonic()
        self.taken = 0
        self.given_back = 0
        self.is_closed = False
        self.lock = threading.Lock()

    def take(self, chance: random.Random) -> int:
        """The pictures of a job to hand in now; 0: none yet, or none any more."""
        with self.lock:
            count = max(0, min(chance.randint(1, MOST_PICTURES), self._room()))
            self.taken += 0 if self.is_closed else count
            if self.is_closed:
                return 0
            self.is_closed = self.taken == self.tasks
            return count

    def give_back(self, count: int) -> None:
        with self.lock:
            self.given_back += count

    def close(self) -> None:
        with self.lock:
            self.is_closed = True

    def may_disturb(self) -> bool:
        """So that the last fault does not come long before the last task."""
        return not self.tasks or self.taken >= self.tasks * self.faults_done / (self.faults + 1)

    def _room(self) -> int:
        rate = self.given_back / (time.monotonic() - self.begun + 1)
        window = LEAST_IN_FLIGHT + int(self.backlog_seconds * rate)
        in_flight = self.taken - self.given_back
        if not self.tasks:
            return window - in_flight
        share = -(-self.tasks * (self.faults_done + 1) // (self.faults + 1))
        return min(window - in_flight, share - self.taken)
