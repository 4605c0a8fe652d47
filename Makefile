# Needs Python 3.11+ with its venv module and a package index; everything else lands in .venv.
# Another Python or another place: make test PYTHON=python3.13 VENV=build/venv-3.13
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.11 python3.12 python3.13 python3.14; do \
  $$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
endif
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: help setup demo run test crash check format bench lock clean

help: ## what can be done here
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: $(INSTALLED) ## .venv with everything in it; quick when nothing changed

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(or $(PYTHON),false) -c '$(NEW_ENOUGH)' || \
	  { echo "Stembot needs Python 3.11 or newer: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## the whole bot in your browser, no accounts needed
	@$(BIN)/stembot demo

run: setup ## the bot, with the settings of the environment or .env
	@$(BIN)/stembot run

TESTS ?= tests

test: setup ## all tests, three files at a time: most of them wait for a process or a clock
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(TESTS)

N ?= 100
SEED ?= $(shell date +%s)

crash: setup ## kill the bot at random times and check every rule: make crash N=500
	@CRASH_KILLS=$(N) CRASH_SEED=$(SEED) $(BIN)/python -m pytest -v tests/crash/test_random_kills.py

check: setup ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: setup ## put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## what can be measured, measured
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

LOCK = $(VENV)-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
  --python-version 3.11

lock: ## write requirements*.txt anew, with hashes
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) --upgrade pyproject.toml -o requirements.txt
	$(LOCK) --upgrade --extra dev pyproject.toml -o requirements-dev.txt
	echo hatchling | $(LOCK) --no-annotate --constraint requirements-dev.txt - -o requirements-build.txt
	rm -rf $(VENV)-lock

clean: ## remove what setup and the tests made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
