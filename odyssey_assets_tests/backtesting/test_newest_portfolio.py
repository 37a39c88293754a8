import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.backtesting.newest_portfolio import (
    MAX_MISSING_WEIGHT,
    NewestPortfolio,
    newest_portfolio,
)

TICKERS = ("AAA", "BBB", "CCC")
TUESDAY, WEDNESDAY = pd.Timestamp("2024-03-05"), pd.Timestamp("2024-03-06")
shares = st.lists(st.floats(0.0, 0.3), min_size=3, max_size=3)


def weight_rows(is_decision: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": [TUESDAY, TUESDAY, WEDNESDAY, WEDNESDAY],
            "ticker": ["AAA", "BBB", "AAA", "CCC"],
            "is_decision": [True, True, is_decision, is_decision],
            "target_weight": [0.7, 0.1, 0.2, 0.3],
            "held_weight": [0.0, 0.0, 0.25, 0.35],
        }
    )


@pytest.mark.parametrize(
    ("is_decision", "expected"), [(True, [0.2, 0.0, 0.3]), (False, [0.25, 0.0, 0.35])]
)
def test_newest_portfolio_is_the_target_just_decided_or_else_what_is_held(
    is_decision: bool, expected: list[float]
) -> None:
    rows = weight_rows(is_decision)

    for frame in (rows, rows.iloc[::-1]):
        portfolio = newest_portfolio(frame, TICKERS)
        assert portfolio.weights.tolist() == expected
        assert portfolio.cash == pytest.approx(1 - sum(expected))


def test_portfolio_with_all_data_stays_as_it_is() -> None:
    weights = np.array([0.2, 0.0, 0.3])
    covered = NewestPortfolio(TICKERS, weights).covered_by(np.array([True, False, True]))

    assert covered.weights.tolist() == weights.tolist()
    assert covered.share == 1.0
    assert covered.refusal is None


def test_portfolio_without_little_of_its_data_spreads_that_weight_in_proportion() -> None:
    covered = NewestPortfolio(TICKERS, np.array([0.1, 0.2, 0.05])).covered_by(
        np.array([True, True, False])
    )

    assert covered.weights == pytest.approx([0.35 / 3, 0.7 / 3, 0.0])
    assert covered.share == pytest.approx(6 / 7)
    assert covered.refusal is None


def test_portfolio_without_much_of_its_data_is_refused_by_name() -> None:
    covered = NewestPortfolio(TICKERS, np.array([0.1, 0.2, 0.1])).covered_by(
        np.array([False, True, False])
    )

    assert covered.share == pytest.approx(0.5)
    assert covered.refusal is not None
    assert "50% of the invested weight" in covered.refusal
    assert "(AAA, CCC)" in covered.refusal
    assert "20%" in covered.refusal


@pytest.mark.parametrize(("missing", "is_refused"), [(0.1, False), (0.1001, True)])
def test_portfolio_is_refused_above_the_stated_share_alone(
    missing: float, is_refused: bool
) -> None:
    portfolio = NewestPortfolio(("AAA", "BBB"), np.array([0.5 - missing, missing]))
    covered = portfolio.covered_by(np.array([True, False]))

    assert MAX_MISSING_WEIGHT * 0.5 == 0.1
    assert (covered.refusal is not None) == is_refused


@pytest.mark.parametrize("has_data", [True, False])
def test_portfolio_of_nothing_but_cash_needs_no_data(has_data: bool) -> None:
    portfolio = NewestPortfolio(TICKERS, np.zeros(3))
    covered = portfolio.covered_by(np.full(3, has_data))

    assert portfolio.cash == 1.0
    assert covered.weights.tolist() == [0.0, 0.0, 0.0]
    assert covered.share == 1.0
    assert covered.refusal is None


@given(shares, st.lists(st.booleans(), min_size=3, max_size=3))
def test_covered_weights_keep_their_sum_and_their_ratios(
    weights: list[float], has_data: list[bool]
) -> None:
    portfolio = NewestPortfolio(TICKERS, np.array(weights))
    covered = portfolio.covered_by(np.array(has_data))

    assert 0.0 <= covered.share <= 1.0
    if covered.refusal is None:
        assert covered.weights.sum() == pytest.approx(sum(weights))
        known = np.where(has_data, weights, 0.0)
        assert covered.weights * covered.share == pytest.approx(known)
