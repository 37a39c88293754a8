"""How much a strategy trades and what that takes: the figures that returns alone do not tell.

What returns tell is `core.returns`. All of a period's sessions are averaged, those without a trade
too.
"""

import math

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR

COST_COLUMNS = ("commission", "slippage", "impact")


def costs_paid(daily: pd.DataFrame) -> np.ndarray:
    """Return all costs of each row of `backtesting.daily`, USD."""
    return daily[list(COST_COLUMNS)].to_numpy(dtype=np.float64).sum(axis=1)


def gains_before_costs(daily: pd.DataFrame) -> np.ndarray:
    """Return what prices and interest brought in each row of `backtesting.daily`, USD."""
    return daily["price_gain"].to_numpy() + daily["interest"].to_numpy()


def equity_before(daily: pd.DataFrame) -> np.ndarray:
    """Return the equity at the close before each row of `backtesting.daily`, USD."""
    change = gains_before_costs(daily) - costs_paid(daily)
    return daily["equity"].to_numpy() - change


def annual_turnover(turnover: np.ndarray) -> float:
    """Return the mean traded value / equity of a session times 252; NaN without sessions."""
    return _annual_mean(turnover)


def annual_cost(costs: np.ndarray, before: np.ndarray) -> float:
    """Return the mean of costs / equity at the close before, times 252; NaN without sessions.

    Args:
        costs: Paid in each session, USD, shape (sessions,).
        before: Equity at the close before, USD, same shape.
    """
    return _annual_mean(np.divide(costs, before, out=np.full(len(costs), np.nan), where=before > 0))


def cost_share(costs: np.ndarray, gains: np.ndarray) -> float:
    """Return what part of the gain before costs went into costs; NaN where nothing was gained.

    Args:
        costs: Paid in each session, USD, shape (sessions,).
        gains: Earned in each session before costs, USD, same shape.
    """
    gained = float(gains.sum())
    return float(costs.sum()) / gained if gained > 0 else math.nan


def _annual_mean(values: np.ndarray) -> float:
    return float(values.mean()) * SESSIONS_PER_YEAR if len(values) else math.nan
