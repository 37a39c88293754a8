"""What a window's policy, or one made anew inside a window, can learn from and validate on.

Pure: rows of a market go in, spans or the reason why there are none come out. Which trainings
follow from them belongs to `portfolio.training_plan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import Window, half_year_before, window_of, window_starts
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_data import Spans

MIN_SESSIONS = 2


@dataclass(frozen=True)
class WindowPlan:
    """What one window's policy can learn from.

    Attributes:
        window: The window it decides in.
        spans: Rows to learn from and to validate on; None where it cannot be trained.
        reason: Why not, for people; None where it can.
    """

    window: Window
    spans: Spans | None = None
    reason: str | None = None


def plan_windows(
    market: PortfolioMarket, windows: Sequence[Window], min_train_windows: int
) -> tuple[WindowPlan, ...]:
    """Plan what each window's policy learns from, in the order of `windows`.

    Validation is the half year before the window, training everything before that from the first
    forecast on. A window is skipped, with a reason, while it has no session, while fewer than
    `min_train_windows` half years with forecasts lie before validation, and where validation has
    no forecast. Nothing after the window's first session decides.
    """
    days, forecast_days = market.panel.dates, _forecast_days(market)
    return tuple(_plan_window(days, forecast_days, window, min_train_windows) for window in windows)


def plan_inside(market: PortfolioMarket, as_of: date, min_train_windows: int) -> WindowPlan:
    """Plan what a policy learns at the close of the last session up to `as_of`, inside a window.

    As in `plan_windows`, with that session in the place of the last one before the window:
    validation is the half year that it ends. Sessions after `as_of` decide nothing.
    """
    days, forecast_days = market.panel.dates, _forecast_days(market)
    stop = _row(days, as_of + timedelta(days=1))
    if stop == 0:
        return WindowPlan(window_of(as_of), reason=f"no session up to {as_of} is stored")
    last = days[stop - 1].item()
    end = last + timedelta(days=1)
    valid_start = half_year_before(end)
    return _plan_until(days, forecast_days, window_of(last), valid_start, end, min_train_windows)


def _forecast_days(market: PortfolioMarket) -> np.ndarray:
    return np.asarray(market.panel.dates[np.isfinite(market.forecasts).any(axis=1)])


def _plan_window(
    days: np.ndarray, forecast_days: np.ndarray, window: Window, min_train_windows: int
) -> WindowPlan:
    if _row(days, window.start) == _row(days, window.end):
        return WindowPlan(
            window, reason=f"no session from {window.start} to before {window.end} is stored"
        )
    valid_start = window.shift(-1).start
    return _plan_until(days, forecast_days, window, valid_start, window.start, min_train_windows)


def _plan_until(
    days: np.ndarray,
    forecast_days: np.ndarray,
    window: Window,
    valid_start: date,
    end: date,
    min_train_windows: int,
) -> WindowPlan:
    """Plan what is learned before `valid_start` and validated from there to before `end`."""
    learned = forecast_days[: _row(forecast_days, valid_start)]
    if len(learned) == 0:
        return WindowPlan(window, reason=f"no forecasts before {valid_start}")
    half_years = len(np.unique(window_starts(pd.DatetimeIndex(learned))))
    if half_years < min_train_windows:
        return WindowPlan(
            window,
            reason=f"{half_years} half years with forecasts before {valid_start}, needs "
            f"{min_train_windows}",
        )
    spans = Spans(_row(days, learned[0].item()), _row(days, valid_start), _row(days, end))
    if spans.valid_first - spans.first < MIN_SESSIONS:
        return WindowPlan(window, reason=f"only one session with forecasts before {valid_start}")
    if _row(forecast_days, valid_start) == _row(forecast_days, end):
        return WindowPlan(
            window, reason=f"no forecasts to validate on from {valid_start} to before {end}"
        )
    return WindowPlan(window, spans)


def _row(days: np.ndarray, day: date) -> int:
    return int(np.searchsorted(days, np.datetime64(day, "D"), side="left"))
