"""Compiled loops of the execution simulator: many portfolios over one session or many.

What happens in one session of one portfolio belongs to `core.execution_kernels`.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from odyssey_assets.core import constraints, execution_kernels, execution_orders
from odyssey_assets.core.execution_kernels import FILL_ROWS, TOTALS, advance
from odyssey_assets.core.execution_orders import CLOSE, HAS_BAR, equity_of

READABLE = (-1, -1, -1)


@njit(error_model="numpy")
def _advance_books(
    first: np.ndarray,
    last: np.ndarray,
    origin: np.ndarray,
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
    aims: np.ndarray,
) -> tuple[int, int, int]:
    """Take each portfolio from the close of its first session to that of its last.

    Returns `READABLE`, or the portfolio, the session and the ticker of a target that is not finite;
    what has been written by then is of no use. Rows are copied in and out: numba counts references
    to every slice of an array, which costs more here than the numbers in it.

    Args:
        first: Session of each portfolio, (portfolios,).
        last: Session of each, (portfolios,).
        origin: Session that column 0 of `targets` and the outputs belongs to, (portfolios,).
        targets: Weights wanted at the close of each column's session, (portfolios, columns,
            tickers).
        is_decision: (portfolios, columns).
        market: (sessions, MARKET_ROWS, tickers).
        cash_return: (sessions,).
        limits: max_weight and budget, (portfolios, 2), or (1, 2) for all.
        rates: As `advance` takes them.
        units: Held, (portfolios, tickers); changed, as the next two.
        pending: Ordered and not filled, (portfolios, tickers).
        cash: USD, (portfolios,).
        by_ticker: Out, what happened up to the close of each column's session, (portfolios,
            columns, FILL_ROWS, tickers); not written if it has no columns.
        totals: Out, the same, (portfolios, columns, TOTALS).
        aims: Out, weights that the last decision's orders aim at, (portfolios, tickers).
    """
    tickers = units.shape[1]
    target, own_units, own_pending = np.empty(tickers), np.empty(tickers), np.empty(tickers)
    caps, weights = np.empty(tickers), np.empty(tickers)
    fills, figures = np.empty((FILL_ROWS, tickers)), np.empty(TOTALS)
    for p in range(len(first)):
        max_weight, budget = limits[min(p, len(limits) - 1), 0], limits[min(p, len(limits) - 1), 1]
        for i in range(tickers):
            own_units[i], own_pending[i] = units[p, i], pending[p, i]
        for t in range(first[p], last[p]):
            column = t - origin[p]
            if is_decision[p, column]:
                ticker = _read(targets, p, column, market, t, target)
                if ticker >= 0:
                    return p, t, ticker
            cash[p] = advance(
                target, is_decision[p, column], market, t, cash_return[t + 1], max_weight, budget,
                rates, own_units, own_pending, cash[p], (caps, weights), fills, figures,
            )  # fmt: skip
            _keep(fills, figures, p, column + 1, by_ticker, totals)
        for i in range(tickers):
            units[p, i], pending[p, i], aims[p, i] = own_units[i], own_pending[i], weights[i]
    return READABLE


@njit(error_model="numpy")
def _value_books(
    sessions: np.ndarray,
    market: np.ndarray,
    units: np.ndarray,
    cash: np.ndarray,
    equity: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Write what each portfolio is worth at its close, and the share of it each ticker has."""
    for p in range(len(sessions)):
        equity[p] = equity_of(cash[p], units[p], market, sessions[p])
        for i in range(units.shape[1]):
            weights[p, i] = units[p, i] * market[sessions[p], CLOSE, i] / equity[p]


@njit(error_model="numpy")
def _read(
    targets: np.ndarray, p: int, column: int, market: np.ndarray, t: int, target: np.ndarray
) -> int:
    """Copy a row of targets; return the last ticker with a bar and no finite target, or -1."""
    unreadable = -1
    for i in range(len(target)):
        target[i] = targets[p, column, i]
        if market[t, HAS_BAR, i] != 0.0 and not np.isfinite(target[i]):
            unreadable = i
    return unreadable


@njit(error_model="numpy")
def _keep(
    fills: np.ndarray,
    figures: np.ndarray,
    p: int,
    column: int,
    by_ticker: np.ndarray,
    totals: np.ndarray,
) -> None:
    for k in range(len(figures)):
        totals[p, column, k] = figures[k]
    if by_ticker.shape[1] > 0:
        for k in range(fills.shape[0]):
            for i in range(fills.shape[1]):
                by_ticker[p, column, k, i] = fills[k, i]


def _source_stamp() -> str:
    """Return a hash of all source that is compiled into the loops."""
    modules = (constraints, execution_orders, execution_kernels)
    return hashlib.sha256("".join(map(inspect.getsource, modules)).encode()).hexdigest()


def _kept_loops(stamp: str) -> tuple[Callable, Callable]:
    """Return the loops, compiled once and kept on disk until a line of their source changes.

    numba looks for such a change only in the file of the function that it keeps, and would go on
    using arithmetic that another file has changed. What a closure holds is part of its key.
    """

    @njit(cache=True, error_model="numpy")
    def advance(*arguments: Any) -> tuple[int, int, int]:
        return _advance_books(*arguments) if stamp else READABLE

    @njit(cache=True, error_model="numpy")
    def value(*arguments: Any) -> None:
        return _value_books(*arguments) if stamp else None

    return advance, value


advance_books, value_books = _kept_loops(_source_stamp())
