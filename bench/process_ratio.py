#!/usr/bin/env python3
"""Pictures per second of a farm with two worker processes against one, a thread each, on one machine.

    bench/process_ratio.py PROGRAM FOLDER

Both farms run at once, and take turns in painting, so that what else the machine does meets both
alike. Times are from the job's submission to its end, pictures included.
"""
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PICTURES = 24
ROUNDS = 5
PROMPT = "a lighthouse by the sea at dawn"


class Farm:
    def __init__(self, program: str, folder: Path, processes: int):
        self.program = program
        command = [program, "serve", "--port", "0", "--data", folder, "--threads", "1"]
        self.server = subprocess.Popen(
            [*command, "--workers", str(processes)], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL,
        )
        for line in self.server.stdout:
            if found := re.search(r"http://\S+", line):
                self.url = found[0]
                break
        self.paint(4 * processes, 1)  # models are loaded, and speeds known

    def paint(self, pictures: int, seed: int) -> float:
        begun = time.monotonic()
        subprocess.run(
            [self.program, "submit", PROMPT, "--model", "tessera-tiny", "--steps", "20", "--wait",
             "--count", str(pictures), "--seed", str(seed), "--server", self.url],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        return time.monotonic() - begun

    def stop(self):
        self.server.terminate()
        self.server.wait()


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    farms = []
    try:
        for processes in (1, 2):
            farms.append(Farm(program, folder / str(processes), processes))
        times = [[], []]
        for turn in range(ROUNDS):
            for farm, its_times in zip(farms, times):
                its_times.append(farm.paint(PICTURES, 100 * (turn + 1)))
        one, two = (sorted(its_times)[ROUNDS // 2] for its_times in times)
        print(f"  1 process: {PICTURES / one:.2f} pictures/s; 2 processes: {PICTURES / two:.2f} "
              f"pictures/s; ratio {one / two:.2f} (medians of {ROUNDS})")
    finally:
        for farm in farms:
            farm.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
