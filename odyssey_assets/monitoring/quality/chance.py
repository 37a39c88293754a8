"""What chance explains: how bad the worst of the next window may be, given the windows before it.

A figure over a few dozen sessions is so uncertain that a plain limit is passed in most half years
in which nothing has changed. The one place for that reckoning, whether the figure is a forecast's
(`monitoring.quality.decay`) or a policy's (`monitoring.quality.policies`), which add the limits of
the settings.
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

MIN_PAST_WINDOWS = 4
# An earlier window counts if the figure was known on so many of its sessions: half of them.
MIN_WINDOW_SESSIONS = 60


def chance_limits(badness: pd.DataFrame, cells: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Return for each row how bad each figure may be by chance, NaN where too little is known.

    Every row of a window has the same limit, which only earlier windows of its subject set.

    Args:
        badness: One column a figure, larger is worse, on a scale on which the worst of a window is
            about normal; NaN where a figure is unknown.
        cells: Of the same rows: whose figure it is (first column), and its window (second).
        rate: Probability with which a figure of a subject and window passes its limit although
            nothing has changed.

    Returns:
        The columns and index of `badness`.
    """
    subject, window = (cells.iloc[:, at] for at in (0, 1))
    by_window = badness.groupby([subject, window], sort=True)
    worst, known = by_window.max(), by_window.count()
    counted = worst.where(known >= MIN_WINDOW_SESSIONS)
    limits = pd.DataFrame(
        {
            name: counted[name]
            .groupby(level=0, group_keys=False)
            .transform(lambda column: next_limits(column.to_numpy(dtype=np.float64), rate))
            for name in badness
        }
    )
    found = limits.reindex(pd.MultiIndex.from_arrays([subject, window]))
    return found.set_axis(badness.index)


def next_limits(worst: np.ndarray, rate: float) -> np.ndarray:
    """Return what the next value passes with probability `rate`, given those before it.

    It lies beyond mean + t * deviation * sqrt(1 + 1 / values) with the probability of Student's t:
    the prediction interval for one further observation (Hahn and Meeker, Statistical Intervals,
    1991, section 4.7).

    Args:
        worst: One value a window, oldest first; NaN for a window that does not count.
        rate: One-sided probability.

    Returns:
        One limit a window; NaN where fewer than `MIN_PAST_WINDOWS` before it count.
    """
    limits = np.full(len(worst), np.nan)
    for at in range(len(worst)):
        past = worst[:at][~np.isnan(worst[:at])]
        if len(past) < MIN_PAST_WINDOWS:
            continue
        quantile = stdtrit(len(past) - 1, 1.0 - rate)
        spread = np.std(past, ddof=1) * np.sqrt(1.0 + 1.0 / len(past))
        limits[at] = np.mean(past) + quantile * spread
    return limits
