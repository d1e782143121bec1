#!/usr/bin/env python3
"""Kills and freezes what a farm consists of, at random moments, while four tenants use it.

Every accepted job must end, and every picture must be delivered once, with the bytes that it has
when nobody disturbs the farm; the dead are noticed within 1 s, the frozen within lease + 5 s.
Processes are real, the model is tiny and random. The last line is the verdict; exit code 1 when it
is bad, and then the folder with data and logs stays. --seed repeats what is asked for and the order
of the faults, not their moments.
"""
import argparse
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
from client import Client, NoAnswer  # noqa: E402
from farm import Farm, FarmFailure  # noqa: E402
from faults import EACH_KIND, GAP, Faults, make_deck  # noqa: E402
from ledger import Ledger  # noqa: E402
from pace import Pace  # noqa: E402
from random_model import make_random_model  # noqa: E402
from specs import MODEL, make_specs, render_truth, upload  # noqa: E402
from tenant import Tenant  # noqa: E402
from watch import BOUNDS, Watch  # noqa: E402

DEMO_MODEL = Path(__file__).resolve().parents[2] / "weights" / "tessera-tiny"
MEMORY = Path("/dev/shm")
TENANTS = ["anna", "ben", "carla", "dora"]
SPECS = 200
REPORT_EVERY = 5.0
TRUTH_SHARE = 0.2  # of --seconds, for the undisturbed run
END_SHARE = 0.25   # of --seconds, for what is in flight when the faults end
STANDSTILL = 60.0  # seconds without a delivery after which what is in flight is lost


def main() -> int:
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="tessera-chaos-", dir=options.folder))
    print(f"seed {options.seed}, in {folder}", flush=True)
    (folder / "models").mkdir()
    make_random_model(DEMO_MODEL, folder / "models" / MODEL)
    farm = Farm(options.program, folder, options.workers)
    is_good = False
    try:
        is_good = Run(options, farm).run()
    except (FarmFailure, NoAnswer, AssertionError) as error:
        print(f"FAILED: {error}", flush=True)
    finally:
        farm.stop()
        if is_good:
            shutil.rmtree(folder)
        else:
            print(f"Data and logs: {folder}", file=sys.stderr)
    return 0 if is_good else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", type=Path, required=True, help="tessera")
    add("--tasks", type=int, default=4000)
    add("--kills", type=int, default=180, help="SIGKILLs of workers")
    add("--pauses", type=int, default=60, help="SIGSTOPs of workers, past their lease")
    add("--server-kills", type=int, default=5)
    add("--workers", type=int, default=5, help="worker processes beside the server's own one")
    add("--seed", type=int, default=random.randrange(1_000_000))
    add("--seconds", type=float, help="as many tasks as fit into it, faults in the same proportion")
    add("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else None,
        help="where the run's folder is made; in memory, since kills need no slow disk")
    return parser.parse_args()


@dataclass
class Clock:
    """When the parts of a run with --seconds end; without, they end by themselves."""
    truth: float = float("inf")
    faults: float = float("inf")

    @classmethod
    def of(cls, seconds: float | None) -> "Clock":
        now = time.monotonic()
        return cls(now + seconds * TRUTH_SHARE, now + seconds * (1 - END_SHARE)) if seconds else cls()


