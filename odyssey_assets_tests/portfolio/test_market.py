"""Prices and forecasts as policies see them."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.errors import ContractError
from odyssey_assets.portfolio.market import build_market, market_of
from odyssey_assets.settings import Settings

DAYS = pd.bdate_range("2024-01-01", periods=6).astype("datetime64[us]")
TICKERS = ("AAA", "BBB")


def bars() -> pd.DataFrame:
    """Return flat bars of both tickers; BBB is listed on the third day."""
    rows = [
        {"ticker": ticker, "date": day}
        for ticker, days in zip(TICKERS, (DAYS, DAYS[2:]), strict=True)
        for day in days
    ]
    fixed = dict.fromkeys(("open", "high", "low", "close"), 10.0)
    return pd.DataFrame(rows).assign(
        **fixed, volume=100.0, split_factor=1.0, total_return_factor=1.0, is_filled=False
    )


def predictions() -> pd.DataFrame:
    rows = [
        ("AAA", DAYS[3], "xgboost", 5, 0.01),
        ("BBB", DAYS[4], "xgboost", 5, -0.02),
        ("AAA", DAYS[4], "ridge", 5, 0.5),
        ("AAA", DAYS[5], "xgboost", 20, 0.5),
        ("CCC", DAYS[5], "xgboost", 5, 0.5),
    ]
    frame = pd.DataFrame(rows, columns=["ticker", "date", "model", "horizon", "prediction"])
    return frame.assign(lower=frame["prediction"] - 0.03, upper=frame["prediction"] + 0.05)


def test_forecasts_stand_where_they_were_made_and_others_are_left_out() -> None:
    market = build_market(bars(), predictions(), TICKERS, "xgboost", 5)
    expected = np.full((6, 2), np.nan)
    expected[3, 0], expected[4, 1] = 0.01, -0.02
    np.testing.assert_array_equal(market.forecasts, expected)
    np.testing.assert_allclose(market.half_widths[3, 0], 0.04)
    assert np.isnan(market.half_widths[np.isnan(expected)]).all()


def test_view_ends_at_its_session() -> None:
    market = build_market(bars(), predictions(), TICKERS, "xgboost", 5)
    view = market.until(3)
    assert view.date == np.datetime64(DAYS[3].date())
    assert len(view.panel) == len(view.forecasts) == len(view.half_widths) == 4
    np.testing.assert_array_equal(view.forecast, [0.01, np.nan])
    np.testing.assert_array_equal(market.until(1).is_tradable, [True, False])


def test_forecast_of_a_day_without_a_bar_is_refused() -> None:
    late = predictions().assign(date=pd.Timestamp("2024-02-01"))
    with pytest.raises(ContractError, match=r"2 forecasts of days without a bar.*2024-02-01"):
        build_market(bars(), late, TICKERS, "xgboost", 5)


def test_market_of_settings_pays_interest_where_the_rate_is_known() -> None:
    settings = Settings(tickers=TICKERS, proxy="AAA", start=date(2024, 1, 1))
    rate = pd.DataFrame({"series": "IRX", "date": DAYS, "value": 3.6})
    market = market_of(bars(), predictions(), rate, settings)
    np.testing.assert_allclose(market.panel.cash_return[1], 3.6 / 100 / 360)
    other = rate.assign(series="VIX")
    assert not market_of(bars(), predictions(), other, settings).panel.cash_return.any()
