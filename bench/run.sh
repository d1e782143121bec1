#!/usr/bin/env bash
# The figures of docs/performance.md, on this machine, now. Writes 4.3 GB under build/bench the first
# time, and as much again as engine cache. Takes some ten minutes on two cores.
#   bench/run.sh [rooms|queue|farm|telemetry|processes|sd15|upscale|memory|demo|batch ...]      # default: all
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("${@:-rooms queue farm telemetry processes sd15 upscale memory demo batch}")
bin=build/release/bin
work=build/bench
mkdir -p "$work"

wants() { [[ " ${parts[*]} " == *" $1 "* ]]; }
title() { printf '\n## %s\n' "$*"; }

if wants rooms; then
    title "hot paths outside the networks"
    $bin/room_bench --benchmark_min_time=0.2 2>/dev/null
fi

if wants queue; then
    title "queue on SQLite at full durability: submit, claim, complete, in process"
    $bin/queue_bench $work/queue 5
fi

if wants farm; then
    title "farm without rendering; the HTTP server by itself; the scheduler's decision"
    $bin/farm_bench $work/farm
    $bin/http_bench
    $bin/scheduler_bench
fi

if wants telemetry; then
    title "measuring: an update, a scrape with 1,000 workers and 10,000 waiting tasks, a job's trace"
    $bin/telemetry_bench
fi

if wants processes; then
    title "demo model: a farm of two worker processes against one, a thread each"
    bench/process_ratio.py $bin/tessera $work/processes
fi

if wants sd15; then
    title "SD1.5-sized model, fp32, random weights"
    $bin/make_bench_model $work/sd15-random
    stdbuf -oL $bin/sd15_bench $work/sd15-random 256 512
fi

if wants upscale; then
    title "x4 of 512 x 512, Real-ESRGAN-sized network, fp32, random weights"
    stdbuf -oL $bin/upscale_bench $work/upscale
fi

# Peak memory of a 512 x 512 render: private memory plus the weights that are mapped, once.
if wants memory; then
    title "memory of a 512 x 512 render, fp32"
    $bin/make_bench_model $work/sd15-random
    export TESSERA_CACHE_DIR=$work/cache
    for state in "cold cache" "warm cache"; do
        [ "$state" = "cold cache" ] && rm -rf "$TESSERA_CACHE_DIR"
        python3 bench/peak_memory.py "$state" -- $bin/tessera render "a lighthouse" \
            -m $work/sd15-random --size 512x512 --steps 1 --seed 1 --out $work/memory.png
    done
    du -sm $work/sd15-random | awk '{print "  weights on disk " $1 " MiB"}'
fi

if wants demo; then
    title "demo model: process start to PNG written, 20 steps, warm cache"
    export TESSERA_CACHE_DIR=$work/cache
    $bin/tessera render "a lighthouse by the sea at dawn" --steps 20 --seed 1 --out $work/demo.png 2>/dev/null
    for run in 1 2 3 4 5; do
        /usr/bin/env time -f '  %e s wall, %U s user, %M KiB peak' \
            $bin/tessera render "a lighthouse by the sea at dawn" --steps 20 --seed 1 \
            --out $work/demo.png 2>&1 >/dev/null | tail -n 1
    done
fi

if wants batch; then
    title "demo model: 20 pictures of a prompt file against their own steps and decoding, warm cache"
    export TESSERA_CACHE_DIR=$work/cache
    $bin/tessera render "a lake" --steps 1 --out $work/demo.png >/dev/null 2>&1
    for run in 1 2 3; do
        bench/batch_ratio.py $bin/tessera $work/batch
    done
fi
