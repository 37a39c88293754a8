"""How sure the difference of two Sharpe ratios is that were earned on the same sessions.

Two strategies on one market rise and fall together, so the difference is surer than either ratio.
Conventions as in `core.returns`; one ratio alone belongs to `core.sharpe_uncertainty`.
"""

import math

import numpy as np

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.errors import ContractError


def sharpe_difference_error(returns: np.ndarray, other: np.ndarray) -> float:
    """Return the standard error of the difference of two annualised Sharpe ratios.

    The delta method on means and variances: Jobson and Korkie (1981), Journal of Finance 36(4),
    corrected by Memmel (2003), Finance Letters 1, for normal returns; Ledoit and Wolf (2008),
    Journal of Empirical Finance 15(5), for any with four moments, here without dependence on the
    past. With z the standardised return and S the ratio of one session, a ratio moves by
    z - S / 2 (z^2 - 1) a session; the error is the root mean square of the difference of these
    / sqrt(sessions - 1), times sqrt(252). For one ratio this is
    `core.sharpe_uncertainty.sharpe_standard_error`.

    Args:
        returns: Simple daily returns, shape (sessions,).
        other: Those of the other strategy on the same sessions.

    Returns:
        NaN where one of the ratios does not exist; 0 for equal returns.

    Raises:
        ContractError: The two do not have equally many sessions.
    """
    if len(returns) != len(other):
        raise ContractError(
            f"Found returns of {len(returns)} and of {len(other)} sessions; Sharpe ratios are "
            "compared on the same ones. Pass the sessions that both have."
        )
    moves = _influence(returns) - _influence(other)
    if np.isnan(moves).any() or len(moves) < 2:
        return math.nan
    scale = SESSIONS_PER_YEAR / (len(moves) - 1)
    return float(np.sqrt(np.mean(moves * moves) * scale))


def _influence(returns: np.ndarray) -> np.ndarray:
    """Return by how much each session moves the ratio of one session; NaN without a ratio."""
    series = np.asarray(returns, dtype=np.float64)
    ratio = float(sharpe(series)) / math.sqrt(SESSIONS_PER_YEAR)
    if math.isnan(ratio):
        return np.full(len(series), np.nan)
    standardised = (series - series.mean()) / series.std()
    return np.asarray(standardised - ratio / 2 * (standardised * standardised - 1))
