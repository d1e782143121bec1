#!/usr/bin/env bash
# Where a CUDA GPU is present: builds the rooms up to diffusion/, loads ONNX Runtime's CUDA provider
# and compares one SD1.5-sized UNet on it with the CPU, in fp32. Elsewhere it says so and is done.
# Needs CUDA 13 and cuDNN 9 where the loader finds them, or in the Python packages nvidia-*.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
    echo "test-gpu: no CUDA GPU on this machine, so there is nothing to test"
    exit 0
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

tools/setup.sh build bench
room=third_party/onnxruntime-gpu
providers=$room/node_modules/com.github.asus4.onnxruntime.linux-x64-gpu/Plugins/Linux/x64
if [ ! -f $providers/libonnxruntime_providers_cuda.so ]; then
    (cd $room && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
fi
# ONNX Runtime looks for its providers beside itself.
runtime=${ONNXRUNTIME_ROOT:-third_party/onnxruntime/node_modules/com.github.asus4.onnxruntime}/Plugins/Linux/x64
for provider in shared cuda; do
    ln -sf "$PWD/$providers/libonnxruntime_providers_$provider.so" "$runtime/"
done
# CUDA and cuDNN as PyTorch's packages bring them, if they are not installed otherwise.
for site in $(python3 -c 'import site; print(" ".join(site.getsitepackages()))' 2>/dev/null); do
    for lib in "$site"/nvidia/*/lib; do
        [ -d "$lib" ] && LD_LIBRARY_PATH="$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    done
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}

cmake --preset release -DTESSERA_BENCH=ON >/dev/null
cmake --build --preset release --target gpu_check -j "${JOBS:-$(nproc)}"
build/release/bin/gpu_check build/bench/sd15-random "${SIDE:-512}"
