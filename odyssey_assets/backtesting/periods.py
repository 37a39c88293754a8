"""The periods over which strategies are measured: whole, common to all, years, half years."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import WINDOW_FORMAT, window_starts


@dataclass(frozen=True)
class Period:
    """A stretch of one strategy's sessions.

    Attributes:
        name: whole, common, a year, or a window's first day.
        kind: One of `tables.PERIOD_KINDS`.
        rows: Its rows among the strategy's sessions.
    """

    name: str
    kind: str
    rows: slice


def common_span(daily: pd.DataFrame) -> tuple[np.datetime64, np.datetime64] | None:
    """Return the first and last session on which all strategies have a return, if there is one.

    Args:
        daily: Rows of `backtesting.daily`, at least one.
    """
    ends = daily.groupby("strategy")["date"].agg(["min", "max"])
    start, end = ends["min"].max().to_datetime64(), ends["max"].min().to_datetime64()
    return (start, end) if start <= end else None


def periods_of(
    dates: np.ndarray, common: tuple[np.datetime64, np.datetime64] | None
) -> Iterator[Period]:
    """Yield the periods of a strategy, each with at least one session.

    Args:
        dates: Its sessions, `datetime64`, ascending, at least one.
        common: First and last session that all strategies share.
    """
    yield Period("whole", "whole", slice(0, len(dates)))
    if common is not None:
        start, stop = np.searchsorted(dates, common[0]), np.searchsorted(dates, common[1], "right")
        yield Period("common", "common", slice(int(start), int(stop)))
    years = dates.astype("datetime64[Y]")
    windows = window_starts(pd.DatetimeIndex(dates))
    for kind, groups, style in (("year", years, "%Y"), ("window", windows, WINDOW_FORMAT)):
        starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
        for start, stop in zip(starts, [*starts[1:], len(dates)], strict=True):
            name = pd.Timestamp(groups[start]).strftime(style)
            yield Period(name, kind, slice(int(start), int(stop)))
