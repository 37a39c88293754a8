import numpy as np
import pytest

from odyssey_assets.portfolio.policies.momentum import Momentum
from odyssey_assets_tests.portfolio.markets import market_of_closes

RULE = Momentum(252, 21, 1 / 3, max_weight=0.5, budget=0.8)
LAST = 260


def closes_of(returns: list[float]) -> np.ndarray:
    """Return prices that make these returns at one stroke, half a year ago."""
    close = np.full((LAST + 1, len(returns)), 10.0)
    close[LAST - 126 :] *= 1 + np.array(returns)
    return close


def weights_of(close: np.ndarray, rule: Momentum = RULE) -> np.ndarray:
    weights = rule.decide(market_of_closes(close).until(LAST), np.zeros(close.shape[1]))
    assert weights is not None
    return weights


def test_third_with_the_highest_returns_is_held_in_equal_shares() -> None:
    weights = weights_of(closes_of([0.1, 0.5, -0.2, 0.3, 0.0, -0.4]))
    assert weights == pytest.approx([0, 0.4, 0, 0.4, 0, 0])


def test_winners_of_a_falling_market_are_held() -> None:
    weights = weights_of(closes_of([-0.3, -0.1, -0.2]))
    assert weights == pytest.approx([0, 0.5, 0])


def test_move_of_the_last_month_does_not_count() -> None:
    close = closes_of([0.1, 0.2, 0.0])
    close[LAST - 20 :, 2] *= 10
    assert weights_of(close) == pytest.approx([0, 0.5, 0])
    close[LAST - 21, 2] *= 10
    assert weights_of(close) == pytest.approx([0, 0, 0.5])


def test_move_of_more_than_a_year_ago_does_not_count() -> None:
    close = closes_of([0.1, 0.2, 0.0])
    close[: LAST - 252, 2] /= 10
    assert weights_of(close) == pytest.approx([0, 0.5, 0])
    close[LAST - 252, 2] /= 10
    assert weights_of(close) == pytest.approx([0, 0, 0.5])


def test_odd_number_of_tickers_rounds_the_winners_up() -> None:
    assert (weights_of(closes_of([0.4, 0.3, 0.2, 0.1])) > 0).tolist() == [True, True, False, False]


def test_equal_returns_are_won_by_the_tickers_named_first() -> None:
    assert (weights_of(closes_of([0.1] * 6)) > 0).tolist() == [True, True] + [False] * 4


def test_ticker_without_the_whole_year_or_a_bar_now_is_not_ranked() -> None:
    close = closes_of([0.9, 0.8, 0.1])
    has_bar = np.ones(close.shape, dtype=np.bool_)
    has_bar[: LAST - 251, 0] = False
    has_bar[LAST, 1] = False
    market = market_of_closes(close, has_bar=has_bar)
    assert RULE.decide(market.until(LAST), np.zeros(3)) == pytest.approx([0, 0, 0.5])


def test_history_too_short_decides_nothing() -> None:
    market = market_of_closes(closes_of([0.1, 0.2]))
    assert RULE.decide(market.until(251), np.zeros(2)) is None
    assert RULE.decide(market.until(252), np.zeros(2)) is not None
