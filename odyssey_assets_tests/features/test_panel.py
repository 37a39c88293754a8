import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.errors import ContractError
from odyssey_assets.features.panel import BAR_COLUMNS, build_panel
from odyssey_assets_tests.features.markets import (
    GAPPY,
    LATE,
    LATE_LISTING_SESSION,
    PLAIN,
    market_settings,
    small_market,
)


def test_panel_holds_each_tickers_adjusted_rows_at_their_sessions() -> None:
    bars = small_market().bars
    panel = build_panel(bars)
    adjusted = adjusted_bars(bars)

    for ticker in panel.spans:
        history, _ = panel.ticker_bars(ticker, market_settings().features)
        rows = adjusted.loc[adjusted["ticker"] == ticker]
        assert (panel.calendar[history.sessions] == rows["date"].to_numpy()).all()
        for name in BAR_COLUMNS:
            assert np.array_equal(getattr(history, name), rows[name])
            assert getattr(history, name).flags.c_contiguous
    assert panel.positions[panel.spans[LATE]][0] == LATE_LISTING_SESSION
    assert (np.diff(panel.positions[panel.spans[GAPPY]]) == 21).sum() == 1


def test_returns_skip_no_row_and_start_null() -> None:
    history, _ = build_panel(small_market().bars).ticker_bars(PLAIN, market_settings().features)

    assert np.isnan(history.simple_return[0])
    np.testing.assert_allclose(
        history.simple_return[1:], history.close[1:] / history.close[:-1] - 1
    )
    np.testing.assert_allclose(history.log_return[1:], np.diff(np.log(history.close)), atol=1e-14)


def test_panel_of_shuffled_bars_is_the_same() -> None:
    bars = small_market().bars
    shuffled = bars.sample(frac=1.0, random_state=3)

    one, two = build_panel(bars), build_panel(shuffled)

    pd.testing.assert_frame_equal(one.keys, two.keys)
    assert one.spans == two.spans
    assert all(np.array_equal(one.columns[name], two.columns[name]) for name in BAR_COLUMNS)


def test_bar_on_a_day_without_session_is_refused_by_name() -> None:
    bars = small_market().bars
    bars.loc[5, "date"] = pd.Timestamp("2010-07-10")

    with pytest.raises(ContractError, match=r"first 2010-07-10.*not_a_session"):
        build_panel(bars)
