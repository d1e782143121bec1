"""Talks to the farm as a patient client does: what is not answered is asked again."""
import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

PATIENCE = 60.0  # without any answer
LONGEST_PAUSE = 2.0
STREAM_SILENCE = 40.0  # the server pings every 15 s


class NoAnswer(Exception):
    pass


@dataclass
class Answer:
    status: int
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.status} {self.body[:300].decode(errors='replace')}"


class Client:
    """One thread at a time."""

    def __init__(self, port: int, key: str):
        self.port = port
        self.headers = {"Authorization": f"Bearer {key}"}
        self.connection = None

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body, **headers: str) -> Answer:
        return self.ask("POST", path, json.dumps(body).encode(),
                        {"Content-Type": "application/json"} | headers)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict = {}) -> Answer:
        """The first answer that is not "later"; until then the same is asked again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer, pause = self._ask_once(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self.connection, answer, pause = None, error, 0.1
            if isinstance(answer, Answer) and answer.status not in (429, 503):
                return answer
            if time.monotonic() > deadline:
                raise NoAnswer(f"{method} {path}: {answer}")
            time.sleep(pause)

    def _ask_once(self, method, path, body, headers) -> tuple[Answer, float]:
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.connection.request(method, path, body, self.headers | headers)
        response = self.connection.getresponse()
        pause = min(float(response.getheader("Retry-After", LONGEST_PAUSE)), LONGEST_PAUSE)
        return Answer(response.status, response.read()), pause


class Listener:
    """Hears a tenant's events on a thread of its own, and comes back to where it was."""

    def __init__(self, port: int, key: str, hear: Callable[[dict], None]):
        self.port = port
        self.headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        self.hear = hear
        self.last_id = ""
        self.is_over = False
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self.is_over = True

    def _run(self) -> None:
        while not self.is_over:
            try:
                self._listen()
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STREAM_SILENCE)
        last = {"Last-Event-ID": self.last_id} if self.last_id else {}
        connection.request("GET", "/api/v1/events?previews=0", headers=self.headers | last)
        response = connection.getresponse()
        while response.status == 200 and not self.is_over and (line := response.readline()):
            if line.startswith(b"data:"):
                event = json.loads(line[5:])
                self.last_id = event.get("id", self.last_id)
                self.hear(event)
        connection.close()
