"""Fixtures shared by all tests: where real prices lie, and a home in which the graph has run."""

import os
from pathlib import Path

import fasteners
import pytest

from odyssey_assets_tests.tiny_market import TinyHome, invoke

REAL_MARKET = Path(__file__).resolve().parents[2] / "shared" / "market"


@pytest.fixture(scope="session")
def real_market() -> Path:
    """Return the folder of real prices beside the project; skip the test where it is absent."""
    if not (REAL_MARKET / "README.md").exists():
        pytest.skip(f"real prices are not at {REAL_MARKET}; they are not part of the project")
    return REAL_MARKET


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> TinyHome:
    """Return a home after `odyssey run` over the tiny market; tests only read it.

    Workers of a parallel test run share one.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    root, output = folder / "tiny_home", folder / "tiny_home.txt"
    with fasteners.InterProcessLock(folder / "tiny_home.lock"):
        if not output.exists():
            result = invoke(root, "run")
            assert result.exit_code == 0, result.output
            output.write_text(result.output)
    return TinyHome(root, output.read_text())


@pytest.fixture
def tiny_copy(tiny_home: TinyHome, tmp_path: Path) -> Path:
    """Return the root of a copy of the home of the tiny market, for tests that change it."""
    return tiny_home.copy(tmp_path)
