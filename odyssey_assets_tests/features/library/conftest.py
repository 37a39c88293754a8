import pytest

from odyssey_assets.features.series import TickerBars
from odyssey_assets_tests.features.library.conformance import oracle_bars


@pytest.fixture(scope="session")
def bars() -> TickerBars:
    return oracle_bars()
