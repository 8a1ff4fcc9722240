# Lookback. `make run` starts the app with its worker, `make test` tests everything. PORT, WORKSPACE and PYTHON may be given.
PORT ?= 8501
WORKSPACE ?= $(CURDIR)/data/workspaces/demo
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
export PORT WORKSPACE

.PHONY: run test lint browser
.DEFAULT_GOAL := run

run: .venv/.warm
	@echo "== Starting the app and its worker (workspace $(WORKSPACE))"
	@$(BIN)/python -m core serve

test: .venv/.installed browser
	@echo "== Testing everything, the browser included"
	@$(BIN)/python -m pytest

lint: .venv/.installed
	@$(BIN)/python -m pip install --quiet ruff==0.17.6
	@$(BIN)/ruff check .

.venv/.installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Lookback must run on Python 3.11 or newer; none was found on PATH. Install one, or name it: make run PYTHON=/path/to/python3.12."; exit 1; }
	@echo "== Making the virtual environment .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@echo "== Installing what requirements.txt names (minutes on the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --requirement requirements.txt
	@touch $@

.venv/.warm: .venv/.installed
	@echo "== Compiling what the maps need, once (about ten seconds)"
	@$(BIN)/python -m core warm
	@touch $@

browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name > /dev/null && exit 0; done; \
	echo "== Installing Debian's chromium for the browser journeys"; \
	root=; test "$$(id -u)" = 0 || root="sudo -n"; \
	$$root apt-get update && $$root apt-get install --yes --no-install-recommends chromium && exit 0; \
	echo; echo "THE BROWSER JOURNEYS CANNOT RUN: no chromium was found, and it could not be installed here."; \
	echo "Install it as root (apt-get install chromium), then: make test"; exit 1
