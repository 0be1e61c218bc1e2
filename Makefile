# From a clean checkout: `make compare` or `make test`. Everything is installed into .venv; nothing needs to
# be activated. Another Python: `make test PYTHON=python3.12`.

PYTHON ?= python3
# The address of a wheel index with a CPU build of torch (PyTorch's installation page names it) saves gigabytes
# of CUDA libraries: `make compare TORCH_INDEX=<address>`. Without it pip takes the build it finds.
TORCH_INDEX ?=
WORKERS ?= 2

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help compare test slow lint format docs clean

help:
	@echo 'make compare   train and compare the models on the embedded digits; prints where the figures are'
	@echo 'make test      lint, types, import contracts and tests'
	@echo 'make slow      the tests that take minutes'
	@echo 'make lint      only lint, types and import contracts'
	@echo 'make format    format the code and mend what the linter can'
	@echo 'make docs      the documentation as a site in site/; a warning fails it'
	@echo 'make clean     remove caches and build output (not .venv, not runs/)'

compare: .venv/.installed
	$(BIN)/rc-vs-snn compare --preset digits --out runs/digits
	@echo 'Figures and tables: runs/digits/figures'

# One thread per test process: two processes on two cores must not start four threads each.
test slow: export OMP_NUM_THREADS = 1

test: lint
	$(BIN)/python -m pytest -n $(WORKERS)

slow: .venv/.installed-dev
	$(BIN)/python -m pytest -m slow

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Without a network: nothing of the site is loaded from elsewhere.
docs: .venv/.installed-dev
	$(BIN)/mkdocs build --strict
	@echo 'site/index.html'

clean:
	rm -rf site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find rc_vs_snn tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a second call installs nothing unless pyproject.toml or constraints.txt has changed.

$(BIN)/pip:
	$(PYTHON) -m venv .venv

# torch first and alone, so that the wheel without CUDA is there before anything asks for torch.
.venv/.torch: constraints.txt | $(BIN)/pip
	$(PIP) --no-deps $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch
	touch $@

.venv/.installed: .venv/.torch pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

.venv/.installed-dev: .venv/.torch pyproject.toml constraints.txt
	$(PIP) -e '.[dev]'
	touch .venv/.installed $@

# Speed against what a user would run instead (docs/speed.md): `make bench BENCH='--only inference'`. A peer that
# is not installed is skipped; `make bench-peers` installs them.
BENCH ?=

.PHONY: bench bench-peers

bench: .venv/.installed
	$(BIN)/python -m benchmarks $(BENCH)

bench-peers: .venv/.installed
	$(PIP) -e '.[bench,onnx]'
