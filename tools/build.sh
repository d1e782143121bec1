#!/usr/bin/env bash
# Configures a preset, the first time or with other options, and builds it, or one target of it:
#   tools/build.sh release [-DTESSERA_BENCH=ON ...]
#   tools/build.sh release --target tessera-simulation
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
target=()
if [ "${1:-}" = --target ]; then
    target=(--target "$2")
    shift 2
fi
if [ ! -f "build/$preset/build.ninja" ] || [ $# -gt 0 ]; then
    cmake --preset "$preset" "$@"
fi
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}" "${target[@]}"
