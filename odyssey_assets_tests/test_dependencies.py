"""The exact set of versions: pinned, installed as pinned, importable, and silent towards others."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import odyssey_assets
from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets.infrastructure.home import Home

ROOT = Path(odyssey_assets.__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED: list[str] = PROJECT["dependencies"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
DECIDED = {
    "dagster": "1.13.27",
    "dagster-duckdb": "0.29.27",
    "duckdb": "1.5.5",
    "evidently": "0.7.23",
    "great-expectations": "1.24.1",
    "gymnasium": "1.4.0",
    "mlflow": "3.17.2",
    "numpy": "2.4.6",
    "pandas": "3.0.6",
    "scikit-learn": "1.9.1",
    "skfolio": "1.0.5",
    "stable-baselines3": "2.9.2",
    "ta-lib": "0.8.2",
    "torch": "2.13.0",
    "xgboost": "3.2.0",
}
MODULES = {
    "great-expectations": "great_expectations",
    "pytest-cov": "pytest_cov",
    "pytest-timeout": "pytest_timeout",
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "ta-lib": "talib",
}
PROGRAMS = ("mypy", "ruff")
SILENCE = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
IMPORT_ALL = """
import importlib, json, os, sys
names = json.loads(sys.argv[1])
modules, variables = names["modules"], names["variables"]
found = {}
class Watch:
    def find_spec(self, name, path=None, target=None):
        found.setdefault(name, {each: os.environ.get(each) for each in variables})
sys.meta_path.insert(0, Watch())
import odyssey_assets.definitions
for module in modules:
    importlib.import_module(module)
print(json.dumps({module: found[module] for module in modules}))
"""


def canonical(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """Return the version of every distribution in the constraints file."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), "every line pins one exact version"
    return {canonical(name): version for name, version in pairs}


def installed_version(name: str) -> str | None:
    """Return the version that is installed, without its build label; None if it is not."""
    try:
        return metadata.version(name).split("+")[0]
    except metadata.PackageNotFoundError:
        return None


def test_every_distribution_is_pinned_once() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    names = [canonical(line.split("==")[0]) for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names))
    assert {canonical(name) for name in REQUIRED} <= set(names)
    extras = {canonical(name) for group in EXTRAS.values() for name in group}
    assert extras <= set(names)


@pytest.mark.parametrize("name", DECIDED)
def test_version_that_was_decided_is_the_one_pinned(name: str) -> None:
    assert pins()[name] == DECIDED[name]


@pytest.mark.parametrize("name", REQUIRED)
def test_required_distribution_is_installed_as_pinned(name: str) -> None:
    assert installed_version(name) == pins()[canonical(name)]


@pytest.mark.parametrize("name", sorted({name for group in EXTRAS.values() for name in group}))
def test_distribution_of_an_extra_is_as_pinned_where_it_is_installed(name: str) -> None:
    found = installed_version(name)
    if found is None:
        pytest.skip(f"{name} belongs to an extra that is not installed")
    assert found == pins()[canonical(name)]


@pytest.fixture(scope="module")
def variables_at_import() -> dict[str, dict[str, str | None]]:
    """Import every installed distribution after Odyssey; return what each found in `SILENCE`."""
    names = {*REQUIRED, *(name for group in EXTRAS.values() for name in group), "dagster-duckdb"}
    modules = [
        MODULES.get(canonical(name), name.replace("-", "_"))
        for name in sorted(names - set(PROGRAMS))
        if installed_version(name) is not None
    ]
    asked = json.dumps({"modules": modules, "variables": list(SILENCE)})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_ALL, asked],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name not in SILENCE},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str | None]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_installed_distribution_imports_beside_the_others(
    variables_at_import: dict[str, dict[str, str | None]],
) -> None:
    assert {"dagster", "great_expectations", "mlflow", "talib", "xgboost"} <= set(
        variables_at_import
    )
    assert len(variables_at_import) >= len(REQUIRED)


def test_telemetry_is_refused_before_any_library_loads(
    variables_at_import: dict[str, dict[str, str | None]],
) -> None:
    assert {name for name, found in variables_at_import.items() if found != SILENCE} == set()


def test_instance_sends_no_telemetry_and_shows_no_survey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("ODYSSEY_HOME", "")
    instance = open_instance(Home(tmp_path))
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled
