"""Hypothetical moves: what the newest portfolio loses if the market, its risk or its costs jump.

Betas, volatilities and correlations are those of the newest sessions. A shock is a what-if, not a
forecast: it says nothing of how likely it is. What happened in history belongs to
`backtesting.crises`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.crises import with_path_figures
from odyssey_assets.backtesting.newest_portfolio import CoveredPortfolio, NewestPortfolio
from odyssey_assets.backtesting.stress_outcome import Outcome
from odyssey_assets.backtesting.trading_intensity import annual_cost, costs_paid, equity_before
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.core.returns import TAIL, beta, total_return, volatility
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR

MARKET_MOVES = {"market -10 %": -0.1, "market -20 %": -0.2, "market -40 %": -0.4}
VOLATILITY_DOUBLED, CORRELATIONS_TO_ONE = "volatility doubled", "correlations to one"
COSTS_TRIPLED = "costs tripled"
COST_FACTOR = 3.0
HORIZON_SESSIONS = 20
MIN_LOOKBACK_SHARE = 0.5
"""Share of the lookback that a ticker must have traded for its beta and volatility to count."""


@dataclass(frozen=True, eq=False)
class Lookback:
    """The newest sessions, from which betas, volatilities and correlations come.

    Attributes:
        returns: Daily returns, NaN before a ticker's first, shape (sessions, tickers).
        has_enough: Whether the ticker has enough of them, shape (tickers,).
        proxy: Column of the ticker that stands for the market.
    """

    returns: np.ndarray
    has_enough: np.ndarray
    proxy: int

    def shared_by(self, columns: np.ndarray) -> np.ndarray:
        """Return the rows on which every one of `columns` has a return, shape (rows, tickers)."""
        return self.returns[~np.isnan(self.returns[:, columns]).any(axis=1)]


def newest_lookback(panel: PricePanel, sessions: int, proxy: str) -> Lookback:
    """Return the last `sessions` sessions of a panel, or all there are."""
    returns = panel.returns[-sessions:]
    counts = np.count_nonzero(~np.isnan(returns), axis=0)
    has_enough = counts >= math.ceil(sessions * MIN_LOOKBACK_SHARE)
    return Lookback(returns, has_enough, panel.tickers.index(proxy))


def portfolio_shocks(portfolio: NewestPortfolio, lookback: Lookback) -> list[Outcome]:
    """Return the newest portfolio under moves of the market and of its risk.

    Args:
        portfolio: Tickers as in `lookback`.
        lookback: The newest sessions.
    """
    covered = portfolio.covered_by(lookback.has_enough)
    blank = [
        Outcome(scenario, "shock", covered_weight=covered.share)
        for scenario in (*MARKET_MOVES, VOLATILITY_DOUBLED, CORRELATIONS_TO_ONE)
    ]
    if covered.refusal is not None:
        return [replace(outcome, reason=covered.refusal) for outcome in blank]
    moves = len(MARKET_MOVES)
    return [
        *_market_moves(blank[:moves], covered, lookback),
        *_risk_shocks(blank[moves], blank[moves + 1], covered, lookback),
    ]


def _market_moves(
    blank: Sequence[Outcome], covered: CoveredPortfolio, lookback: Lookback
) -> list[Outcome]:
    """Move each ticker by its beta times the market's move, but not below -100 %; cash is safe.

    The single-index model without its residuals: Sharpe (1963), Management Science 9(2).
    """
    held = np.flatnonzero(covered.weights > 0)
    rows = lookback.shared_by(np.append(held, lookback.proxy))
    market = rows[:, lookback.proxy]
    if not lookback.has_enough[lookback.proxy] or np.ptp(market) == 0:
        reason = "The proxy has too few returns in the lookback, or they do not vary: no betas."
        return [replace(outcome, reason=reason) for outcome in blank]
    betas = beta(rows[:, held].T, market)
    return [
        replace(
            outcome,
            method="shock",
            sessions=len(rows),
            portfolio_return=float(covered.weights[held] @ np.maximum(betas * move, -1.0)),
            proxy_return=move,
        )
        for outcome, move in zip(blank, MARKET_MOVES.values(), strict=True)
    ]


def _risk_shocks(
    doubled: Outcome, to_one: Outcome, covered: CoveredPortfolio, lookback: Lookback
) -> list[Outcome]:
    """Double every volatility at today's correlations; set every correlation to one.

    The volatility of a portfolio is homogeneous in those of its parts, so it doubles with them; it
    is their weighted sum where all correlations are one (Markowitz 1952, Journal of Finance 7(1)).
    """
    held = np.flatnonzero(covered.weights > 0)
    rows, weights = lookback.shared_by(held)[:, held], covered.weights[held]
    today = float(volatility(rows @ weights))
    summed = float(weights @ volatility(rows.T))
    return [
        replace(
            outcome,
            method="shock",
            sessions=len(rows),
            portfolio_return=bad_month(shocked),
            unshocked_return=bad_month(today),
            volatility=shocked,
            unshocked_volatility=today,
        )
        for outcome, shocked in ((doubled, 2.0 * today), (to_one, summed))
    ]


def bad_month(annual_volatility: float) -> float:
    """Return the 5 % quantile of the return over 20 sessions, at least -1.

    Normal with mean zero and square-root-of-time scaling: the delta-normal value at risk of J.P.
    Morgan (1996), RiskMetrics Technical Document, 4th edition. Real tails are fatter.
    """
    scale = annual_volatility * math.sqrt(HORIZON_SESSIONS / SESSIONS_PER_YEAR)
    return float(np.maximum(NormalDist().inv_cdf(TAIL) * scale, -1.0))


def cost_shock(own: pd.DataFrame, dearer: pd.DataFrame, panel: PricePanel, proxy: str) -> Outcome:
    """Return the newest year of a strategy had it paid three times the costs ever since it began.

    Args:
        own: Rows of `backtesting.daily` of the strategy, ascending.
        dearer: Its rows at three times the costs, of the same sessions.
        panel: Prices of these sessions and the one before.
        proxy: Ticker that stands for the market, one of the panel's.
    """
    blank = Outcome(COSTS_TRIPLED, "shock")
    if own.empty:
        return replace(blank, reason="The strategy has no session behind it yet.")
    year, dear_year = own.tail(SESSIONS_PER_YEAR), dearer.tail(SESSIONS_PER_YEAR)
    returns = year["return"].to_numpy(dtype=np.float64)
    days = year["date"].to_numpy().astype("datetime64[D]")
    first, last = np.searchsorted(panel.dates, days[[0, -1]])
    market = panel.close[:, panel.tickers.index(proxy)]
    return replace(
        with_path_figures(blank, dear_year["return"].to_numpy(dtype=np.float64)),
        method="shock",
        unshocked_return=float(total_return(returns)),
        unshocked_volatility=float(volatility(returns)),
        proxy_return=float(market[last] / market[first - 1] - 1),
        annual_cost=annual_cost(costs_paid(dear_year), equity_before(dear_year)),
    )
