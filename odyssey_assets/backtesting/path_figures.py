"""The three figures of each resampled path, compiled, without keeping a path.

10,000 paths of four years of 15 strategies would fill 1.2 GB. The running formulas are those of
`core.returns` and `core.drawdowns`, which remain the definition. How sessions are drawn belongs to
`core.block_bootstrap`; what is resampled, and what is made of the figures, to
`backtesting.monte_carlo`.
"""

import math

import numpy as np
from numba import njit

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR

TERMINAL_WEALTH, SHARPE, MAX_DRAWDOWN = range(3)
FIGURES = 3


def path_figures(returns: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return what each path amounts to, for every strategy on the same sessions.

    Args:
        returns: Simple daily returns, at least -1, shape (sessions, strategies).
        drawn: Rows of `returns` that each path strings together, shape (paths, path_sessions).

    Returns:
        Shape (3, paths, strategies): multiple of capital, annualised Sharpe ratio (NaN for a path
        of fewer than two sessions or whose returns do not vary) and deepest drawdown, at most 0.
    """
    figures = np.empty((FIGURES, len(drawn), returns.shape[1]))
    _figures(np.ascontiguousarray(returns, dtype=np.float64), drawn, figures)
    return figures


@njit(cache=True)
def _figures(returns: np.ndarray, drawn: np.ndarray, figures: np.ndarray) -> None:
    """Write the figures; strategies are the innermost loop, so that vectors hold them."""
    strategies = returns.shape[1]
    wealth, level, lowest = np.empty(strategies), np.empty(strategies), np.empty(strategies)
    total, squares = np.empty(strategies), np.empty(strategies)
    for path in range(len(drawn)):
        wealth[:], level[:], lowest[:] = 1.0, 1.0, 1.0
        total[:], squares[:] = 0.0, 0.0
        # Differences to the path's first return keep the textbook variance exact for a constant
        # and safe for the rest: as many units in the last place cancel as there are sessions.
        first = returns[drawn[path, 0]]
        for row in drawn[path]:
            today = returns[row]
            for s in range(strategies):
                growth = 1.0 + today[s]
                wealth[s] *= growth
                # Wealth / its peak so far, by recursion: a division a session saved.
                level[s] = min(level[s] * growth, 1.0)
                lowest[s] = min(lowest[s], level[s])
                offset = today[s] - first[s]
                total[s] += offset
                squares[s] += offset * offset
        for s in range(strategies):
            figures[TERMINAL_WEALTH, path, s] = wealth[s]
            figures[SHARPE, path, s] = _sharpe(
                first[s], total[s], squares[s], float(drawn.shape[1])
            )
            figures[MAX_DRAWDOWN, path, s] = lowest[s] - 1.0


@njit(cache=True)
def _sharpe(first: float, total: float, squares: float, sessions: float) -> float:
    if sessions < 2.0:
        return math.nan
    variance = (squares - total * total / sessions) / (sessions - 1.0)
    if not variance > 0.0:
        return math.nan
    return (first + total / sessions) / math.sqrt(variance) * math.sqrt(SESSIONS_PER_YEAR)
