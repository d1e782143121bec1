"""Runs a farm of real processes in one folder: a server with a worker process of its own, and a
supervisor of worker processes that outlives it."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

LEASE = 2.0
HEARTBEAT = 0.4
START_PATIENCE = 60.0
STOP_PATIENCE = 60.0
AT_EVERY_STEP = ["--set", "worker.checkpoint_least=0s", "--set", "worker.checkpoint_share=0"]
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|ended by signal (?!9\b)\d+|terminate called")


class FarmFailure(Exception):
    """A process of the farm did what it must not."""


class Farm:
    def __init__(self, program: Path, folder: Path, workers: int):
        self.program = program.resolve()
        self.folder = folder
        self.workers = workers
        self.port = 0
        self.starts = 0
        self.server: subprocess.Popen | None = None
        self.supervisor: subprocess.Popen | None = None
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("TESSERA_")}
        self.environment |= {"TESSERA_MODELS": str(folder / "models"),
                             "TESSERA_CACHE_DIR": str(folder / "cache")}
        self.admin_key = ""

    def start_server(self) -> None:
        self.starts += 1
        greeting = self.folder / f"server-{self.starts}.out"
        self.server = self._start(
            ["serve", "--port", str(self.port), "--data", str(self.folder / "data"),
             "--workers", "1", "--threads", "1", *AT_EVERY_STEP,
             "--set", "server.keys=always", "--set", f"farm.lease={LEASE}s",
             "--set", f"farm.heartbeat={HEARTBEAT}s"],
            greeting, self.folder / "server.log")
        deadline = time.monotonic() + START_PATIENCE
        while "Ctrl-C" not in (text := greeting.read_text()):
            self.check()
            if time.monotonic() > deadline:
                raise FarmFailure(f"the server did not start within {START_PATIENCE:.0f} s")
            time.sleep(0.02)
        if self.port == 0:
            self.port = int(re.search(r"http://[^ ]*:(\d+)", text)[1])
            self.admin_key = re.search(r"tsr_\w+", text)[0]

    def start_supervisor(self) -> None:
        key = self.add_key("render-box", "worker")
        self.supervisor = self._start(
            ["worker", "--server", self.url, "--processes", str(self.workers), "--threads", "1",
             *AT_EVERY_STEP],
            self.folder / "supervisor.out", self.folder / "supervisor.log", TESSERA_KEY=key)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_key(self, name: str, role: str = "user") -> str:
        made = subprocess.run(
            [self.program, "keys", "add", name, "--role", role], text=True, capture_output=True,
            env=self.environment | {"TESSERA_SERVER": self.url, "TESSERA_KEY": self.admin_key})
        if made.returncode != 0:
            raise FarmFailure(f"keys add {name}: {made.stderr}")
        return made.stdout.split()[0]

    def render_processes(self) -> dict[str, int]:
        """Process ids by the worker ids that the server knows them by."""
        found = {}
        for parent in (self.server, self.supervisor):
            for pid in children(parent.pid):
                command = command_line(pid)
                if "--process" in command:
                    found[command[command.index("--process") + 1]] = pid
        return found

    def kill_server(self) -> None:
        self.server.kill()
        self.server.wait()

    def check(self) -> None:
        """No process ends but those that are killed."""
        for name, process in (("server", self.server), ("supervisor", self.supervisor)):
            if process and process.poll() is not None:
                raise FarmFailure(f"the {name} ended by itself with {process.returncode}")

    def leave(self) -> None:
        """Asks all to end, and holds them to it."""
        for name, process in (("supervisor", self.supervisor), ("server", self.server)):
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                raise FarmFailure(f"the {name} did not stop within {STOP_PATIENCE:.0f} s") from None
            if code != 0:
                raise FarmFailure(f"the {name} ended with {code} when it was asked to stop")

    def stop(self) -> None:
        """Whatever state they are in, frozen ones too."""
        for process in (self.supervisor, self.server):
            if process:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()

    def complaints(self) -> list[str]:
        """What the logs hold of sanitizers' words and of deaths that nobody ordered."""
        return [f"{log.name}: {line}" for log in sorted(self.folder.glob("*.log"))
                for line in log.read_text(errors="replace").splitlines() if SANITIZER.search(line)]

    def _start(self, arguments, out, log, **environment) -> subprocess.Popen:
        # A process group of its own, that Ctrl-C does not reach; the kernel ends it if we are killed.
        with out.open("w") as out_file, log.open("a") as log_file:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.program, *arguments],
                stdin=subprocess.DEVNULL, stdout=out_file, stderr=log_file,
                env=self.environment | environment, start_new_session=True)


def children(pid: int) -> list[int]:
    """Each thread has a list of its own."""
    return [int(child) for listing in Path(f"/proc/{pid}/task").glob("*/children")
            for child in read_or_empty(listing).split()]


def command_line(pid: int) -> list[str]:
    return read_or_empty(Path(f"/proc/{pid}/cmdline")).split("\0")


def read_or_empty(path: Path) -> str:
    """Processes end at any time."""
    try:
        return path.read_text()
    except OSError:
        return ""
