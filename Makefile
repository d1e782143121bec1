# Tessera's front door. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)

.PHONY: help demo serve monitor build test sim chaos tsan fuzz bench lint format goldens test-gpu test-zabbix setup clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: build  ## set up, build, run a small farm and render ten pictures into demo/
	@tools/demo.sh

serve: build  ## the farm on this machine, until Ctrl-C: http://127.0.0.1:7860
	@build/release/bin/tessera serve --workers 2

monitor:  ## Prometheus beside a running farm (TESSERA_SERVER), until Ctrl-C; says where to look
	@tools/setup.sh monitor
	@monitor/farm_prometheus.py

build:  ## set up and build the program: build/release/bin/tessera
	@tools/setup.sh build
	@tools/build.sh release

test:  ## set up, build with sanitizers and run the tests
	@tools/setup.sh build test monitor
	@tools/build.sh dev
	@tools/build.sh release
	@ctest --preset dev
	@build/release/bin/tessera-simulation --seeds 2000
	@python3 tests/chaos/chaos.py --program build/release/bin/tessera --seconds 90

sim:  ## SEEDS (default 10,000) farms in virtual time, with deaths; a seed that fails fails again
	@tools/setup.sh build
	@tools/build.sh release --target tessera-simulation
	@build/release/bin/tessera-simulation --seeds $${SEEDS:-10000}

chaos: build  ## kills and freezes a real farm at random; 4,000 tasks must come out right (SEED)
	@python3 tests/chaos/chaos.py --program build/release/bin/tessera --tasks 4000 --kills 180 \
		--pauses 60 --server-kills 5 $(if $(SEED),--seed $(SEED))

tsan:  ## the farm's rooms that have threads under ThreadSanitizer
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

test-zabbix: build  ## a real Zabbix, in a private folder, watches a farm by our template
	@tools/setup.sh zabbix
	@tests/monitor/zabbix_import.py build/release/bin/tessera

setup:  ## install what build, test and lint need, without building
	@tools/setup.sh build test monitor lint bench

clean:  ## remove the build folders
	rm -rf build
