# Tessera's front door. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)

.PHONY: help demo build test tsan fuzz bench lint format goldens test-gpu setup clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: build  ## set up, build and render four pictures into demo/
	@tools/demo.sh

build:  ## set up and build the program: build/release/bin/tessera
	@tools/setup.sh build
	@tools/build.sh release

test:  ## set up, build with sanitizers and run the tests
	@tools/setup.sh build test
	@tools/build.sh dev
	@ctest --preset dev

tsan:  ## the rooms without ONNX Runtime under ThreadSanitizer
	@tools/setup.sh build test
	@tools/build.sh tsan
	@ctest --preset tsan

fuzz:  ## compile all with clang and fuzz each parser for FUZZ_SECONDS (default 30)
	@tools/setup.sh build lint
	@tools/build.sh fuzz
	@tools/fuzz.sh $${FUZZ_SECONDS:-30}

bench:  ## figures for docs/performance.md: kernel ceilings, SD1.5-sized network, the demo model
	@tools/setup.sh build bench
	@tools/build.sh release -DTESSERA_BENCH=ON
	@bench/run.sh

lint:  ## format, layering, and clang-tidy on the files that changed since BASE (default: main's last landing)
	@tools/setup.sh build test lint
	@tools/lint.sh

format:  ## rewrite the sources as .clang-format says
	@git ls-files --cached --others --exclude-standard '*.h' '*.cpp' ':!training' | xargs clang-format-14 -i

goldens: build  ## check reference tensors: make goldens DIR=folder
	@build/release/bin/tessera-goldens "$${DIR:-$(or $(DIR),tests/data)}"

test-gpu:  ## on a machine with a CUDA GPU: one SD1.5-sized UNet on it against the CPU
	@tools/test_gpu.sh

setup:  ## install what build, test and lint need, without building
	@tools/setup.sh build test lint bench

clean:  ## remove the build folders
	rm -rf build
