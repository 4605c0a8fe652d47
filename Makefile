# Needs Python 3.11+ with its venv module and a package index; everything else lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: help setup demo run test check format bench lock clean

help: ## what can be done here
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: $(INSTALLED) ## .venv with everything in it; quick when nothing changed

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Stembot needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## the whole bot in your browser, no accounts needed
	@$(BIN)/stembot demo

run: setup ## the bot, with the settings of the environment or .env
	@$(BIN)/stembot run

test: setup ## all tests
	@$(BIN)/python -m pytest

check: setup ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: setup ## put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## what can be measured, measured
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

lock: ## write requirements*.txt anew, with hashes
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --generate-hashes --upgrade --no-header --no-emit-index-url \
	  --python-version 3.11 pyproject.toml -o requirements.txt
	$(VENV)-lock/bin/uv pip compile --quiet --universal --generate-hashes --upgrade --no-header --no-emit-index-url \
	  --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.txt
	rm -rf $(VENV)-lock

clean: ## remove what setup and the tests made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