class Run:
    def __init__(self, options: argparse.Namespace, farm: Farm):
        self.options = options
        self.farm = farm
        self.chance = random.Random(options.seed)
        self.clock = Clock.of(options.seconds)
        self.ledger = Ledger()
        self.begun = self.reported = time.monotonic()

    def run(self) -> bool:
        self.farm.start_server()
        self.farm.start_supervisor()
        reference = Client(self.farm.port, self.farm.add_key("reference"))
        specs, init = render_truth(reference, make_specs(SPECS), self.clock.truth)
        self.say(f"{len(specs)} specs undisturbed")

        deck = self.make_deck()
        self.pace = Pace(None if self.options.seconds else self.options.tasks, len(deck),
                         backlog_seconds=2 if self.options.seconds else 20)
        self.watch = Watch(Client(self.farm.port, self.farm.admin_key))
        self.faults = Faults(self.farm, self.watch, self.chance)
        self.tenants = [self.make_tenant(name, specs, init) for name in TENANTS]
        for tenant in self.tenants:
            tenant.thread.start()
        try:
            self.disturb(deck)
            self.settle()
        finally:
            self.faults.thaw(all_of_them=True)
        self.watch.stop()
        self.audit()
        self.farm.leave()
        return self.verdict()

    def make_deck(self) -> list[str]:
        counts = [self.options.kills, self.options.pauses, self.options.server_kills]
        if self.options.seconds:
            share = (self.clock.faults - time.monotonic()) / GAP / sum(counts)
            counts = [max(1, round(count * share)) for count in counts]
        return make_deck(*counts, self.chance)

    def make_tenant(self, name: str, specs, init: bytes) -> Tenant:
        key = self.farm.add_key(name)
        upload(Client(self.farm.port, key), init)
        return Tenant(name, self.farm.port, key, specs, self.pace, self.ledger,
                      self.watch.hear_of_loss, self.options.seed)

    def disturb(self, deck: list[str]) -> None:
        for number, fault in enumerate(deck):
            due = time.monotonic() + self.chance.expovariate(1 / GAP)
            while not (time.monotonic() > due and self.pace.may_disturb()
                       and self.faults.commit(fault)):
                if time.monotonic() > self.clock.faults and number >= len(EACH_KIND):
                    return
                self.tend()
            self.pace.faults_done += 1

    def settle(self) -> None:
        """Until all that was accepted has ended, undisturbed but for what is still frozen."""
        if self.options.seconds:
            self.pace.close()
        delivered, changed = 0, time.monotonic()
        while any(tenant.thread.is_alive() for tenant in self.tenants):
            self.tend()
            if self.ledger.delivered > delivered:
                delivered, changed = self.ledger.delivered, time.monotonic()
            if time.monotonic() > changed + STANDSTILL:
                self.give_up()
                return
        while self.faults.frozen:
            self.tend()

    def audit(self) -> None:
        audits = [threading.Thread(target=tenant.audit) for tenant in self.tenants]
        for audit in audits:
            audit.start()
        for audit in audits:
            audit.join()
        for tenant in self.tenants:
            tenant.listener.stop()

    def give_up(self) -> None:
        for tenant in self.tenants:
            for job in list(tenant.in_flight.values()):
                record = tenant.client.get(f"/api/v1/jobs/{job.id}").body.decode()
                self.ledger.accuse("lost", job.count, f"{job} does not end: {record}")

    def tend(self) -> None:
        time.sleep(0.02)
        self.faults.thaw()
        self.farm.check()
        for tenant in self.tenants:
            if tenant.failure:
                raise FarmFailure(f"{tenant.name}: {tenant.failure}")
        if time.monotonic() > self.reported + REPORT_EVERY:
            self.reported = time.monotonic()
            done = self.faults.done
            self.say(f"{self.ledger.delivered} of {self.options.tasks if self.pace.tasks else 'all'} "
                     f"tasks, {self.pace.taken - self.pace.given_back} in flight, {done['kill']} "
                     f"kills, {done['pause']} pauses, {done['server']} of the server" + self.left())

    def left(self) -> str:
        if self.options.seconds:
            seconds = self.begun + self.options.seconds - time.monotonic()
        else:
            share = max(self.ledger.delivered / self.options.tasks, 1e-3)
            seconds = (time.monotonic() - self.pace.begun) * (1 / share - 1)
        return f", {max(0, seconds):.0f} s left"

    def say(self, line: str) -> None:
        print(f"{time.monotonic() - self.begun:5.0f} s  {line}", flush=True)

    def verdict(self) -> bool:
        complaints = self.ledger.complaints + self.farm.complaints()
        for kind in BOUNDS:
            report, is_soon_enough = self.watch.report(kind)
            print(report)
            # The short form runs wherever tests run: it reports the times and does not judge them.
            if not is_soon_enough and not self.options.seconds:
                complaints.append(f"a {kind} was noticed too late")
        done = self.faults.done
        print(f"server: {done['server']} kills")
        if not self.options.seconds and self.ledger.delivered < self.options.tasks:
            complaints.append("not all tasks were delivered")
        for complaint in complaints:
            print(f"FAILED: {complaint}")
        faults = ", ".join(f"{count} {name}" for name, count in self.ledger.faults.items())
        tasks = sum(job.count for job in self.ledger.jobs.values())
        print(f"{tasks} tasks, {done['kill']} kills, {done['pause']} pauses: {faults}", flush=True)
        return not complaints


if __name__ == "__main__":
    sys.exit(main())
