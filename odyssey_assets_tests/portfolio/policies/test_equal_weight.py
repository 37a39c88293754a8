import numpy as np
import pytest

from odyssey_assets.portfolio.policies.equal_weight import EqualWeight
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

HELD = np.zeros(5)


def test_budget_is_spread_evenly() -> None:
    weights = EqualWeight(max_weight=0.2, budget=0.8).decide(random_market(3, 5).until(2), HELD)
    assert weights == pytest.approx([0.16] * 5)


def test_cap_keeps_few_tickers_from_spending_the_budget() -> None:
    weights = EqualWeight(max_weight=0.2, budget=0.8).decide(random_market(3, 2).until(2), HELD[:2])
    assert weights == pytest.approx([0.2, 0.2])


def test_unlisted_and_halted_tickers_get_nothing() -> None:
    has_bar = np.ones((3, 5), dtype=np.bool_)
    has_bar[:, 0] = False
    has_bar[2, 4] = False
    market = market_of_closes(np.full((3, 5), 10.0), has_bar=has_bar)

    weights = EqualWeight(max_weight=0.5, budget=0.9).decide(market.until(2), HELD)

    assert weights == pytest.approx([0, 0.3, 0.3, 0.3, 0])


def test_session_on_which_nothing_trades_decides_nothing() -> None:
    market = market_of_closes(np.full((3, 5), 10.0), has_bar=np.zeros((3, 5), dtype=np.bool_))
    assert EqualWeight(0.2, 0.8).decide(market.until(2), HELD) is None
