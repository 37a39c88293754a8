# `make run` and `make test` need nothing but Python 3.11; both set everything up first.

PYTHON ?= python3.11
VENV := .venv
EXTRAS := dev,benchmarks

.PHONY: run test install lint clean

run: install
	$(VENV)/bin/odyssey run

test: install
	$(VENV)/bin/pytest --numprocesses=2 --dist=worksteal --cov --cov-report=term:skip-covered

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]"
	touch $@

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
