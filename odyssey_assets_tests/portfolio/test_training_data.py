from dataclasses import fields, replace

import numpy as np
import pytest

from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_data import Spans, data_sha256
from odyssey_assets_tests.portfolio.small_training import small_market

MARKET = small_market()


def test_cut_holds_the_rows_of_its_spans_and_no_others() -> None:
    cut = Spans(100, 200, 260).cut(MARKET)
    assert len(cut.panel) == len(cut.forecasts) == len(cut.half_widths) == 160
    assert cut.panel.dates[0] == MARKET.panel.dates[100]
    assert cut.panel.dates[-1] == MARKET.panel.dates[259]
    np.testing.assert_array_equal(cut.forecasts, MARKET.forecasts[100:260])
    np.testing.assert_array_equal(cut.panel.close, MARKET.panel.close[100:260])


def _changed(name: str) -> PortfolioMarket:
    """Return the market with one value of one array changed."""
    if name == "forecasts":
        forecasts = MARKET.forecasts.copy()
        forecasts[30, 1] += 1e-15
        return replace(MARKET, forecasts=forecasts)
    values = getattr(MARKET.panel, name)
    if name == "tickers":
        return replace(MARKET, panel=replace(MARKET.panel, tickers=("T00", "T99")))
    changed = values.copy()
    place = (30,) if values.ndim == 1 else (30, 1)
    changed[place] = ~values[place] if values.dtype == bool else values[place] + 1
    return replace(MARKET, panel=replace(MARKET.panel, **{name: changed}))


@pytest.mark.parametrize("name", [*(field.name for field in fields(PricePanel)), "forecasts"])
def test_hash_changes_with_every_array_that_a_training_sees(name: str) -> None:
    assert data_sha256(_changed(name)) != data_sha256(MARKET)


def test_hash_is_that_of_equal_data_elsewhere_in_memory() -> None:
    assert data_sha256(small_market()) == data_sha256(MARKET)
