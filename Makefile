# Everything a developer or a visitor runs. Needs make and Python 3.11 or newer; nothing else is installed system-wide.

PYTHON ?= python3
VENV ?= .venv
OUT ?= out
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
UV := uv==0.13.8
PUBLISHING := build==1.6.1 twine==7.0.0

.DEFAULT_GOAL := help
.PHONY: help demo check test lock dist clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s  %s\n", $$1, $$2}' Makefile

demo: $(VENV)/runtime.stamp ## Fetch weights and the sample clip, run the program on it
	$(PY) -m kinelift weights fetch movenet-multipose blazepose-full sample-clip
	$(PY) -m kinelift run "$$($(PY) -c 'from kinelift.weights.store import locate; print(locate("sample-clip"))')" -o $(OUT)
	@echo && ls -1 $(OUT)/sample-clip/* && echo && echo "Open $(abspath $(OUT))/sample-clip/overlay.mp4"

check: $(VENV)/dev.stamp ## Formatting, lint, types, import contracts
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

test: $(VENV)/dev.stamp ## The fast tests; choose with ARGS="tests/poses -k mirror"
	OMP_NUM_THREADS=1 $(PY) -m pytest $(ARGS)

$(VENV)/runtime.stamp: requirements/runtime.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Kinelift needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -r requirements/runtime.lock
	$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock $(VENV)/runtime.stamp
	$(PIP) install -r requirements/dev.lock
	@touch $@

# One lock for every Python and system: markers choose. torch's CUDA packages stay out: torch pins them itself,
# exactly, and only its CUDA build wants them. Pins are kept where they still fit; renew with LOCKFLAGS=--upgrade.
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-annotate \
	--custom-compile-command "make lock" --constraint requirements/constraints.txt $(LOCKFLAGS)

lock: $(VENV)/runtime.stamp ## Resolve requirements/*.lock anew from pyproject.toml
	$(PIP) install --quiet $(UV)
	$(COMPILE) pyproject.toml -o requirements/runtime.lock
	$(COMPILE) --constraint requirements/runtime.lock pyproject.toml --extra dev -o requirements/dev.lock
	$(COMPILE) --constraint requirements/runtime.lock requirements/detectron2.in -o requirements/detectron2.lock
	sed -i.bak -E '/^(cuda|nvidia|triton)[-=]/d' requirements/*.lock
	rm requirements/*.lock.bak

dist: $(VENV)/runtime.stamp ## Build dist/*.whl and dist/*.tar.gz, and check them (docs/how-to/release.md)
	$(PIP) install --quiet $(PUBLISHING)
	rm -rf build dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*

clean: ## Remove the environment and all caches, keep results
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
