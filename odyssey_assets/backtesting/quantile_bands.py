"""Pairs of quantiles that a fan of resampled paths is drawn from."""

from collections.abc import Sequence

import numpy as np

MEDIAN = 0.5


def quantile_bands(quantiles: Sequence[float]) -> list[tuple[float, float]]:
    """Return the quantiles that lie symmetrically about the median, widest first."""
    ordered = sorted(quantiles)
    pairs = zip(ordered, reversed(ordered), strict=True)
    return [(low, high) for low, high in pairs if low < high and np.isclose(low + high, 1.0)]
