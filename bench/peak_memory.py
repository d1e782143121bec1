#!/usr/bin/env python3
"""Runs a command and prints its peak memory: private (RssAnon), mapped files (RssFile), their sum.

    bench/peak_memory.py LABEL -- COMMAND ARG...

The three peaks are of the same moment, sampled every 20 ms from /proc. RssFile counts a mapped page
once, also when other processes map it.
"""
import subprocess
import sys
import time


def sample(pid):
    values = {}
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(("RssAnon", "RssFile")):
                key, kib = line.split()[:2]
                values[key.rstrip(":")] = int(kib)
    return values


def main():
    label, separator, *command = sys.argv[1:]
    assert separator == "--", __doc__
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = {"RssAnon": 0, "RssFile": 0}
    highest_anon = 0
    while process.poll() is None:
        try:
            now = sample(process.pid)
        except (FileNotFoundError, ProcessLookupError):
            break
        if now and sum(now.values()) > sum(peak.values()):
            peak = now
        highest_anon = max(highest_anon, now.get("RssAnon", 0))
        time.sleep(0.02)
    code = process.wait()
    print(f"  {label}: peak {sum(peak.values()) / 1024:.0f} MiB = RssAnon {peak['RssAnon'] / 1024:.0f}"
          f" + RssFile {peak['RssFile'] / 1024:.0f} MiB; highest RssAnon {highest_anon / 1024:.0f} MiB;"
          f" exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
