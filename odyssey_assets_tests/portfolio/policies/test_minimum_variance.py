import numpy as np
import pytest

from odyssey_assets.core.constraints import project
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.minimum_variance import MinimumVariance
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

SESSIONS = 120
VOLATILITIES = np.array([0.006, 0.008, 0.010, 0.012, 0.014, 0.018])


def correlated_market(seed: int) -> PortfolioMarket:
    """Return a market of a common factor and six tickers of different volatility."""
    generator = np.random.default_rng(seed)
    common = generator.normal(0, 0.002, (SESSIONS + 1, 1))
    returns = common + generator.normal(0, 1, (SESSIONS + 1, 6)) * VOLATILITIES
    return market_of_closes(100 * np.cumprod(1 + returns, axis=0))


def weights_of(market: PortfolioMarket, max_weight: float, budget: float = 0.8) -> np.ndarray:
    rule = MinimumVariance(SESSIONS, max_weight, budget)
    weights = rule.decide(market.until(SESSIONS), np.zeros(market.panel.close.shape[1]))
    assert weights is not None
    return weights


def covariance_of(market: PortfolioMarket) -> np.ndarray:
    return np.cov(market.panel.returns[1 : SESSIONS + 1], rowvar=False)


@pytest.mark.parametrize("seed", range(3))
def test_weights_equal_the_closed_form_where_no_limit_binds(seed: int) -> None:
    market = correlated_market(seed)
    closed = np.linalg.solve(covariance_of(market), np.ones(6))
    closed *= 0.8 / closed.sum()
    assert (closed > 0).all(), "choose a seed whose closed form is long only"

    assert weights_of(market, max_weight=0.8) == pytest.approx(closed, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_no_feasible_weights_vary_less(seed: int) -> None:
    market = correlated_market(seed)
    covariance = covariance_of(market)
    weights = weights_of(market, max_weight=0.2)

    assert weights.sum() == pytest.approx(0.8)
    assert weights.max() <= 0.2 + 1e-9
    generator = np.random.default_rng(seed)
    near = weights + generator.normal(0, 0.02, (500, 6))
    far = generator.dirichlet(np.ones(6), 500) * 2
    others = project(np.vstack([near, far]), 0.2, 0.8)
    others = others[others.sum(axis=1) > 0.8 - 1e-9]
    assert len(others) > 300
    variances = np.einsum("ij,jk,ik->i", others, covariance, others)
    assert variances.min() >= weights @ covariance @ weights - 1e-12


def test_tickers_that_are_not_wanted_get_exactly_nothing() -> None:
    quiet = random_market(SESSIONS + 1, 4, volatility=0.001).panel.close
    loud = random_market(SESSIONS + 1, 4, seed=1, volatility=0.05).panel.close
    weights = weights_of(market_of_closes(np.hstack([quiet, loud])), 0.3)
    assert (weights == 0).any()
    assert ((weights == 0) | (weights > 1e-6)).all()


def test_too_few_tickers_for_the_budget_are_all_at_the_cap() -> None:
    assert weights_of(random_market(SESSIONS + 1, 3), 0.2) == pytest.approx([0.2] * 3)


def test_one_ticker_without_a_cap_takes_the_budget() -> None:
    assert weights_of(random_market(SESSIONS + 1, 1), 1.0) == pytest.approx([0.8])


def test_price_that_never_moves_gets_nothing() -> None:
    close = random_market(SESSIONS + 1, 6).panel.close.copy()
    close[:, 2] = 10
    weights = weights_of(market_of_closes(close), 0.2)
    assert weights[2] == 0
    assert weights.sum() == pytest.approx(0.8)


def test_history_too_short_decides_nothing() -> None:
    rule = MinimumVariance(SESSIONS, 0.2, 0.8)
    assert rule.decide(random_market(SESSIONS, 6).until(SESSIONS - 1), np.zeros(6)) is None
