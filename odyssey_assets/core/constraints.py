"""Portfolio limits, and the nearest weights that keep them.

Long only, a cap a ticker, a cap on the sum. The projection is exact; what to do with the result
belongs to `core.execution`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from odyssey_assets.errors import SettingsError

TOLERANCE = 1e-9
"""By how much a weight may exceed a limit through rounding."""
ROUNDING = 1e-12
"""Sums this close above the budget keep it, so that projecting twice is projecting once."""
GAP = 1e-14
"""Sums this close to the budget have met it."""
ROUNDS = 200


@dataclass(frozen=True)
class Limits:
    """What a portfolio may hold, as fractions of equity; long only.

    Attributes:
        max_weight: In one ticker.
        max_invested: In all tickers.
        min_cash: In cash.
    """

    max_weight: float
    max_invested: float
    min_cash: float

    def __post_init__(self) -> None:
        """Refuse limits outside [0, 1], or that no portfolio can keep."""
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise SettingsError(f"{name} is a share of equity; found {value}, expected 0 to 1.")
        if self.max_invested + self.min_cash > 1 + TOLERANCE:
            raise SettingsError(
                f"max_invested {self.max_invested} and min_cash {self.min_cash} contradict each "
                "other: together they exceed 1. Lower one of them."
            )

    @property
    def budget(self) -> float:
        """Largest sum of the weights."""
        return min(self.max_invested, 1.0 - self.min_cash)


def project(targets: np.ndarray, caps: np.ndarray | float, budget: float) -> np.ndarray:
    """Return the weights nearest to `targets` (Euclidean) that keep the limits.

    Minimises `sum((w - target)^2)` subject to `0 <= w <= cap` and `sum(w) <= budget`. The solution
    is `clip(target - shift, 0, cap)` with one shift >= 0 (Held, Wolfe & Crowder 1974; Duchi et al.
    2008), the root of a falling, piecewise linear function that Newton's method finds in a few
    rounds (Cominetti, Mascarenhas & Silva 2014). Weights that keep the limits come back as they
    were, so that projecting twice is projecting once, to the bit.

    Args:
        targets: Any finite numbers, shape (..., tickers).
        caps: Largest weight of each ticker, shape (tickers,) or one for all; not negative.
        budget: Largest sum.

    Raises:
        ValueError: A target is not finite, or a cap or the budget is negative.
    """
    wanted = np.array(targets, dtype=np.float64, order="C")
    upper = np.array(np.broadcast_to(caps, wanted.shape[-1:]), dtype=np.float64)
    if not np.isfinite(wanted).all() or not (upper >= 0).all() or not budget >= 0:
        raise ValueError(
            f"Targets must be finite, caps and budget not negative: found targets {targets!r}, "
            f"caps {caps!r}, budget {budget!r}."
        )
    weights = np.empty_like(wanted)
    rows = (math.prod(wanted.shape[:-1]), len(upper))
    _project_rows(wanted.reshape(rows), upper, float(budget), weights.reshape(rows))
    return weights


@njit(cache=True, error_model="numpy")
def _project_rows(targets: np.ndarray, upper: np.ndarray, budget: float, out: np.ndarray) -> None:
    for row in range(len(targets)):
        project_row(targets[row], upper, budget, out[row])


@njit(error_model="numpy", inline="always")
def project_row(target: np.ndarray, upper: np.ndarray, budget: float, out: np.ndarray) -> None:
    """Write the projection of one row of targets to `out`; inputs are trusted.

    Newton's steps keep the root between `low`, where the weights exceed the budget, and `high`,
    where they do not; a step that leaves them, or that a flat piece forbids, halves them instead.
    """
    low, shift, high = 0.0, 0.0, np.inf
    least, most = -np.inf, ROUNDING * (1.0 + budget)
    for _ in range(ROUNDS):
        total, largest, free = 0.0, 0.0, 0
        for i in range(len(target)):
            weight = min(max(target[i] - shift, 0.0), upper[i])
            out[i] = weight
            total += weight
            largest = max(largest, target[i])
            free += (weight > 0.0) & (weight < upper[i])
        gap = total - budget
        if least <= gap <= most:
            return
        low, high = (shift, min(high, largest)) if gap > 0.0 else (low, shift)
        shift = shift + gap / free if free > 0 else low
        if not low < shift < high:
            shift = 0.5 * (low + high)
        if not low < shift < high or budget == 0.0:
            break
        least, most = -GAP * (1.0 + budget), GAP * (1.0 + budget)
    _share_out(target, upper, high, budget, out)


@njit(error_model="numpy", inline="always")
def _share_out(
    target: np.ndarray, upper: np.ndarray, high: float, budget: float, out: np.ndarray
) -> None:
    """Keep the budget where no shift meets it: it is 0, or targets are so large that it is coarse.

    What the shift `high` leaves of the budget goes to the weights that may move.
    """
    left, free = budget, 0
    for i in range(len(target)):
        out[i] = min(max(target[i] - high, 0.0), upper[i])
        left -= out[i]
        free += (out[i] > 0.0) & (out[i] < upper[i])
    for i in range(len(target)):
        if 0.0 < out[i] < upper[i]:
            out[i] = min(out[i] + left / free, upper[i])
