#!/usr/bin/env python3
"""Holds README.md and docs/ against the tree: every repository path that they name must exist.

Looked at are
- words in backticks with a slash in them whose first part is a name at the root of the repository
  (`docs/formats.md`), a room of src/ (`diffusion/pipeline.cpp`) or a program of apps/
  (`tessera/painting.cpp`): the last two as #include spells them;
- relative links and pictures: [text](docs/formats.md), from the folder of the file they stand in.

A `*` matches as in a shell, and src/diffusion/random.h:38 is the file without the line. Fenced code
blocks are left alone, and so are build/ and demo/, which the Makefile makes. Prints each path that
is not there; exit code 1 if there is any.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACES = (ROOT, ROOT / "src", ROOT / "apps")
MADE_HERE = ("build", "demo")
FENCE = re.compile(r"^ *(```|~~~)")
CODE = re.compile(r"(`+)(.+?)\1")
PATH = re.compile(r"[\w.*+-]+(/[\w.*+-]+)*/?")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def exists(place, path):
    return any(place.glob(path.strip("/"))) if "*" in path else (place / path).exists()


def paths_in_backticks(line):
    """Yields (path, the places of which one must have it)."""
    for _, code in CODE.findall(line):
        path = re.sub(r":\d+$", "", code.strip())
        if "/" not in path or not PATH.fullmatch(path):
            continue
        first = path.split("/")[0]
        places = [place for place in PLACES if (place / first).exists()]
        if first not in (*MADE_HERE, "..") and places:
            yield path, places


def links(line):
    for target in LINK.findall(CODE.sub("", line)):
        path = target.split("#")[0]
        if path and not re.match(r"[a-z]+:", path):
            yield path


def main():
    missing = []
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        fenced = False
        for number, line in enumerate(document.read_text().splitlines(), 1):
            if FENCE.match(line):
                fenced = not fenced
            if fenced:
                continue
            lost = [path for path, places in paths_in_backticks(line)
                    if not any(exists(place, path) for place in places)]
            lost += [path for path in links(line) if not exists(document.parent, path)]
            where = f"{document.relative_to(ROOT)}:{number}"
            missing += [f"{where}: there is no {path}" for path in lost]
    print("\n".join(missing) or "docs: every path that they name exists")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
