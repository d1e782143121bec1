#!/usr/bin/env python3
"""Watches a busy farm with `tessera top` inside tmux, and works it by its keys.

    tests/clients/with_farm.sh build/dev/bin/tessera tests/terminal/top_test.py build/dev/bin/tessera

The farm's address comes in TESSERA_SERVER, an administrator's key in TESSERA_ADMIN_KEY.
"""
import os
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds


class Terminal:
    """A tmux of its own with one window, in which `command` runs."""

    def __init__(self, command, columns=150, rows=40):
        self.folder = tempfile.TemporaryDirectory()
        self.tmux = ["tmux", "-S", os.path.join(self.folder.name, "socket"), "-f", "/dev/null"]
        environment = dict(os.environ, LC_ALL="C.UTF-8", TERM="screen-256color")
        subprocess.run(
            self.tmux + ["new-session", "-d", "-x", str(columns), "-y", str(rows), command],
            check=True, env=environment,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(self.tmux + ["kill-server"], check=False)
        self.folder.cleanup()

    def press(self, *keys):
        subprocess.run(self.tmux + ["send-keys", *keys], check=True)

    def text(self):
        shown = subprocess.run(self.tmux + ["capture-pane", "-p"], capture_output=True, text=True)
        return shown.stdout

    def wait(self, what, seen):
        """Until the screen is as wanted; gives it."""
        deadline = time.monotonic() + PATIENCE
        text = self.text()
        while not seen(text):
            if time.monotonic() > deadline:
                sys.exit(f"{what}: not seen within {PATIENCE} s on this screen:\n{text}")
            time.sleep(0.05)
            text = self.text()
        return text

    def resize(self, columns, rows):
        subprocess.run(
            self.tmux + ["resize-window", "-x", str(columns), "-y", str(rows)], check=True
        )


def line_with(text, *words):
    return next((line for line in text.splitlines() if all(word in line for word in words)), "")


def main():
    tessera = sys.argv[1]
    os.environ["TESSERA_KEY"] = os.environ["TESSERA_ADMIN_KEY"]

    def farm(*words):
        done = subprocess.run([tessera, *words], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"tessera {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    submit = ["submit", "--size", "64x64", "--steps", "150", "--count", "40"]
    farm(*submit, "--priority", "batch", "a boat on a lake")
    farm(*submit, "a \x1b[31mlighthouse by the sea")

    with Terminal(f"{tessera} top --interval 0.2; echo LEFT $?; exec cat") as terminal:
        terminal.wait("the tables", lambda t: "Queue (" in t and "Workers (" in t and "Jobs (" in t)
        text = terminal.wait(
            "a worker at its steps",
            lambda t: "1 of 1 slots busy" in t and line_with(t, "ready", "1/1", "/150"),
        )
        # Both classes wait, and nothing of a prompt reaches the terminal as a command.
        assert line_with(text, "batch") and line_with(text, "normal"), text
        assert "[31mlighthouse" in line_with(text, "lighthouse"), text

        # A filter leaves the rows with these letters, and Escape brings the others back.
        terminal.press("/")
        terminal.press("-l", "lake")
        terminal.press("Enter")
        terminal.wait(
            "the filter", lambda t: line_with(t, "a boat on a lake") and "lighthouse" not in t
        )
        terminal.press("Escape")
        terminal.wait("all rows", lambda t: "lighthouse" in t)

        # Another column to sort by, the other way round.
        terminal.press("Tab")
        terminal.wait("the jobs' table", lambda t: "▸ Jobs" in t)
        terminal.press("s")
        terminal.wait("by tenant", lambda t: "by tenant" in line_with(t, "Jobs ("))
        terminal.press("r")
        terminal.wait("reversed", lambda t: "reversed" in line_with(t, "Jobs ("))

        # Cancelling asks first.
        terminal.press("/")
        terminal.press("-l", "lake")
        terminal.press("Enter")
        terminal.wait("one job", lambda t: "Jobs (1 of 2)" in t)
        terminal.press("c")
        terminal.wait("the question", lambda t: "cancel " in t and "y: yes" in t)
        terminal.press("n")
        terminal.wait("no", lambda t: "nothing was done" in t and "Jobs (1 of 2)" in t)
        terminal.press("c")
        terminal.wait("the question again", lambda t: "y: yes" in t)
        terminal.press("y")
        terminal.wait("the cancelled job is gone", lambda t: "Jobs (0 of 1)" in t)
        terminal.press("Escape")

        # A small terminal and a large one.
        terminal.resize(60, 16)
        terminal.wait("a small screen", lambda t: "Workers (" in t and len(t.splitlines()) <= 16)
        terminal.resize(150, 40)
        terminal.wait("a large screen", lambda t: "last error" in t)

        # Draining, of the only worker.
        terminal.press("BTab")
        terminal.wait("the workers' table", lambda t: "▸ Workers" in t)
        terminal.press("d")
        terminal.wait("the question for the worker", lambda t: "drain " in t and "y: yes" in t)
        terminal.press("y")
        terminal.wait("the drain", lambda t: "draining" in t or "ends what it has" in t)

        terminal.press("?")
        terminal.wait("help", lambda t: "Shift-Tab" in t)
        terminal.press("x")
        terminal.press("q")
        terminal.wait("the end", lambda t: "LEFT 0" in t)

    looked = farm("top", "--once")
    assert "Workers" in looked and "lighthouse" in looked, looked
    refused = subprocess.run([tessera, "top"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert refused.returncode != 0 and "--once" in refused.stderr, refused.stderr


main()
