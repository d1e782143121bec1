"""Which pictures are asked for, and what are their bytes when nobody disturbs the farm?"""
import hashlib
import random
import time
from dataclasses import dataclass, field

from client import Client

MODEL = "random"
MOST_PICTURES = 3  # of a job
FEWEST_SPECS = 6
SCENES = ["snowy mountains", "a calm sea", "dunes", "a pine forest", "a city skyline", "a meadow",
          "a red house by a lake", "a lighthouse"]
TIMES = ["at dawn", "at noon", "at sunset", "at night", "under a purple sky"]
SAMPLERS = ["Euler", "Euler a", "DPM++ 2M", "DPM++ 2S a", "DPM++ SDE", "DDIM", "LMS", "DPM2 a",
            "Heun", "UniPC"]
SIZES = ["64x64", "64x96", "96x64", "32x64"]
INIT_EVERY = 8
STEPS = 10, 40


@dataclass
class Spec:
    body: dict
    truth: list[str] = field(default_factory=list)  # SHA-256 of its pictures, by number


def make_specs(count: int) -> list[Spec]:
    """The same ones at each run, cheap ones first. Some begin from a picture: see `give_init`."""
    chance = random.Random(2)
    specs = []
    for number in range(count):
        body = {"model": MODEL, "prompt": f"{chance.choice(SCENES)} {chance.choice(TIMES)}",
                "sampler": SAMPLERS[number % len(SAMPLERS)], "steps": chance.randint(*STEPS),
                "size": chance.choice(SIZES), "seed": 1000 * number, "format": "png"}
        if number % INIT_EVERY == INIT_EVERY - 1:
            body |= {"init": "", "strength": 0.7}
        specs.append(Spec(body))
    return sorted(specs, key=lambda spec: spec.body["steps"])


def render_truth(client: Client, specs: list[Spec], until: float) -> tuple[list[Spec], bytes]:
    """Fills in the truth of as many as are done at `until`; gives these, and the init picture."""
    painted_from_words = next(spec for spec in specs if "init" not in spec.body)
    init = wait_for_pictures(client, submit(client, painted_from_words))[0]
    give_init(specs, upload(client, init))
    jobs = [(spec, submit(client, spec)) for spec in specs]
    known = []
    for spec, job in jobs:
        if time.monotonic() > until and len(known) >= FEWEST_SPECS:
            client.post(f"{job}/cancel", {})
            continue
        pictures = wait_for_pictures(client, job)
        spec.truth = [hashlib.sha256(picture).hexdigest() for picture in pictures]
        known.append(spec)
    return known, init


def give_init(specs: list[Spec], sha256: str) -> None:
    for spec in specs:
        if "init" in spec.body:
            spec.body["init"] = sha256


def upload(client: Client, picture: bytes) -> str:
    answer = client.ask("POST", "/api/v1/uploads", picture, {"Content-Type": "image/png"})
    assert answer.status == 201, answer
    return answer.json["sha256"]


def submit(client: Client, spec: Spec) -> str:
    answer = client.post("/api/v1/jobs", spec.body | {"count": MOST_PICTURES})
    assert answer.status == 202, f"{spec.body}: {answer}"
    return answer.json["job"]


def wait_for_pictures(client: Client, job: str) -> list[bytes]:
    while (record := client.get(job).json)["state"] in ("queued", "running"):
        time.sleep(0.1)
    assert record["state"] == "done", record
    assert all("image" in unit for unit in record["units"]), f"done without a picture: {record}"
    return [client.get(unit["image"]["href"]).body for unit in record["units"]]
