#!/usr/bin/env python3
"""Holds every #include against the table of rooms: who may include whom, and which third-party
headers each room may see. Prints each breach; exit code 1 if there is any.
"""
import pathlib
import re
import sys

# Room -> (rooms it may include, third-party header prefixes allowed in its .cpp files).
ANYWHERE = ("fmt/", "tl/expected.hpp")
ROOMS = {
    "base": ((), ("openssl/", "xxhash.h", "utf8proc.h")),
    "telemetry": (("base",), ("prometheus/", "spdlog/", "nlohmann/")),
    "imaging": (("base",), ("vips/", "glib.h", "seccomp.h", "zlib.h", "nlohmann/")),
    "prompt": (("base",), ("utf8proc.h", "nlohmann/")),
    "checkpoint": (("base",), ("nlohmann/",)),
    "models": (("base", "checkpoint"), ("onnx/", "google/protobuf/", "nlohmann/")),
    "inference": (("base", "checkpoint", "models"), ("onnxruntime", "nlohmann/")),
    "upscaling": (("base", "imaging", "checkpoint", "models", "inference"), ()),
    "diffusion": (("base", "prompt", "checkpoint", "models", "inference"), ("nlohmann/",)),
    "config": (("base",), ("toml++/",)),
    "job": (("base",), ("google/protobuf/", "tessera/v1/")),
    "storage": (("base", "telemetry"), ("openssl/",)),
    "queue": (("base", "job"), ("sqlite3.h", "google/protobuf/", "tessera/v1/")),
    "link": (("base", "telemetry", "job"), ("google/protobuf/", "tessera/v1/")),
    "scheduler": (("base", "telemetry", "job", "storage", "queue", "link"), ()),
    "worker": (("base", "telemetry", "job", "storage", "link"), ()),
    "events": (("base", "telemetry", "job", "queue"), ()),
    "http": (("base",), ("boost/", "openssl/")),
    "api": (
        (
            "base", "telemetry", "imaging", "config", "job", "storage", "queue", "link", "scheduler",
            "events", "http",
        ),
        ("nlohmann/", "openssl/"),
    ),
}
TEST_HEADERS = ("gtest/", "gmock/", "rapidcheck", "onnx/")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
SYSTEM = re.compile(r"^((sys|linux|netinet|arpa)/|[a-z_0-9]+(\.h)?$)")  # <vector>, <unistd.h>, <sys/mman.h>
THIRD_PARTY_TOP = (
    "xxhash.h", "zlib.h", "glib.h", "seccomp.h", "utf8proc.h", "rapidcheck.h", "sqlite3.h", "onnxruntime"
)


def is_third_party(header):
    return header.startswith(THIRD_PARTY_TOP) or not SYSTEM.match(header)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    breaches = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        room = path.relative_to(root / "src").parts[0]
        if room not in ROOMS:
            breaches.append(f"{path.relative_to(root)}: room '{room}' is not in the table of {sys.argv[0]}")
            continue
        rooms, libraries = ROOMS[room]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            where = f"{path.relative_to(root)}:{number}"
            is_test = path.name.endswith("_test.cpp") or path.name.endswith("_test.h")
            if quote == '"':
                target = header.split("/")[0]
                if target != room and target not in rooms and not is_test:
                    breaches.append(f"{where}: {room} may not include {target} ({header})")
                elif not (root / "src" / header).exists():
                    breaches.append(f"{where}: no such header src/{header} (includes are rooted at src/)")
            elif is_third_party(header) and not header.startswith(ANYWHERE):
                if is_test and header.startswith(TEST_HEADERS + libraries):
                    continue
                if not header.startswith(libraries):
                    breaches.append(f"{where}: {header} is behind another room's wall")
                elif path.suffix == ".h" and not path.name.endswith("_internal.h"):
                    breaches.append(f"{where}: third-party header {header} in a public header")
    print("\n".join(breaches) or "layers: every include goes up the list of rooms")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
