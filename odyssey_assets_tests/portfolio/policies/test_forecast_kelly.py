import dataclasses

import numpy as np
import pytest

from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.forecast_kelly import ForecastKelly
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

SESSIONS, HORIZON = 40, 5
VOLATILITIES = np.array([0.01, 0.02, 0.04])
RULE = ForecastKelly(0.5, SESSIONS, max_weight=0.9, budget=0.9)


def market_with(forecasts: list[float], interest: float = 0.0) -> PortfolioMarket:
    """Return three tickers of known sample volatility, these forecasts, and daily interest."""
    swing = VOLATILITIES * np.sqrt((SESSIONS - 1) / SESSIONS)
    signs = np.where(np.arange(SESSIONS) % 2 == 0, 1.0, -1.0)
    growth = np.cumprod(1 + signs[:, None] * swing, axis=0)
    market = market_of_closes(
        np.vstack([np.ones(3), growth]) * 50, np.array(forecasts), horizon=HORIZON
    )
    cash_return = np.full(SESSIONS + 1, interest)
    return dataclasses.replace(
        market, panel=dataclasses.replace(market.panel, cash_return=cash_return)
    )


def weights_of(market: PortfolioMarket, rule: ForecastKelly = RULE) -> np.ndarray | None:
    return rule.decide(market.until(SESSIONS), np.zeros(3))


def test_bet_is_a_fraction_of_forecast_over_variance_of_the_horizon() -> None:
    forecasts = [0.0001, 0.0004, 0.0016]
    expected = 0.5 * np.array(forecasts) / (VOLATILITIES**2 * HORIZON)
    assert weights_of(market_with(forecasts)) == pytest.approx(expected)


def test_interest_on_cash_is_not_worth_a_bet() -> None:
    expected = 0.5 * np.array([0, 0.0003, 0.0015]) / (VOLATILITIES**2 * HORIZON)
    weights = weights_of(market_with([0.0001, 0.0004, 0.0016], interest=0.0001 / HORIZON))
    assert weights == pytest.approx(expected, abs=1e-9)


def test_bets_above_the_budget_are_scaled_down_together() -> None:
    small, large = [0.0001, 0.0004, 0.0016], [0.001, 0.004, 0.016]
    modest, greedy = weights_of(market_with(small)), weights_of(market_with(large))
    assert modest is not None
    assert greedy == pytest.approx(modest / modest.sum() * 0.9)


def test_negative_forecast_is_not_bet_on() -> None:
    weights = weights_of(market_with([-0.001, 0.0004, -0.001]))
    assert weights == pytest.approx([0, 0.1, 0])


def test_forecasts_without_a_positive_one_mean_cash() -> None:
    assert weights_of(market_with([-0.001, -0.0004, np.nan])) == pytest.approx([0, 0, 0])


def test_no_forecast_or_no_history_decides_nothing() -> None:
    assert weights_of(market_with([np.nan] * 3)) is None
    early = random_market(SESSIONS, 3).until(SESSIONS - 1)
    assert RULE.decide(early, np.zeros(3)) is None


def test_price_that_never_moves_is_not_bet_on() -> None:
    close = random_market(SESSIONS + 1, 3).panel.close.copy()
    close[:, 1] = 10
    weights = weights_of(market_of_closes(close, 0.01))
    assert weights is not None
    assert weights[1] == 0
    assert weights.sum() == pytest.approx(0.9)
