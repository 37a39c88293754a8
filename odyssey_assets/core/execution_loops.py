"""Compiled loops of the execution simulator: many portfolios, one session or whole paths.

What happens in one session of one portfolio belongs to `core.execution_kernels`. Each loop that
reads targets returns (-1, -1, -1), or the portfolio, the session and the ticker of a target that is
not finite; nothing has happened to any book then.
"""

import numpy as np
from numba import njit

from odyssey_assets.core.execution_kernels import advance
from odyssey_assets.core.execution_orders import (
    CLOSE,
    HAS_BAR,
    SCRATCH_ROWS,
    WEIGHT,
    aim,
    equity_of,
)


@njit(cache=True)
def step_books(
    sessions: np.ndarray,
    targets: np.ndarray,
    is_decision: np.ndarray,
    market: np.ndarray,
    cash_return: np.ndarray,
    limits: np.ndarray,
    rates: np.ndarray,
    units: np.ndarray,
    pending: np.ndarray,
    cash: np.ndarray,
    by_ticker: np.ndarray,
    totals: np.ndarray,
) -> tuple[int, int, int]:
    """Take each portfolio one session on."""
    for p in range(len(sessions)):
        ticker = _unreadable(targets[p], market[sessions[p]]) if is_decision[p] else -1
        if ticker >= 0:
            return p, sessions[p], ticker
    scratch = np.empty((SCRATCH_ROWS, units.shape[1]))
    for p in range(len(sessions)):
        t = sessions[p]
        cash[p] = advance(
            targets[p], is_decision[p], market[t], market[t + 1], cash_return[t + 1],
            limits[min(p, len(limits) - 1)], rates, units[p], pending[p], cash[p], scratch,
            by_ticker[p], totals[p],
        )  # fmt: skip
    return -1, -1, -1


@njit(cache=True)
def simulate_paths(
    targets: np.ndarray,
    is_decision: np.ndarray,
    first: np.ndarray,
    capital: float,
    market: np.ndarray,
    cash_return: np.ndarray,
    limits: np.ndarray,
    rates: np.ndarray,
    keeps_fills: bool,
    by_ticker: np.ndarray,
    totals: np.ndarray,
) -> tuple[int, int, int]:
    """Take each portfolio from cash to the last session; without fills one row is overwritten."""
    portfolios, sessions, tickers = targets.shape
    scratch = np.empty((SCRATCH_ROWS, tickers))
    units, pending = np.empty(tickers), np.empty(tickers)
    kept = 1 if keeps_fills else 0
    for p in range(portfolios):
        units[:], pending[:], cash = 0.0, 0.0, capital
        for t in range(first[p], sessions - 1):
            ticker = _unreadable(targets[p, t], market[t]) if is_decision[p, t] else -1
            if ticker >= 0:
                return p, t, ticker
            cash = advance(
                targets[p, t], is_decision[p, t], market[t], market[t + 1], cash_return[t + 1],
                limits[min(p, len(limits) - 1)], rates, units, pending, cash, scratch,
                by_ticker[p * kept, (t + 1) * kept], totals[p, t + 1],
            )  # fmt: skip
    return -1, -1, -1


@njit(cache=True)
def aim_books(
    sessions: np.ndarray,
    targets: np.ndarray,
    market: np.ndarray,
    limits: np.ndarray,
    units: np.ndarray,
    cash: np.ndarray,
    weights: np.ndarray,
) -> tuple[int, int, int]:
    """Write the weights that orders of each portfolio would aim at."""
    scratch = np.empty((SCRATCH_ROWS, units.shape[1]))
    for p in range(len(sessions)):
        session = market[sessions[p]]
        ticker = _unreadable(targets[p], session)
        if ticker >= 0:
            return p, sessions[p], ticker
        equity = equity_of(cash[p], units[p], session)
        aim(targets[p], session, limits[min(p, len(limits) - 1)], equity, units[p], scratch)
        weights[p] = scratch[WEIGHT]
    return -1, -1, -1


@njit(cache=True)
def value_books(
    sessions: np.ndarray,
    market: np.ndarray,
    units: np.ndarray,
    cash: np.ndarray,
    equity: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Write what each portfolio is worth at its close, and the share of it each ticker has."""
    for p in range(len(sessions)):
        session = market[sessions[p]]
        equity[p] = equity_of(cash[p], units[p], session)
        for i in range(units.shape[1]):
            weights[p, i] = units[p, i] * session[CLOSE, i] / equity[p]


@njit(cache=True)
def _unreadable(target: np.ndarray, session: np.ndarray) -> int:
    """Return the first ticker that has a bar and no finite target; -1 if there is none."""
    found = 0
    for i in range(len(target)):
        found += (session[HAS_BAR, i] != 0.0) & (not np.isfinite(target[i]))
    if found > 0:
        for i in range(len(target)):
            if session[HAS_BAR, i] != 0.0 and not np.isfinite(target[i]):
                return i
    return -1
