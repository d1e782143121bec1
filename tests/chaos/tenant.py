"""Hands in jobs of one tenant, follows them by events, and looks at every picture."""
import hashlib
import queue
import random
import threading
import time
import traceback

from client import Client, Listener
from ledger import Job, Ledger
from pace import Pace
from specs import Spec

SECOND_ASKING = 0.05  # of submissions: said twice under one key, as after a lost answer
LOOK_PAUSE = 0.5
PAGE = 200


class Tenant:
    def __init__(self, name: str, port: int, key: str, specs: list[Spec], pace: Pace,
                 ledger: Ledger, hear_of_loss, seed: int):
        self.name = name
        self.client = Client(port, key)
        self.specs = specs
        self.pace = pace
        self.ledger = ledger
        self.hear_of_loss = hear_of_loss
        self.chance = random.Random(f"{seed} {name}")
        self.in_flight: dict[str, Job] = {}
        self.submitted = 0
        self.ended: queue.Queue[str] = queue.Queue()
        self.listener = Listener(port, key, self.hear)
        self.failure = ""
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        try:
            while not self.pace.is_closed or self.in_flight:
                if count := self.pace.take(self.chance):
                    self.submit(count)
                else:
                    self.look_at_one()
        except Exception:
            self.failure = traceback.format_exc()

    def submit(self, count: int) -> None:
        self.submitted += 1
        spec = self.chance.choice(self.specs)
        key = f"{self.name}-{self.submitted}"
        again = self.chance.random() < SECOND_ASKING
        answers = [self.client.post("/api/v1/jobs", spec.body | {"count": count},
                                    **{"Idempotency-Key": key}) for _ in range(1 + again)]
        if any(answer.status not in (200, 202) for answer in answers):
            raise AssertionError(f"{key} was refused: {answers[-1]}")
        ids = {answer.json["id"] for answer in answers}
        job = Job(answers[0].json["id"], self.name, spec, count)
        if len(ids) > 1:
            self.ledger.accuse("doubled", count, f"key {key} is two jobs: {ids}")
        self.ledger.accept(job)
        self.in_flight[job.id] = job

    def hear(self, event: dict) -> None:
        """On the listener's thread."""
        self.ledger.hear(event)
        if event["event"] == "retrying":
            self.hear_of_loss(event["worker"])
        elif event["event"] in ("done", "failed", "cancelled"):
            self.ended.put(event["job"])

    def look_at_one(self) -> None:
        """At one that has ended; else at the one not looked at for longest: events may be missed."""
        try:
            id = self.ended.get(timeout=LOOK_PAUSE)
        except queue.Empty:
            id = next(iter(self.in_flight), None)
        if job := self.in_flight.pop(id, None):
            record = self.client.get(f"/api/v1/jobs/{id}").json
            if record.get("state") in ("queued", "running"):
                self.in_flight[id] = job
            else:
                self.receive(job, record)

    def receive(self, job: Job, record: dict) -> None:
        self.pace.give_back(job.count)
        images = [unit.get("image") for unit in record.get("units", [])]
        if record.get("state") != "done" or None in images or len(images) < job.count:
            self.ledger.accuse("lost", job.count, f"{job}: {record}")
            return
        if len(images) > job.count:
            self.ledger.accuse("doubled", len(images) - job.count, f"{job}: {record}")
        job.pictures = [image["sha256"] for image in images]
        self.ledger.deliver(job.count)
        for number, image in enumerate(images[:job.count]):
            self.compare(job, number, image["href"])

    def compare(self, job: Job, number: int, href: str) -> None:
        answer = self.client.get(href)
        if answer.status != 200:
            self.ledger.accuse("lost", 1, f"{job}: {href}: {answer}")
        elif (sha256 := hashlib.sha256(answer.body).hexdigest()) != job.spec.truth[number]:
            self.ledger.accuse("wrong", 1, f"{job}: {href} is {sha256}, undisturbed "
                                           f"{job.spec.truth[number]}; {job.spec.body}")

    def audit(self) -> None:
        """When all is over: no job too many, none too few, and no picture was changed later."""
        mine = {job.id: job for job in self.ledger.jobs.values() if job.tenant == self.name}
        listed = self.all_listed()
        for id in listed - mine.keys():
            self.ledger.accuse("doubled", 1, f"job {id} of {self.name}: nobody was told of it")
        for id in mine.keys() - listed:
            self.ledger.accuse("lost", mine[id].count, f"{mine[id]}: it is not listed")
        for id in mine.keys() & listed:
            record = self.client.get(f"/api/v1/jobs/{id}").json
            images = [unit["image"]["sha256"] for unit in record["units"] if "image" in unit]
            if mine[id].pictures and images != mine[id].pictures:
                self.ledger.accuse("doubled", mine[id].count,
                                   f"{mine[id]}: {mine[id].pictures} became {images}")

    def all_listed(self) -> set[str]:
        listed, before = set(), ""
        while before is not None:
            page = self.client.get(f"/api/v1/jobs?limit={PAGE}" +
                                   (f"&before={before}" if before else "")).json
            listed |= {job["id"] for job in page["jobs"]}
            before = page["next"]
        return listed
