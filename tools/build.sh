#!/usr/bin/env bash
# Configures a preset the first time and builds it: tools/build.sh release
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset"
fi
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}"
