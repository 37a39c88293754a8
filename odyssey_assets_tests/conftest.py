"""Fixtures shared by all tests: where real prices lie, when they are there."""

from pathlib import Path

import pytest

REAL_MARKET = Path(__file__).resolve().parents[2] / "shared" / "market"


@pytest.fixture(scope="session")
def real_market() -> Path:
    """Return the folder of real prices beside the project; skip the test where it is absent."""
    if not (REAL_MARKET / "README.md").exists():
        pytest.skip(f"real prices are not at {REAL_MARKET}; they are not part of the project")
    return REAL_MARKET
