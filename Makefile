# Everything that a checkout can do. Each target makes its own environment first: Python 3.11 or newer, pip (or uv)
# and make are enough. PYTHON=/path/to/python chooses another interpreter, VENV=folder another place.

SHELL := /bin/sh
VENV ?= .venv
PYTHON ?=
SECONDS ?= 60
WATCH ?=
PHONE ?=
BIN := $(VENV)/bin
# One more than there are cores: many tests wait for another process.
WORKERS = $$($(BIN)/python -c 'import os; print(min(8, os.cpu_count() + 1))')
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage check format bench bench-check bench-counts mutants fuzz fuzz-long test-system test-long test-hardware test-interpreters docs build constraints clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv with everything in it, or bring it up to date
	@sh tools/setup.sh $(VENV)

demo: setup ## A watch and a phone pair, talk, part and reconnect over the embedded radio
	$(BIN)/blechannel demo --out demo-output

test: setup ## Run the tests (at most two minutes)
	$(BIN)/python -m pytest -n $(WORKERS) --dist=worksteal

coverage: setup ## Run the tests and hold the coverage: every branch of the core, nine tenths around it
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) --dist=worksteal --cov --cov-report=
	sh tools/coverage.sh $(BIN)/coverage

check: setup ## Format, lint, types, layers, generated documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m blechannel_tools.docs --check

format: setup ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: ## Measure against the floors and the witnesses, into docs/benchmarks.md (five minutes, on a quiet machine)
	@sh tools/setup.sh .venv-bench all,test,bench
	.venv-bench/bin/python -m pytest tests/bench -m bench -s --timeout=600 --table=docs/benchmarks.md

bench-check: setup ## Count what the hot paths do, and compare it with what is kept (seconds, on any machine)
	$(BIN)/python -m tests.bench.counts --check

bench-counts: setup ## Keep what the hot paths do now, for bench-check
	$(BIN)/python -m tests.bench.counts --write

mutants: setup ## Take away each security check in turn and see that a test fails
	$(BIN)/python -m tests.mutants.run

fuzz: ## Fuzz every decoder and whole sessions (SECONDS=60 in all; Linux)
	@sh tools/setup.sh .venv-fuzz all,test,fuzz
	.venv-fuzz/bin/python -m tests.fuzz.run $(SECONDS)

fuzz-long: ## The same for ten minutes
	@$(MAKE) fuzz SECONDS=600

test-system: setup ## Tests that need software of the system (tshark, QEMU, mosquitto)
	@sh tools/system_tests.sh $(BIN)/python

test-long: setup ## Tests that take minutes (TESTS=tests/hostile for some of them)
	$(BIN)/python -m pytest $(TESTS) -m long --timeout=3600

test-hardware: setup ## Try two adapters on this desk (WATCH=usb:0 PHONE=usb:1)
	$(BIN)/python -m pytest tests/hardware -m hardware -v --watch="$(WATCH)" --phone="$(PHONE)"

test-interpreters: ## Run the tests on every Python 3.11 to 3.14 of this machine (SKIP=3.11 leaves one out)
	@sh tools/interpreters.sh "$(SKIP)"

docs: setup ## Write the generated pages of docs/ anew
	$(BIN)/python -m blechannel_tools.docs

build: setup ## Source archive and wheel into dist/
	$(BIN)/python -m build --no-isolation

constraints: ## Resolve constraints.txt anew (needs uv)
	@sh tools/constraints.sh

clean: ## Remove what was built, measured or demonstrated
	rm -rf build dist demo-output fuzz-findings .coverage .coverage.* .benchmarks .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find blechannel gatt_profiles tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## The same, and the environments and the virtual machine
	rm -rf .venv .venv-3.* .venv-bench .venv-fuzz .bluez-vm
