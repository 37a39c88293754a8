"""Clip of log returns by the ticker's own past, so that one jump does not rule a cumulated return.

The bounds of a session come from the sessions before it, so they never change later; they are
stored as `features.clip_thresholds`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from odyssey_assets.features.kernels import expanding_bounds
from odyssey_assets.features.series import FloatArray
from odyssey_assets.settings_sections import FeatureSettings


@dataclass(frozen=True)
class ClippedReturns:
    """Log returns of one ticker, one element a row, with the bounds that applied.

    Attributes:
        log_return: Unclipped; null on the first row.
        lower: Lower bound; null while the past is too short or has no spread.
        upper: Upper bound; null where `lower` is.
        is_clipped: Whether the log return lay outside the bounds.
        clipped: The log return inside the bounds.
    """

    log_return: FloatArray
    lower: FloatArray
    upper: FloatArray
    is_clipped: NDArray[np.bool_]
    clipped: FloatArray


def clip_returns(log_return: FloatArray, settings: FeatureSettings) -> ClippedReturns:
    """Clip log returns to `clip_std` standard deviations around the mean of their own past.

    The past of a row is every unclipped log return before it, at least `clip_min_sessions`.
    """
    lower, upper = expanding_bounds(log_return, settings.clip_min_sessions, settings.clip_std)
    is_clipped = (log_return < lower) | (log_return > upper)
    clipped = np.fmin(np.fmax(log_return, lower), upper)
    return ClippedReturns(log_return, lower, upper, is_clipped, clipped)
