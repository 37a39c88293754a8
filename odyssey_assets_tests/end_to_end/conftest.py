"""The small market, run once for all tests that only look at it."""

from pathlib import Path

import pytest

from odyssey_assets_tests.end_to_end.small_market import odyssey


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home in which `odyssey run` has succeeded; tests only read it."""
    home = tmp_path_factory.mktemp("finished") / "home"
    odyssey(home, "run")
    return home
