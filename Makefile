# Everything a person or a machine does with this project. `make` alone lists it.
#
# The targets ask what is there and do only what is not: packages are asked of dpkg, models are hashed, the rest is
# CMake's and Ninja's business. Nothing is remembered that could be wrong.

LISTEN ?= 127.0.0.1:5555
DATA ?= var
# More arguments for aiboxd or the benchmark, e.g. make run ARGS='--set vision.workers=1'
ARGS ?=
# What `make bench` runs: everything, or one of tools/bench/
BENCH ?= aibox-bench
# What `make masks` learns from: lfw/ and pairs.txt as docs/models.md says
FACES ?= ../shared/faces
# Seconds for each fuzz target, e.g. make test FUZZ_SECONDS=60
FUZZ_SECONDS ?= 10

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build models demo test test-long lint format bench masks clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build and start the box for this computer alone (LISTEN=127.0.0.1:5555 DATA=var)
	@test -x build/release/aiboxd || { echo "run: this checkout holds no aiboxd" >&2; exit 1; }
	@echo "access is open: whoever reaches $(LISTEN) may do everything, so it is loopback only (docs/security.md)"
	@exec build/release/aiboxd --data $(DATA) --listen $(LISTEN) --set access.mode=open $(ARGS)

build: models ## install what is missing, fetch the models, build build/release
	@scripts/build.sh release -DAIBOX_TESTS=OFF

models: ## fetch and check the models and sample pictures
	@scripts/packages.sh build
	@node scripts/models.mjs

demo: build ## a guided tour on the sample pictures
	@scripts/demo.sh

test: ## everything that must hold: unit, ThreadSanitizer, fuzz, lint, end to end
	@scripts/packages.sh build test
	@node scripts/models.mjs
	@AIBOX_FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/test.sh $(STAGES)

test-long: ## the same with longer tests and 10 minutes for each fuzz target
	@AIBOX_LONG=1 $(MAKE) --no-print-directory test FUZZ_SECONDS=600

lint: ## the code's rules
	@scripts/packages.sh build test
	@scripts/lint.sh

format: ## lay out all C files
	@git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' | xargs -0 -r clang-format -i

bench: ## everything the box promises, measured (BENCH=bench-gallery, bench-accuracy, bench-store: one part)
	@scripts/packages.sh build bench
	@node scripts/models.mjs
	@scripts/build.sh bench
	@build/bench/$(BENCH) $(ARGS)

masks: build ## teach the model set anew to tell masked faces (FACES=DIR with lfw/ and pairs.txt)
	@build/release/aibox-mask --faces $(FACES) --models build/models $(ARGS) train models/mask.json
	@node scripts/models.mjs --adopt

clean: ## remove what was compiled, keep what was fetched
	@rm -rf build/release build/debug build/tsan build/fuzz build/bench build/lint build/results build/console build/*.log

distclean: ## remove everything that is not in git, but never the data folder
	@rm -rf build tests/node_modules console/node_modules
