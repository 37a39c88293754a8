"""Portfolio limits, and the nearest weights that keep them.

Long only, a cap a ticker, a cap on the sum. The projection is exact; what to do with the result
belongs to `core.execution`.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from odyssey_assets.errors import SettingsError

TOLERANCE = 1e-9
"""By how much a weight may exceed a limit through rounding."""
ROUNDING = 1e-12
"""Sums this close to the budget keep it, so that projecting twice is projecting once."""


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
    is `clip(target - shift, 0, cap)` with one shift >= 0, found by walking its breakpoints (Held,
    Wolfe & Crowder 1974; Duchi et al. 2008). Weights that keep the limits come back as they were.

    Args:
        targets: Any finite numbers, shape (..., tickers).
        caps: Largest weight of each ticker, shape (tickers,) or one for all; not negative.
        budget: Largest sum.

    Raises:
        ValueError: A target is not finite, or a cap or the budget is negative.
    """
    wanted = np.ascontiguousarray(targets, dtype=np.float64)
    upper = np.array(np.broadcast_to(caps, wanted.shape[-1:]), dtype=np.float64)
    if not np.isfinite(wanted).all() or not (upper >= 0).all() or not budget >= 0:
        raise ValueError(
            f"Targets must be finite, caps and budget not negative: found targets {targets!r}, "
            f"caps {caps!r}, budget {budget!r}."
        )
    rows = wanted.reshape(-1, wanted.shape[-1])
    weights = np.empty_like(rows)
    for row, out in zip(rows, weights, strict=True):
        project_row(row, upper, budget, out)
    return weights.reshape(wanted.shape)


@njit(cache=True)
def project_row(target: np.ndarray, upper: np.ndarray, budget: float, out: np.ndarray) -> None:
    """Write the projection of one row of targets to `out`; inputs are trusted."""
    total = 0.0
    for i in range(len(target)):
        out[i] = min(max(target[i], 0.0), upper[i])
        total += out[i]
    if total <= budget * (1.0 + ROUNDING):
        return
    shift = _shift(target, upper, budget)
    for i in range(len(target)):
        out[i] = min(max(target[i] - shift, 0.0), upper[i])


@njit(cache=True)
def _shift(target: np.ndarray, upper: np.ndarray, budget: float) -> float:
    """Return the shift at which the clipped weights sum to `budget`: they exceed it at 0."""
    breaks = np.sort(np.concatenate((target, target - upper)))
    low, low_total = 0.0, _clipped_sum(target, upper, 0.0)
    for point in breaks:
        if point <= low:
            continue
        total = _clipped_sum(target, upper, point)
        if total <= budget:
            return low + (low_total - budget) / (low_total - total) * (point - low)
        low, low_total = point, total
    return low


@njit(cache=True)
def _clipped_sum(target: np.ndarray, upper: np.ndarray, shift: float) -> float:
    total = 0.0
    for i in range(len(target)):
        total += min(max(target[i] - shift, 0.0), upper[i])
    return total
