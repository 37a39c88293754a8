# `make run` and `make test` need nothing but Python 3.11; both set everything up first.

PYTHON ?= python3.11
VENV := .venv
EXTRAS := dev,benchmarks

.PHONY: run test install lint promtool clean

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

# Checks the alert rules in tests, which skip without it. Debian's package, unpacked without root.
promtool: $(VENV)/bin/promtool

$(VENV)/bin/promtool: | install
	folder=$$(mktemp -d) && cd $$folder \
		&& { apt-get download prometheus || { apt-get update && apt-get download prometheus; }; } \
		&& dpkg -x prometheus_*.deb . && install usr/bin/promtool $(CURDIR)/$@; \
		status=$$?; rm -rf $$folder; exit $$status

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
