#!/usr/bin/env bash
# Runs every libFuzzer target for SECONDS each, from its seeds in fuzz/corpus/<target>.
#   tools/fuzz.sh 30 [TARGET...]
# FUZZ_SEED=N mutates in the order of N, so that a run which judges a change meets what the run
# before it met; without it every run looks elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
shift || true
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(find build/fuzz/fuzz -maxdepth 1 -type f -executable -printf '%f\n' | sort)

for target in "${targets[@]}"; do
    mkdir -p "build/fuzz/found/$target"
    printf '%-28s' "$target"
    log=build/fuzz/found/$target.log
    if "build/fuzz/fuzz/$target" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/found/$target/" \
        "build/fuzz/found/$target" "fuzz/corpus/$target" >"$log" 2>&1; then
        tail -n 1 "$log"
    else
        echo "FAILED"
        tail -n 30 "$log"
        exit 1
    fi
done
