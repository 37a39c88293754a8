import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.proxy import proxy_returns
from odyssey_assets_tests.backtesting.replays import market_panel
from odyssey_assets_tests.features.markets import GAPPY, LATE, PROXY, small_market


@pytest.mark.parametrize("ticker", [PROXY, LATE, GAPPY])
def test_proxy_returns_equal_those_of_the_price_panel(ticker: str) -> None:
    panel = market_panel()
    dates = panel.dates.astype("datetime64[us]")
    found = proxy_returns(small_market().bars, ticker, dates)
    expected = panel.returns[:, panel.tickers.index(ticker)]

    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert np.isnan(found[0])


def test_proxy_returns_in_any_order_are_those_of_the_dates() -> None:
    bars, dates = small_market().bars, market_panel().dates
    shuffled = np.random.default_rng(0).permutation(dates)
    ordered = pd.Series(proxy_returns(bars, PROXY, dates), index=dates)

    np.testing.assert_array_equal(proxy_returns(bars, PROXY, shuffled), ordered[shuffled])


def test_proxy_without_bars_has_no_returns() -> None:
    found = proxy_returns(small_market().bars, "ZZZ", market_panel().dates[:5])
    assert np.isnan(found).all()
    assert found.shape == (5,)
