#!/usr/bin/env bash
# Configures a preset, the first time or with other options, and builds it:
#   tools/build.sh release [-DTESSERA_BENCH=ON ...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
if [ ! -f "build/$preset/build.ninja" ] || [ $# -gt 0 ]; then
    cmake --preset "$preset" "$@"
fi
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}"
