"""Later splits and implied dividends, against histories whose events are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.market_data.sources.basis import implied_dividends, later_payouts, later_splits


def test_later_splits_of_two_splits_count_from_the_day_before() -> None:
    ratios = np.array([1.0, 4.0, 1.0, 0.5, 1.0])
    assert later_splits(ratios).tolist() == [2.0, 0.5, 0.5, 1.0, 1.0]
    assert later_splits(np.ones(0)).tolist() == []


@settings(deadline=None)
@given(
    st.lists(st.floats(20, 400), min_size=2, max_size=60),
    st.dictionaries(st.integers(1, 59), st.floats(0.02, 5.0), max_size=6),
)
def test_implied_dividends_give_back_the_dividends_behind_adjusted_closes(
    closes: list[float], paid: dict[int, float]
) -> None:
    close = np.round(closes, 6)
    dividend = np.zeros(len(close))
    for day, amount in paid.items():
        if day < len(close):
            dividend[day] = amount
    adj_close = np.round(close * later_payouts(close, dividend), 6)
    implied = implied_dividends(close, adj_close, 5e-7, 5e-7)
    assert np.allclose(implied, dividend, atol=2e-3)
    assert ((implied != 0) == (dividend != 0)).all()


def test_implied_dividends_of_coarse_prices_ignore_what_rounding_explains() -> None:
    close = np.array([10.0, 10.01, 10.02, 10.03])
    adj_close = np.round(close * 0.61234, 2)
    assert implied_dividends(close, adj_close, 0.005, 0.005).tolist() == [0.0] * 4


def test_implied_dividends_pass_over_rows_that_cannot_be_read() -> None:
    close = np.array([100.0, np.nan, 99.0, 0.0])
    adj_close = np.array([99.0, np.nan, 99.0, 5.0])
    implied = implied_dividends(close, adj_close, 0.0, 0.0)
    assert implied.tolist() == pytest.approx([0.0, 0.0, 1.0, 0.0])
    assert implied_dividends(close[:1], adj_close[:1], 0.0, 0.0).tolist() == [0.0]
