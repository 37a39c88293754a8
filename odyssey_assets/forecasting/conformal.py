"""How wide the stated interval around a forecast is.

Split conformal prediction; whether the interval keeps its word out of sample is scored in
`core.forecast_scores`.
"""

import math

import numpy as np

from odyssey_assets.errors import SettingsError


def conformal_width(residuals: np.ndarray, coverage: float) -> float:
    """Return the half width of an interval that covers the next outcome with `coverage`.

    The k-th smallest absolute validation residual with k = ceil((n + 1) * coverage): at least
    `coverage` for exchangeable residuals (Lei et al., 2018, Journal of the American Statistical
    Association 113, section 2.2). Overlapping labels and changing volatility are not
    exchangeable, so the coverage reached is measured, not promised.

    Args:
        residuals: Outcome minus forecast on validation sessions, shape (n,).
        coverage: Share of outcomes that shall lie inside, between 0 and 1.

    Raises:
        SettingsError: So few residuals cannot support the coverage.
    """
    count = len(residuals)
    # Rounded first: (n + 1) * coverage is often whole in decimals and a hair above it in binary.
    rank = math.ceil(round((count + 1) * coverage, 9))
    if rank > count:
        raise SettingsError(
            f"{count} validation sessions cannot support an interval that covers {coverage:.0%}; "
            "raise forecasting.min_valid_sessions or lower forecasting.interval_coverage."
        )
    return float(np.sort(np.abs(residuals))[rank - 1])
