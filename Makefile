# Everything a developer or a visitor runs. Needs make and Python 3.11 or newer; nothing else is installed system-wide.

PYTHON ?= python3
VENV ?= .venv
OUT ?= out
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
LOCKED := $(PIP) install --no-deps --require-hashes --only-binary :all:

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
	OMP_NUM_THREADS=1 $(PY) -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

$(VENV)/runtime.stamp: requirements/runtime.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Kinelift needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(LOCKED) -r requirements/runtime.lock
	$(PIP) install -r requirements/torch.lock $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(PIP) install --no-deps --no-build-isolation -e .
	$(PIP) check
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock $(VENV)/runtime.stamp
	$(LOCKED) -r requirements/dev.lock
	$(PIP) check
	@touch $@

# One lock for every Python and system: markers choose, and pip checks the hash of what it installs. torch and torchvision
# have several builds of one version, so they get files of their own, without hashes. torch's CUDA packages stay out: torch
# pins them itself, exactly, and only its CUDA build wants them (docs/decisions/024-locks-with-hashes.md).
# Pins are kept where they still fit; renew with LOCKFLAGS=--upgrade.
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-annotate \
	--generate-hashes --custom-compile-command "make lock" --constraint requirements/constraints.txt $(LOCKFLAGS)
SPLIT := awk '/^[^ ]/ { name = $$1; sub(/==.*/, "", name) } \
	name ~ /^torch(vision)?$$/ { if (/==/) print $$1 > ("requirements/" name ".lock"); next } \
	name !~ /^(cuda|nvidia|triton)(-|$$)/'

lock: $(VENV)/runtime.stamp ## Resolve requirements/*.lock anew from pyproject.toml
	$(LOCKED) --quiet -r requirements/tools.lock
	$(COMPILE) pyproject.toml -o requirements/runtime.lock
	$(SPLIT) requirements/runtime.lock > requirements/new && mv requirements/new requirements/runtime.lock
	$(COMPILE) -c requirements/runtime.lock -c requirements/torch.lock pyproject.toml --extra dev -o requirements/dev.lock
	$(SPLIT) requirements/dev.lock > requirements/new && mv requirements/new requirements/dev.lock
	$(COMPILE) -c requirements/runtime.lock -c requirements/torch.lock requirements/detectron2.in -o requirements/detectron2.lock
	$(SPLIT) requirements/detectron2.lock > requirements/new && mv requirements/new requirements/detectron2.lock
	$(COMPILE) -c requirements/runtime.lock requirements/tools.in -o requirements/tools.lock

dist: $(VENV)/runtime.stamp ## Build dist/*.whl and dist/*.tar.gz, and check them (docs/how-to/release.md)
	$(LOCKED) --quiet -r requirements/tools.lock
	rm -rf build dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*

clean: ## Remove the environment and all caches, keep results
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
