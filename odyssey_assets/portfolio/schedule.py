"""When a portfolio is rebalanced: known at the close itself, without the sessions to come.

A week or month begins with its first session, which the session before gives away; its last
session would need the future. Who decides then belongs to `portfolio.rollout`.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np

from odyssey_assets.portfolio.contender import Rebalance, Stretch

MONDAY_OFFSET_DAYS = 3
"""1 January 1970, day 0 of numpy, was a Thursday."""
NOBODY = -1


def is_rebalance_session(dates: np.ndarray, rebalance: Rebalance) -> np.ndarray:
    """Return on which sessions a portfolio may be rebalanced, shape (sessions,).

    Args:
        dates: Sessions, ascending, `datetime64[D]`; the first one always counts.
        rebalance: `weekly`: first session of an ISO week; `monthly`: of a month; `daily`: all;
            `once`: all as well, until a first decision is made.
    """
    if rebalance in ("daily", "once"):
        return np.ones(len(dates), dtype=np.bool_)
    days = dates.astype("datetime64[D]")
    if rebalance == "weekly":
        periods = (days.astype(np.int64) + MONDAY_OFFSET_DAYS) // 7
    else:
        periods = days.astype("datetime64[M]").astype(np.int64)
    is_first = np.ones(len(dates), dtype=np.bool_)
    is_first[1:] = periods[1:] != periods[:-1]
    return is_first


def stretch_in_force(stretches: Sequence[Stretch], dates: np.ndarray) -> np.ndarray:
    """Return which stretch each session belongs to, shape (sessions,); `NOBODY` before the first.

    Args:
        stretches: Oldest first.
        dates: Sessions, ascending, `datetime64[D]`.
    """
    starts = np.array([one.start or date.min for one in stretches], dtype="datetime64[D]")
    return np.searchsorted(starts, dates.astype("datetime64[D]"), side="right") - 1
