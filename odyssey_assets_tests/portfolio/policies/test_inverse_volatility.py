import numpy as np
import pytest

from odyssey_assets.portfolio.policies.inverse_volatility import InverseVolatility
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

SESSIONS = 40


def closes_with(volatilities: np.ndarray) -> np.ndarray:
    """Return prices whose returns are + and - `volatilities` in turn."""
    signs = np.where(np.arange(SESSIONS) % 2 == 0, 1.0, -1.0)
    growth = np.cumprod(1 + signs[:, None] * volatilities, axis=0)
    return np.asarray(np.vstack([np.ones(len(volatilities)), growth]) * 50)


def test_weights_are_in_proportion_to_one_over_known_volatilities() -> None:
    volatilities = np.array([0.01, 0.02, 0.04])
    market = market_of_closes(closes_with(volatilities))
    rule = InverseVolatility(SESSIONS, max_weight=1.0, budget=0.7)

    weights = rule.decide(market.until(SESSIONS), np.zeros(3))

    assert weights == pytest.approx([0.4, 0.2, 0.1], rel=1e-9)


def test_calm_ticker_at_the_cap_leaves_the_rest_to_the_others() -> None:
    volatilities = np.array([0.0001, 0.02, 0.02])
    market = market_of_closes(closes_with(volatilities))
    rule = InverseVolatility(SESSIONS, max_weight=0.4, budget=0.8)

    weights = rule.decide(market.until(SESSIONS), np.zeros(3))

    assert weights == pytest.approx([0.4, 0.2, 0.2], rel=1e-9)


def test_history_too_short_decides_nothing() -> None:
    rule = InverseVolatility(SESSIONS, 0.2, 0.8)
    assert rule.decide(random_market(SESSIONS, 3).until(SESSIONS - 1), np.zeros(3)) is None
