# make demo    build, train and explain, all on this machine
# make test    every check: style, layers, types, tests
# make lint    the checks that run nothing
# make build   the wheel and the source distribution, in dist/
# make bench   the benchmark suite (BENCH="accuracy --quick" for one of it)
# make clean   remove what was made, .venv included; downloads stay in the user's cache

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# torch goes in first and pinned: left to a plain range, pip may choose a CUDA build and pull
# gigabytes that a processor never uses. For a graphics card, name the build that fits it.
TORCH ?= torch==2.13.0
BENCH ?= --help
PYTEST_ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.PHONY: demo test lint build bench clean fetch typed

demo: .venv/.demo
	$(BIN)/whythis demo --out demo

test: .venv/.dev fetch lint
	@echo "== tests"
	WHYTHIS_TESTS=all $(BIN)/python -m pytest $(PYTEST_ARGS)

fetch: .venv/.dev
	@echo "== data and language model (1.1 GB the first time, then from the cache)"
	$(BIN)/whythis data fetch ml-100k
	$(BIN)/whythis models fetch qwen2.5-coder-1.5b

lint: .venv/.dev typed
	@echo "== style, layers, types"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=build/typed $(BIN)/lint-imports --no-logo
	MYPYPATH=build/typed $(BIN)/mypy -p whythis

# Types and layers are judged where every folder stands under `whythis`, as in the wheel. build/
# goes first: setuptools would pack files that are no longer in the sources from build/lib.
typed: .venv/.dev
	@rm -rf build
	@$(PIP) install --no-deps --no-build-isolation --target build/typed .

build: .venv/.dev
	@rm -rf build dist
	$(BIN)/python -m build --no-isolation

bench: .venv/.demo
	$(BIN)/whythis bench $(BENCH)

clean:
	rm -rf .venv build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis

# Stamps: pip runs again only when pyproject.toml changed.
.venv/.base:
	@echo "== virtual environment and $(TORCH) (200 MB, 1 to 2 minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "whythis needs Python 3.11 to 3.13: make PYTHON=python3.12 ..."; exit 2; }
	@command -v cc >/dev/null && command -v c++ >/dev/null || \
		{ echo "llama.cpp is compiled here: install a C and a C++ compiler (gcc, g++)"; exit 2; }
	@$(PYTHON) -m venv .venv
	@$(PIP) install --upgrade pip
	@$(PIP) install "$(TORCH)"
	@touch $@

.venv/.demo: pyproject.toml .venv/.base
	@echo "== packages for the demo (compiles llama.cpp: about 5 minutes on 2 cores, once)"
	@$(PIP) install -e ".[local]"
	@touch $@

.venv/.dev: pyproject.toml .venv/.base
	@echo "== packages for tests (compiles llama.cpp: about 5 minutes on 2 cores, once)"
	@$(PIP) install -e ".[local,mcp,server,otel,batch,bench,dev]"
	@touch .venv/.demo $@
