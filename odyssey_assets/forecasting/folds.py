"""Walk-forward folds: which sessions a model learns from, is validated on and is tested on.

A fold is a half-year window of one ticker, or what is left of it after a session at which a
challenger learned. Pure: positions in the ticker's list of sessions come out, nothing is fitted or
read here. What is done with a fold belongs to `forecasting.fitting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from odyssey_assets.core.windows import Window, half_year_before, window_of
from odyssey_assets.settings_sections import ForecastingSettings


@dataclass(frozen=True)
class Span:
    """Positions `[start, stop)` in a ticker's list of sessions; none where stop <= start."""

    start: int = 0
    stop: int = 0

    def __len__(self) -> int:
        """Return the number of sessions."""
        return max(self.stop - self.start, 0)

    @property
    def rows(self) -> slice:
        """The positions as an index."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Fold:
    """One window's plan.

    Attributes:
        window: The window the fold is tested on.
        train: Sessions learned from; the label of the last one ends before `valid` starts, with
            the embargo to spare.
        valid: Sessions validated on (early stopping, interval width); the label of the last one
            ends before `test` starts, with the embargo to spare.
        test: Sessions of the window, forecast and never learned from; a challenger's may be none.
        trained_as_of: Last session before the window, or the one at whose close a challenger
            learned: the newest data a model of this fold may have seen. None for a skipped fold.
        reason: Why no model can be fitted, for people; None where one can.
    """

    window: Window
    train: Span = Span()
    valid: Span = Span()
    test: Span = Span()
    trained_as_of: date | None = None
    reason: str | None = None

    @property
    def key(self) -> str:
        """The fold's part of a model's name: its window, or the day a challenger learned."""
        if self.trained_as_of is None or self.trained_as_of < self.window.start:
            return self.window.key
        return self.trained_as_of.isoformat()


def plan_folds(
    sessions: np.ndarray, windows: Sequence[Window], settings: ForecastingSettings
) -> tuple[Fold, ...]:
    """Plan the fold of each window from one ticker's sessions.

    Validation is the half year before the window; training is everything before that, from the
    ticker's session number `warmup_sessions` on. Both lose their last `horizon + embargo`
    sessions (purging and embargo: Lopez de Prado, Advances in Financial Machine Learning, 2018,
    chapter 7), so no label reaches into the next part. A window is skipped, with a reason, while
    it has no session, where less than `min_train_years` lie between the first session learned
    from and the validation half year, and where fewer than `min_valid_sessions` remain to
    validate on. Only the test part depends on sessions inside or after the window.

    Args:
        sessions: The ticker's sessions, increasing, any datetime64 unit, shape (rows,).
        windows: The windows to plan, in any order.
        settings: Horizon, embargo and minimum lengths.

    Returns:
        One fold a window, in the order of `windows`.
    """
    days = sessions.astype("datetime64[D]")
    return tuple(_plan_fold(days, window, settings) for window in windows)


def plan_challenger(sessions: np.ndarray, as_of: date, settings: ForecastingSettings) -> Fold:
    """Plan what a model learns at the close of the last session up to `as_of`, inside a window.

    As in `plan_folds`, with that session in the place of the last one before the window:
    validation is the half year that it ends, both parts lose their last `horizon + embargo`
    sessions, so every label learned from was known by then. The test part is what is left of its
    window. Sessions after `as_of` decide nothing but that.

    Args:
        sessions: The ticker's sessions, increasing, any datetime64 unit, shape (rows,).
        as_of: The newest day whose data may be seen.
        settings: Horizon, embargo and minimum lengths.

    Returns:
        The plan; skipped, with a reason, where too little is stored.
    """
    days = sessions.astype("datetime64[D]")
    stop = int(np.searchsorted(days, np.datetime64(as_of, "D"), side="right"))
    if stop == 0:
        return Fold(window_of(as_of), reason=f"no session of this ticker is stored up to {as_of}")
    last = days[stop - 1].item()
    window = window_of(last)
    test = Span(stop, _position(days, window.end))
    return _plan(days, window, test, half_year_before(last + timedelta(days=1)), settings)


def _plan_fold(days: np.ndarray, window: Window, settings: ForecastingSettings) -> Fold:
    test = Span(_position(days, window.start), _position(days, window.end))
    if len(test) == 0:
        reason = f"no session of this ticker is stored from {window.start} to before {window.end}"
        return Fold(window, reason=reason)
    return _plan(days, window, test, window.shift(-1).start, settings)


def _plan(
    days: np.ndarray, window: Window, test: Span, valid_start: date, settings: ForecastingSettings
) -> Fold:
    valid = Span(_position(days, valid_start), test.start - settings.purge_sessions)
    train = Span(settings.warmup_sessions, valid.start - settings.purge_sessions)
    reason = _too_short_training(days, train, valid_start, settings) or _too_short_validation(
        valid, valid_start, settings
    )
    if reason is not None:
        return Fold(window, reason=reason)
    return Fold(window, train, valid, test, trained_as_of=days[test.start - 1].item())


def _too_short_training(
    days: np.ndarray, train: Span, valid_start: date, settings: ForecastingSettings
) -> str | None:
    needed = (
        f"training needs {settings.min_train_years} years before {valid_start} after a warm-up of "
        f"{settings.warmup_sessions} sessions"
    )
    if len(train) == 0:
        return f"{needed}, and only {_position(days, valid_start)} sessions lie before it"
    first = days[train.start].item()
    if _years_later(first, settings.min_train_years) <= valid_start:
        return None
    return f"{needed}, and the warm-up ends on {first}"


def _too_short_validation(
    valid: Span, valid_start: date, settings: ForecastingSettings
) -> str | None:
    if len(valid) >= settings.min_valid_sessions:
        return None
    return (
        f"validation needs {settings.min_valid_sessions} sessions from {valid_start} after "
        f"purging {settings.purge_sessions}, and {len(valid)} remain"
    )


def _position(days: np.ndarray, day: date) -> int:
    return int(np.searchsorted(days, np.datetime64(day, "D"), side="left"))


def _years_later(day: date, years: int) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + years, day=28 if is_leap_day else day.day)
