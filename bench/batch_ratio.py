#!/usr/bin/env python3
"""Renders a prompt file of 20 lines and compares the wall time with the ideal: the pictures' own
steps and decoding, as the same run measured them. What is above that is start-up, prompts, encoding
and writing files, and the journal.

    bench/batch_ratio.py PROGRAM FOLDER
"""
import json
import os
import subprocess
import sys
import time

SCENES = ["a lighthouse by the sea", "a pine forest", "dunes", "a city", "a castle on a hill"]
TIMES = ["at dawn", "at noon", "at sunset", "at night"]


def main():
    program, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    prompts = os.path.join(folder, "prompts.txt")
    with open(prompts, "w") as file:
        file.writelines(f"{scene} {time_of_day}\n" for scene in SCENES for time_of_day in TIMES)
    start = time.monotonic()
    run = subprocess.run(
        [program, "render", "--prompts", prompts, "--steps", "20", "--seed", "1", "--json",
         "--out", folder + "/"],
        check=True, capture_output=True)
    wall = time.monotonic() - start
    pictures = json.loads(run.stdout)["pictures"]
    ideal = sum(p["seconds"]["steps"] + p["seconds"]["decoding"] for p in pictures)
    for picture in pictures:
        os.remove(picture["path"])
    print(f"  {len(pictures)} pictures: {wall:.2f} s, ideal {ideal:.2f} s, ratio {ideal / wall:.3f}")


if __name__ == "__main__":
    main()
