# make search: from a bundled supernet, table and predictor to a trained network, exported and measured.
# make test:   everything that can be checked, peers included.
SWIFT ?= swift
PYTHON := $(CURDIR)/.venv/bin/python
# Latency with its unit, such as 0.6ms; twice what the smallest network takes here when left out.
BUDGET ?=
# Folder of CIFAR-10 images, to count hits on.
IMAGES ?=

.PHONY: search test build bench-engine bench-supernet format clean

search: Scripts/setup.sh
	@Scripts/setup.sh search
	@echo "building swiftlet; this takes minutes the first time" >&2
	@said=$$($(SWIFT) build -c release --product swiftlet --quiet 2>&1) || { printf "%s\n" "$$said" >&2; exit 1; }
	@Scripts/search.sh "$(BUDGET)" "$(IMAGES)"

build:
	@Scripts/setup.sh search
	$(SWIFT) build -c release --product swiftlet

# Numeric tests are meant for release builds.
test:
	@Scripts/setup.sh test
	$(SWIFT) build -c release --build-tests -Xswiftc -enable-testing --scratch-path .build-test
	SWIFTLET_PYTHON=$(PYTHON) $(SWIFT) test -c release --skip-build -Xswiftc -enable-testing --scratch-path .build-test

# The engine beside PyTorch and ONNX Runtime, in one run.
bench-engine:
	@Scripts/setup.sh test
	@$(MAKE) --no-print-directory -C Benchmarks engine PYTHON=$(PYTHON)

# Training and evaluating a supernet beside the published package in PyTorch, in one run.
bench-supernet:
	@Scripts/setup.sh test
	@$(MAKE) --no-print-directory -C Benchmarks supernet PYTHON=$(PYTHON)

format:
	$(SWIFT) format lint --strict --recursive Sources Tests --parallel

clean:
	rm -rf .build .build-test .venv
