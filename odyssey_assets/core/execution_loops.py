"""The compiled loop of the execution simulator: many portfolios over one session or many.

What happens in one session of one portfolio belongs to `core.execution_kernels`.
"""

import hashlib
import inspect
from typing import Any

import numpy as np
from numba import njit

from odyssey_assets.core import constraints, execution_kernels, execution_orders
from odyssey_assets.core.execution_kernels import FILL_ROWS, TOTALS, advance
from odyssey_assets.core.execution_orders import HAS_BAR

COMPILED_IN = (constraints, execution_orders, execution_kernels)
READABLE = (-1, -1, -1)


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


def _kept_loop(stamp: int) -> Any:
    """Return the loop, compiled once and kept on disk until a line of its source changes.

    numba looks for such a change only in the file of the function that it keeps, and would go on
    using arithmetic that another file has changed. What a closure holds is part of its key.
    """

    @njit(cache=True, error_model="numpy")
    def loop(
        span: tuple[np.ndarray, np.ndarray, np.ndarray],
        decisions: tuple[np.ndarray, np.ndarray],
        market: np.ndarray,
        cash_return: np.ndarray,
        limits: np.ndarray,
        rates: np.ndarray,
        book: tuple[np.ndarray, np.ndarray, np.ndarray],
        out: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> tuple[int, int, int]:
        first, last, origin = span
        targets, is_decision = decisions
        units, pending, cash = book
        by_ticker, totals, aims = out
        tickers = units.shape[1]
        target, own_units, own_pending = np.empty(tickers), np.empty(tickers), np.empty(tickers)
        scratch = np.empty(tickers), np.empty(tickers)
        fills, figures = np.empty((FILL_ROWS, tickers)), np.empty(TOTALS)
        for p in range(len(first) if stamp else 0):
            own = min(p, len(limits) - 1)
            for i in range(tickers):
                own_units[i], own_pending[i] = units[p, i], pending[p, i]
            for t in range(first[p], last[p]):
                column = t - origin[p]
                if is_decision[p, column]:
                    ticker = _read(targets, p, column, market, t, target)
                    if ticker >= 0:
                        return p, t, ticker
                cash[p] = advance(
                    target, is_decision[p, column], market, t, cash_return[t + 1], limits[own, 0],
                    limits[own, 1], rates, own_units, own_pending, cash[p], scratch, fills, figures,
                )  # fmt: skip
                _keep(fills, figures, p, column + 1, by_ticker, totals)
            for i in range(tickers):
                units[p, i], pending[p, i], aims[p, i] = own_units[i], own_pending[i], scratch[1][i]
        return READABLE

    return loop


def source_stamp() -> int:
    """Return a positive hash of all source that is compiled into the loop."""
    text = "".join(map(inspect.getsource, COMPILED_IN))
    return int(hashlib.sha256(text.encode()).hexdigest()[:15], 16) + 1


advance_books = _kept_loop(source_stamp())
"""Take each portfolio from the close of its first session to that of its last.

Returns `READABLE`, or the portfolio, the session and the ticker of a target that is not finite;
what has been written by then is of no use. Rows are copied in and out: numba counts references to
every slice of an array, which costs more here than the numbers in it.

Args:
    span: First and last session of each portfolio, and the session that column 0 of the decisions
        and of what comes out belongs to, each (portfolios,).
    decisions: Weights wanted at the close of each column's session, (portfolios, columns, tickers),
        and whether they are decided then, (portfolios, columns).
    market: (sessions + 1, MARKET_ROWS, tickers).
    cash_return: (sessions + 1,).
    limits: max_weight and budget, (portfolios, 2), or (1, 2) for all.
    rates: As `advance` takes them.
    book: Units and waiting units, (portfolios, tickers), and cash, (portfolios,); changed.
    out: What happens up to the close of each column's session, (portfolios, columns, FILL_ROWS,
        tickers), not written if it has no columns, and (portfolios, columns, TOTALS); and the
        weights that the last decision's orders aim at, (portfolios, tickers).
"""
