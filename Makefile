# The two commands of the README, and the checks of every change.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test slow check clean

demo: $(VENV)/.installed  ## the whole pipeline on generated clips, into ./avfake-demo
	$(BIN)/avfake demo

test: $(VENV)/.installed  ## every test that takes seconds
	$(BIN)/python -m pytest -q -n auto --dist loadfile

slow: $(VENV)/.installed  ## the tests that take minutes
	$(BIN)/python -m pytest -q -m slow

check: $(VENV)/.installed  ## lint, format, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n auto --dist loadfile

clean:
	rm -rf $(VENV) avfake-demo

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
