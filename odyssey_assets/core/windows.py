"""Half-year windows: the one date grid of partitions and of walk-forward folds.

A window is named by its first day (`2024-01-01`, `2024-07-01`) and is half-open: its `end` is the
first day of the next one. What a fold does with windows belongs to `forecasting.folds`; how
Dagster sees them belongs to `infrastructure.partitions`.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from odyssey_assets.errors import SettingsError

WINDOW_FORMAT = "%Y-%m-%d"


@dataclass(frozen=True, order=True)
class Window:
    """One half year, `[start, end)`."""

    start: date

    def __post_init__(self) -> None:
        """Refuse a start that is not the first day of a half year."""
        if self.start.day != 1 or self.start.month not in (1, 7):
            raise SettingsError(
                f"A window starts on 1 January or 1 July; found {self.start}. "
                "Use `window_of(day)` to get the window that holds a day."
            )

    @property
    def key(self) -> str:
        """The window's name and partition key: its first day, ISO formatted."""
        return self.start.strftime(WINDOW_FORMAT)

    @property
    def end(self) -> date:
        """First day after the window."""
        if self.start.month == 1:
            return self.start.replace(month=7)
        return date(self.start.year + 1, 1, 1)

    def shift(self, count: int) -> "Window":
        """Return the window `count` half years later (earlier when negative)."""
        half_years = self.start.year * 2 + (self.start.month == 7) + count
        return Window(date(half_years // 2, 7 if half_years % 2 else 1, 1))


def parse_window(key: str) -> Window:
    """Return the window named `key`.

    Raises:
        SettingsError: The key is not the first day of a half year.
    """
    try:
        start = datetime.strptime(key, WINDOW_FORMAT).date()
    except ValueError as error:
        raise SettingsError(f"A window is named like 2024-01-01; found {key!r}.") from error
    return Window(start)


def window_of(day: date) -> Window:
    """Return the window that holds `day`."""
    return Window(date(day.year, 1 if day.month <= 6 else 7, 1))


def half_year_before(day: date) -> date:
    """Return the same day of the month half a year earlier, or that month's last day."""
    year, month = divmod(12 * day.year + day.month - 1 - 6, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def windows_between(first: date, last: date) -> tuple[Window, ...]:
    """Return all windows from the one that holds `first` to the one that holds `last`."""
    window, final = window_of(first), window_of(last)
    windows = []
    while window <= final:
        windows.append(window)
        window = window.shift(1)
    return tuple(windows)


def window_starts(dates: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return each date's window start, `datetime64[us]`, in the order of `dates`."""
    months = pd.DatetimeIndex(dates).to_numpy().astype("datetime64[M]").astype(np.int64)
    return (months // 6 * 6).astype("datetime64[M]").astype("datetime64[us]")
