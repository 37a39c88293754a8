import numpy as np
import pytest

from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.hierarchical_risk_parity import HierarchicalRiskParity
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

SESSIONS = 250


def market_of_pairs() -> PortfolioMarket:
    """Return four tickers: the first two move together, and so do the last two."""
    generator = np.random.default_rng(4)
    pairs = generator.normal(0, 0.01, (SESSIONS + 1, 2))[:, [0, 0, 1, 1]]
    own = generator.normal(0, 0.003, (SESSIONS + 1, 4))
    returns = (pairs + own) * np.array([1.0, 2.0, 1.5, 0.5])
    return market_of_closes(100 * np.cumprod(1 + returns, axis=0))


def weights_of(market: PortfolioMarket, max_weight: float = 0.2, budget: float = 0.8) -> np.ndarray:
    rule = HierarchicalRiskParity(SESSIONS, max_weight, budget)
    weights = rule.decide(market.until(SESSIONS), np.zeros(market.panel.close.shape[1]))
    assert weights is not None
    return weights


def returns_of(market: PortfolioMarket) -> np.ndarray:
    return market.panel.returns[1 : SESSIONS + 1]


def test_two_tickers_are_weighted_by_one_over_variance() -> None:
    market = random_market(SESSIONS + 1, 2)
    inverse = 1 / returns_of(market).var(axis=0, ddof=1)
    assert weights_of(market, 1.0) == pytest.approx(0.8 * inverse / inverse.sum(), rel=1e-6)


def test_two_pairs_are_split_by_the_variance_of_each_pair_first() -> None:
    market = market_of_pairs()
    covariance = np.cov(returns_of(market), rowvar=False)
    inverse = 1 / np.diag(covariance)
    expected = np.zeros(4)
    shares, variances = [], []
    for pair in (slice(0, 2), slice(2, 4)):
        shares.append(inverse[pair] / inverse[pair].sum())
        variances.append(shares[-1] @ covariance[pair, pair] @ shares[-1])
    expected[:2] = shares[0] * variances[1] / sum(variances)
    expected[2:] = shares[1] * variances[0] / sum(variances)

    assert weights_of(market, 1.0) == pytest.approx(0.8 * expected, rel=1e-6)


@pytest.mark.parametrize("tickers", [5, 9, 15])
@pytest.mark.parametrize("seed", range(3))
def test_budget_is_spent_under_the_cap(tickers: int, seed: int) -> None:
    weights = weights_of(random_market(SESSIONS + 1, tickers, seed))
    assert weights.sum() == pytest.approx(0.8)
    assert (weights > 0).all()
    assert weights.max() <= 0.2 + 1e-12


def test_what_the_cap_keeps_out_is_spread_in_proportion() -> None:
    close = random_market(SESSIONS + 1, 8).panel.close.copy()
    close[:, 3] = random_market(SESSIONS + 1, 1, seed=9, volatility=1e-4).panel.close[:, 0]
    market = market_of_closes(close)
    free, capped = weights_of(market, 1.0), weights_of(market, 0.2)

    assert free[3] > 0.79
    assert capped[3] == pytest.approx(0.2)
    others = np.arange(8) != 3
    assert capped[others] == pytest.approx(free[others] / free[others].sum() * 0.6, rel=1e-9)


@pytest.mark.parametrize(("tickers", "expected"), [(1, [0.2]), (3, [0.2] * 3), (4, [0.2] * 4)])
def test_too_few_tickers_for_the_budget_are_all_at_the_cap(
    tickers: int, expected: list[float]
) -> None:
    assert weights_of(random_market(SESSIONS + 1, tickers)) == pytest.approx(expected)


def test_one_ticker_without_a_cap_takes_the_budget() -> None:
    assert weights_of(random_market(SESSIONS + 1, 1), 1.0) == pytest.approx([0.8])


def test_tickers_that_are_copies_of_each_other_are_solved() -> None:
    close = random_market(SESSIONS + 1, 3).panel.close
    weights = weights_of(market_of_closes(np.hstack([close, close])))
    assert weights.sum() == pytest.approx(0.8)


def test_history_too_short_decides_nothing() -> None:
    rule = HierarchicalRiskParity(SESSIONS, 0.2, 0.8)
    assert rule.decide(random_market(SESSIONS, 6).until(SESSIONS - 1), np.zeros(6)) is None
