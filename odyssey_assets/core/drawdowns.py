"""Falls from a peak: how deep a daily return series fell, for how long, and what that earned.

Conventions as in `core.returns`: returns shape (..., sessions), losses negative, NaN for a figure
that does not exist. The starting capital is the first peak, so that a loss on the first session
is a drawdown; peaks and troughs are values at the end of a session.
"""

import numpy as np

from odyssey_assets.core.returns import cagr, compounded_growth


def drawdowns(returns: np.ndarray) -> np.ndarray:
    """Return the loss since the highest value so far, at most 0, shape (..., sessions).

    Growth / its running maximum - 1, where the maximum is at least the starting capital: Chekhlov,
    Uryasev and Zabarankin (2005), International Journal of Theoretical and Applied Finance 8(1), as
    fractions of the peak. NaN past ruin, as `core.returns.compounded_growth` is.
    """
    growth = compounded_growth(returns)
    peak = np.maximum.accumulate(growth, axis=-1)
    np.maximum(peak, 1.0, out=peak)
    # In place: with many paths, fresh memory takes longer than the arithmetic.
    growth /= peak
    growth -= 1.0
    return growth


def max_drawdown(returns: np.ndarray) -> np.ndarray:
    """Return the deepest drawdown, at most 0; NaN without sessions."""
    depth = drawdowns(returns)
    if depth.shape[-1] == 0:
        return np.full(depth.shape[:-1], np.nan)
    return np.asarray(np.min(depth, axis=-1))


def max_drawdown_sessions(returns: np.ndarray) -> np.ndarray:
    """Return the most sessions in a row that ended below an earlier peak, a whole number.

    From the session after the peak to the one before the recovery, or to the end where there is
    none yet. The longest drawdown need not be the deepest. 0 without a drawdown, NaN without
    sessions.
    """
    depth = drawdowns(returns)
    sessions = depth.shape[-1]
    if sessions == 0:
        return np.full(depth.shape[:-1], np.nan)
    position = np.arange(sessions)
    last_peak = np.maximum.accumulate(np.where(depth < 0.0, -1, position), axis=-1)
    longest = np.max(position - last_peak, axis=-1)
    # A NaN stays in every later growth, so the last session tells whether there is one.
    return np.where(np.isnan(depth[..., -1]), np.nan, longest)


def calmar(returns: np.ndarray) -> np.ndarray:
    """Return compound annual growth / depth of the deepest drawdown; NaN without a drawdown.

    Young (1991), Futures 20(1), who takes three years; here it is the whole series.
    """
    growth, depth = cagr(returns), -max_drawdown(returns)
    return np.divide(growth, depth, out=np.full(depth.shape, np.nan), where=depth > 0.0)
