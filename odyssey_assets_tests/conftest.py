"""Fixtures shared by all tests: where real prices lie, and homes in which the graph has run."""

import os
from pathlib import Path

import fasteners
import pytest

from odyssey_assets_tests.learned_market import learn
from odyssey_assets_tests.simulated_learner import prepare
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
    folder = _shared_folder(tmp_path_factory)
    root, output = folder / "tiny_home", folder / "tiny_home.txt"
    with fasteners.InterProcessLock(folder / "tiny_home.lock"):
        if not output.exists():
            result = invoke(root, "run")
            assert result.exit_code == 0, result.output
            output.write_text(result.output)
    return TinyHome(root, output.read_text())


@pytest.fixture(scope="session")
def learned_home(tiny_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> TinyHome:
    """Return a home of the tiny market in which the learned policy competes; tests only read it.

    Workers of a parallel test run share one.
    """
    folder = _shared_folder(tmp_path_factory) / "learned"
    with fasteners.InterProcessLock(folder.with_suffix(".lock")):
        if not folder.with_suffix(".done").exists():
            folder.mkdir()
            learn(tiny_home.copy(folder))
            folder.with_suffix(".done").touch()
    return TinyHome(folder / "copy", tiny_home.output)


@pytest.fixture(scope="session")
def learner_home(tiny_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> TinyHome:
    """Return a home in whose copies simulations let the learned policy learn.

    Workers of a parallel test run share one.
    """
    folder = _shared_folder(tmp_path_factory) / "learner"
    with fasteners.InterProcessLock(folder.with_suffix(".lock")):
        if not folder.with_suffix(".done").exists():
            folder.mkdir()
            prepare(tiny_home.copy(folder))
            folder.with_suffix(".done").touch()
    return TinyHome(folder / "copy", tiny_home.output)


@pytest.fixture
def tiny_copy(tiny_home: TinyHome, tmp_path: Path) -> Path:
    """Return the root of a copy of the home of the tiny market, for tests that change it."""
    return tiny_home.copy(tmp_path)


@pytest.fixture
def learned_copy(learned_home: TinyHome, tmp_path: Path) -> Path:
    """Return the root of a copy of the home with the learned policy, for tests that change it."""
    return learned_home.copy(tmp_path)


def _shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of a test run share."""
    folder = factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
