"""How good forecasts were over the last so many of them, after each one.

The same figures as in `core.forecast_scores` (root mean squared error, direction, rank correlation,
share inside the interval), here for every stretch of a history at once: element i is the figure of
rows i - sessions + 1 to i. A stretch that is not complete, or in which an outcome is unknown, has
none (NaN). Each stretch is computed by itself: what comes later changes no bit of it.
"""

import numpy as np
from scipy.stats import rankdata


def trailing(values: np.ndarray, sessions: int) -> np.ndarray:
    """Return the last `sessions` values up to each row, shape (rows, sessions), contiguous.

    Args:
        values: One value a row, float64, oldest first, shape (rows,).
        sessions: Length of a stretch, at least 1; rows before the first are NaN.
    """
    padded = np.concatenate([np.full(sessions, np.nan), values])
    stretches = np.lib.stride_tricks.sliding_window_view(padded, sessions)
    return np.ascontiguousarray(stretches[1:])


def rolling_rmse(prediction: np.ndarray, outcome: np.ndarray, sessions: int) -> np.ndarray:
    """Return the root mean squared error of each stretch, shape (rows,)."""
    squares = (prediction - outcome) ** 2
    return np.asarray(np.sqrt(np.mean(trailing(squares, sessions), axis=-1)))


def rolling_direction_accuracy(
    prediction: np.ndarray, outcome: np.ndarray, sessions: int
) -> np.ndarray:
    """Return the share of forecasts with the outcome's sign in each stretch, shape (rows,)."""
    return _rolling_share(np.sign(prediction) == np.sign(outcome), outcome, sessions)


def rolling_interval_coverage(
    lower: np.ndarray, upper: np.ndarray, outcome: np.ndarray, sessions: int
) -> np.ndarray:
    """Return the share of outcomes within their interval, ends included, shape (rows,)."""
    return _rolling_share((outcome >= lower) & (outcome <= upper), outcome, sessions)


def rolling_information_coefficient(
    prediction: np.ndarray, outcome: np.ndarray, sessions: int
) -> np.ndarray:
    """Return Spearman's rank correlation of each stretch, shape (rows,).

    NaN where forecasts or outcomes of the stretch do not vary.
    """
    one, two = trailing(prediction, sessions), trailing(outcome, sessions)
    is_known = ~(np.isnan(one) | np.isnan(two)).any(axis=-1)
    coefficient = np.full(len(one), np.nan)
    if sessions < 2 or not is_known.any():
        return coefficient
    one, two = one[is_known], two[is_known]
    # Ranks always have this mean, so that subtracting it is exact.
    mean_rank = (sessions + 1) / 2
    ranks, other = rankdata(one, axis=-1) - mean_rank, rankdata(two, axis=-1) - mean_rank
    squares = np.sum(ranks * ranks, axis=-1) * np.sum(other * other, axis=-1)
    correlation = np.full(len(one), np.nan)
    np.divide(np.sum(ranks * other, axis=-1), np.sqrt(squares), out=correlation, where=squares > 0)
    coefficient[is_known] = np.clip(correlation, -1.0, 1.0)
    return coefficient


def _rolling_share(is_met: np.ndarray, outcome: np.ndarray, sessions: int) -> np.ndarray:
    met = np.where(np.isnan(outcome), np.nan, is_met.astype(np.float64))
    return np.asarray(np.mean(trailing(met, sessions), axis=-1))
