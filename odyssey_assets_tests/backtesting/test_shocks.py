import math
from dataclasses import replace
from datetime import date
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.backtesting.newest_portfolio import NewestPortfolio
from odyssey_assets.backtesting.shocks import (
    CORRELATIONS_TO_ONE,
    COSTS_TRIPLED,
    MARKET_MOVES,
    VOLATILITY_DOUBLED,
    bad_month,
    cost_shock,
    newest_lookback,
    portfolio_shocks,
)
from odyssey_assets.backtesting.stress_outcome import Outcome
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.core.returns import total_return, volatility
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR, sessions_between
from odyssey_assets_tests.portfolio.markets import panel_of

LOOKBACK = 60
TICKERS = ("SPY", "AAA", "BBB")
ANNUAL = math.sqrt(SESSIONS_PER_YEAR)


def panel_of_returns(returns: np.ndarray, has_bar: np.ndarray | None = None) -> PricePanel:
    """Return the panel whose last rows have these daily returns, shape (sessions, tickers)."""
    closes = 100 * np.cumprod(np.vstack([np.ones(returns.shape[1]), 1 + returns]), axis=0)
    return replace(panel_of(closes, has_bar=has_bar), tickers=TICKERS[: returns.shape[1]])


def random_returns(sessions: int = LOOKBACK, tickers: int = 3, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.asarray(
        generator.normal(0, 0.01, (sessions, 1)) + generator.normal(0, 0.01, (sessions, tickers))
    )


def orthogonal_returns() -> np.ndarray:
    """Return two columns that are not correlated, the second with twice the volatility."""
    one = np.tile([0.01, -0.01, 0.01, -0.01], LOOKBACK // 4)
    two = np.tile([0.02, 0.02, -0.02, -0.02], LOOKBACK // 4)
    return np.column_stack([one, two])


def shocks(panel: PricePanel, *weights: float, lookback: int = LOOKBACK) -> dict[str, Outcome]:
    portfolio = NewestPortfolio(panel.tickers, np.array(weights))
    outcomes = portfolio_shocks(portfolio, newest_lookback(panel, lookback, "SPY"))
    return {outcome.scenario: outcome for outcome in outcomes}


def test_shocks_are_five_of_the_newest_portfolio() -> None:
    outcomes = shocks(panel_of_returns(random_returns()), 0.2, 0.3, 0.3)

    assert [*outcomes] == [*MARKET_MOVES, VOLATILITY_DOUBLED, CORRELATIONS_TO_ONE]
    for outcome in outcomes.values():
        assert (outcome.kind, outcome.status, outcome.method) == ("shock", "computed", "shock")
        assert (outcome.start_date, outcome.end_date) == (None, None)
        assert outcome.sessions == LOOKBACK
        assert outcome.covered_weight == 1.0


@pytest.mark.parametrize(("scenario", "move"), [*MARKET_MOVES.items()])
def test_market_move_of_two_tickers_is_their_betas_times_the_move(
    scenario: str, move: float
) -> None:
    market = random_returns(tickers=1)
    panel = panel_of_returns(np.hstack([market, 1.5 * market, -0.5 * market]))
    outcome = shocks(panel, 0.0, 0.5, 0.3)[scenario]

    assert outcome.portfolio_return == pytest.approx((0.5 * 1.5 - 0.3 * 0.5) * move)
    assert outcome.proxy_return == move
    assert math.isnan(outcome.volatility)
    assert math.isnan(outcome.max_drawdown)


def test_market_move_takes_no_more_than_everything_from_a_ticker() -> None:
    market = random_returns(tickers=1) / 4
    panel = panel_of_returns(np.hstack([market, 3 * market, market]))
    outcomes = shocks(panel, 0.0, 0.5, 0.3)

    assert outcomes["market -20 %"].portfolio_return == pytest.approx(-0.5 * 0.6 - 0.3 * 0.2)
    assert outcomes["market -40 %"].portfolio_return == pytest.approx(-0.5 - 0.3 * 0.4)


def test_market_move_of_the_proxy_alone_is_the_move_times_its_weight() -> None:
    outcomes = shocks(panel_of_returns(random_returns(tickers=1)), 0.8)

    for scenario, move in MARKET_MOVES.items():
        assert outcomes[scenario].portfolio_return == pytest.approx(0.8 * move)


def test_risk_of_two_uncorrelated_tickers_matches_closed_form() -> None:
    panel = panel_of_returns(orthogonal_returns())
    one, two = (float(volatility(column)) for column in orthogonal_returns().T)
    outcomes = shocks(panel, 0.5, 0.25)
    today = math.hypot(0.5 * one, 0.25 * two)

    doubled, to_one = outcomes[VOLATILITY_DOUBLED], outcomes[CORRELATIONS_TO_ONE]
    assert doubled.unshocked_volatility == pytest.approx(today)
    assert doubled.volatility == pytest.approx(2 * today)
    assert to_one.unshocked_volatility == pytest.approx(today)
    assert to_one.volatility == pytest.approx(0.5 * one + 0.25 * two)
    for outcome in (doubled, to_one):
        assert outcome.portfolio_return == bad_month(outcome.volatility)
        assert outcome.unshocked_return == bad_month(outcome.unshocked_volatility)
        assert outcome.portfolio_return < outcome.unshocked_return < 0
        assert math.isnan(outcome.proxy_return)


@given(st.integers(0, 1000), st.lists(st.floats(0.01, 0.3), min_size=3, max_size=3))
@settings(deadline=None, max_examples=50)
def test_risk_matches_the_covariance_matrix_of_any_portfolio(
    seed: int, weights: list[float]
) -> None:
    returns = random_returns(seed=seed)
    outcomes = shocks(panel_of_returns(returns), *weights)
    covariance = np.cov(returns, rowvar=False) * SESSIONS_PER_YEAR
    sigma, shares = np.sqrt(np.diag(covariance)), np.array(weights)

    today = math.sqrt(shares @ covariance @ shares)
    assert outcomes[VOLATILITY_DOUBLED].volatility == pytest.approx(
        math.sqrt(shares @ (4 * covariance) @ shares)
    )
    to_one = outcomes[CORRELATIONS_TO_ONE]
    assert to_one.volatility == pytest.approx(math.sqrt(shares @ np.outer(sigma, sigma) @ shares))
    assert to_one.unshocked_volatility == pytest.approx(today)
    assert to_one.volatility >= today * (1 - 1e-12)


def test_correlations_to_one_changes_nothing_where_they_are_one() -> None:
    market = random_returns(tickers=1)
    panel = panel_of_returns(np.hstack([market, 2 * market]))
    outcome = shocks(panel, 0.4, 0.4)[CORRELATIONS_TO_ONE]

    assert outcome.volatility == pytest.approx(outcome.unshocked_volatility)


@pytest.mark.parametrize(("deviation", "expected"), [(0.2, None), (0.0, 0.0), (9.0, -1.0)])
def test_bad_month_is_the_normal_quantile_of_twenty_sessions(
    deviation: float, expected: float | None
) -> None:
    month = NormalDist(0.0, deviation * math.sqrt(20 / 252)) if expected is None else None
    known = expected if month is None else month.inv_cdf(0.05)

    assert bad_month(deviation) == pytest.approx(known)


def test_shocks_read_the_newest_sessions_alone() -> None:
    newest = random_returns(seed=2)
    one, two = (
        shocks(panel_of_returns(np.vstack([random_returns(200, seed=seed), newest])), 0.2, 0.2, 0.2)
        for seed in (3, 4)
    )

    for scenario, outcome in one.items():
        assert outcome.sessions == LOOKBACK
        assert outcome.portfolio_return == pytest.approx(two[scenario].portfolio_return, rel=1e-9)


def late(column: int, traded: int) -> np.ndarray:
    """Return where bars are if a ticker has so many returns in the lookback."""
    has_bar = np.ones((LOOKBACK + 1, 3), dtype=np.bool_)
    has_bar[: LOOKBACK - traded, column] = False
    return has_bar


def test_shocks_with_a_late_listing_take_the_sessions_that_all_have() -> None:
    returns = random_returns(seed=5)
    outcomes = shocks(panel_of_returns(returns, late(2, 40)), 0.2, 0.3, 0.3)

    newest = returns[-40:]
    assert {outcome.sessions for outcome in outcomes.values()} == {40}
    betas = [np.cov(column, newest[:, 0])[0, 1] / newest[:, 0].var(ddof=1) for column in newest.T]
    assert outcomes["market -10 %"].portfolio_return == pytest.approx(
        -0.1 * np.dot([0.2, 0.3, 0.3], betas)
    )


def test_shocks_without_a_small_late_listing_take_it_to_move_as_the_rest() -> None:
    panel = panel_of_returns(random_returns(seed=6), late(2, 29))
    outcomes = shocks(panel, 0.36, 0.36, 0.08)
    full = shocks(panel, 0.4, 0.4, 0.0)

    for scenario, outcome in outcomes.items():
        assert outcome.covered_weight == pytest.approx(0.9)
        assert outcome.sessions == LOOKBACK
        assert outcome.portfolio_return == pytest.approx(full[scenario].portfolio_return)


@pytest.mark.parametrize("traded", [29, 5, 0])
def test_shocks_of_a_portfolio_of_late_listings_have_no_data_and_name_them(traded: int) -> None:
    panel = panel_of_returns(random_returns(seed=7), late(2, traded))

    for outcome in shocks(panel, 0.2, 0.2, 0.4).values():
        assert outcome.status == "no_data"
        assert outcome.reason is not None
        assert "BBB" in outcome.reason
        assert outcome.covered_weight == pytest.approx(0.5)
        assert math.isnan(outcome.portfolio_return)


def test_shocks_on_a_short_history_have_no_data() -> None:
    panel = panel_of_returns(random_returns(LOOKBACK // 2 - 1))
    assert {outcome.status for outcome in shocks(panel, 0.2, 0.2, 0.2).values()} == {"no_data"}

    panel = panel_of_returns(random_returns(LOOKBACK // 2))
    assert {outcome.status for outcome in shocks(panel, 0.2, 0.2, 0.2).values()} == {"computed"}


@pytest.mark.parametrize("is_late", [True, False])
def test_market_moves_without_a_proxy_that_moves_have_no_data(is_late: bool) -> None:
    returns = random_returns(seed=8)
    if not is_late:
        returns[:, 0] = 0.0
    panel = panel_of_returns(returns, late(0, 10) if is_late else None)
    outcomes = shocks(panel, 0.0, 0.4, 0.4)

    for scenario in MARKET_MOVES:
        assert outcomes[scenario].status == "no_data"
        assert "proxy" in (outcomes[scenario].reason or "")
    assert outcomes[VOLATILITY_DOUBLED].status == "computed"


def test_shocks_of_a_constant_price_leave_it_alone() -> None:
    returns = random_returns(seed=9)
    returns[:, 1] = 0.0
    outcomes = shocks(panel_of_returns(returns), 0.0, 0.8, 0.0)

    assert outcomes["market -40 %"].portfolio_return == 0.0
    assert outcomes[CORRELATIONS_TO_ONE].volatility == 0.0
    assert outcomes[VOLATILITY_DOUBLED].portfolio_return == 0.0


def test_shocks_of_cash_lose_nothing() -> None:
    for outcome in shocks(panel_of_returns(random_returns(seed=10)), 0.0, 0.0, 0.0).values():
        assert outcome.status == "computed"
        assert outcome.portfolio_return == 0.0


SESSIONS = sessions_between(date(2018, 1, 2), date(2020, 6, 30))


def daily_rows(returns: np.ndarray, cost: float) -> pd.DataFrame:
    """Return daily rows of the newest sessions that pay `cost` of the equity before, a session."""
    equity = 1000 * np.cumprod(1 + returns)
    before = equity / (1 + returns)
    return pd.DataFrame(
        {
            "date": SESSIONS[-len(returns) :], "equity": equity, "return": returns,
            "price_gain": equity - before + cost * before, "interest": 0.0,
            "commission": cost * before, "slippage": 0.0, "impact": 0.0,
        }
    )  # fmt: skip


@pytest.mark.parametrize("sessions", [40, SESSIONS_PER_YEAR, 500])
def test_cost_shock_sets_the_newest_year_beside_the_one_that_was(sessions: int) -> None:
    returns = np.random.default_rng(11).normal(0.001, 0.01, sessions)
    prices = 100 * np.cumprod(1 + np.random.default_rng(12).normal(0, 0.01, (len(SESSIONS), 3)), 0)
    panel = replace(panel_of(prices), dates=SESSIONS.to_numpy().astype("datetime64[D]"))
    panel = replace(panel, tickers=TICKERS)
    own, dearer = daily_rows(returns, 0.0001), daily_rows(returns - 0.0002, 0.0003)

    outcome = cost_shock(own, dearer, panel, "SPY")

    year = returns[-SESSIONS_PER_YEAR:]
    assert (outcome.scenario, outcome.method) == (COSTS_TRIPLED, "shock")
    assert outcome.sessions == len(year)
    assert outcome.unshocked_return == float(total_return(year))
    assert outcome.portfolio_return == float(total_return(year - 0.0002))
    assert outcome.max_drawdown == float(max_drawdown(year - 0.0002))
    assert outcome.volatility == pytest.approx(float(volatility(year)))
    assert outcome.unshocked_volatility == float(volatility(year))
    assert outcome.annual_cost == pytest.approx(0.0003 * SESSIONS_PER_YEAR)
    assert outcome.proxy_return == pytest.approx(prices[-1, 0] / prices[-1 - len(year), 0] - 1)


def test_cost_shock_of_a_strategy_without_a_session_has_no_data() -> None:
    rows = daily_rows(np.zeros(1), 0.0).iloc[:0]
    outcome = cost_shock(rows, rows, panel_of_returns(random_returns()), "SPY")

    assert outcome.status == "no_data"
    assert outcome.reason == "The strategy has no session behind it yet."
