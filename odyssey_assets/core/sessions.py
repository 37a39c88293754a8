"""The trading calendar: which days New York trades, and which of them are over.

Sessions are dates without time zone. Everything that counts days in Odyssey counts sessions.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import exchange_calendars
import numpy as np
import pandas as pd

from odyssey_assets.errors import SettingsError

EXCHANGE = "XNYS"
CALENDAR_START = date(1990, 1, 1)
SESSIONS_PER_YEAR = 252
SATURDAY = 5
UNSCHEDULED = "an unscheduled closing"


@lru_cache(maxsize=1)
def _calendar() -> exchange_calendars.ExchangeCalendar:
    return exchange_calendars.get_calendar(EXCHANGE, start=CALENDAR_START.isoformat())


def sessions_between(start: date, end: date) -> pd.DatetimeIndex:
    """Return the sessions from `start` to `end`, both inclusive, as `datetime64[us]` dates.

    Raises:
        SettingsError: `start` lies before the calendar, or `end` beyond it.
    """
    calendar = _calendar()
    last = calendar.last_session.date()
    if start < CALENDAR_START or end > last:
        raise SettingsError(
            f"The {EXCHANGE} calendar covers {CALENDAR_START} to {last}; "
            f"asked for {start} to {end}. Choose `start` and `end` inside it."
        )
    index = calendar.sessions
    inside = index[(index >= pd.Timestamp(start)) & (index <= pd.Timestamp(end))]
    return pd.DatetimeIndex(inside.to_numpy().astype("datetime64[us]"), name="date")


def last_completed_session(now: datetime | None = None) -> date:
    """Return the latest session that closed in New York by `now` (default: this moment)."""
    moment = pd.Timestamp(now if now is not None else datetime.now(UTC))
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    calendar = _calendar()
    recent = calendar.closes[: moment.tz_localize(None).normalize() + timedelta(days=1)]
    return recent[recent <= moment].index[-1].date()


def last_completed_sessions(moments: np.ndarray) -> np.ndarray:
    """Return for each UTC moment the latest session that was over by then, `datetime64[us]`.

    The vectorised `last_completed_session`; a moment before the calendar gets its first session.
    """
    closes = _calendar().closes
    ends = closes.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    sessions = closes.index.to_numpy().astype("datetime64[us]")
    position = np.searchsorted(ends, moments.astype("datetime64[us]"), side="right") - 1
    return sessions[np.maximum(position, 0)]


def is_session(day: date) -> bool:
    """Return whether New York trades on `day`."""
    return bool(_calendar().is_session(pd.Timestamp(day)))


def first_session_from(day: date) -> date:
    """Return `day` if New York trades on it, else the next session."""
    return _calendar().date_to_session(pd.Timestamp(day), direction="next").date()


def closing_reason(day: date) -> str | None:
    """Return why New York does not trade on `day`: the holiday's name; None if it trades."""
    if is_session(day):
        return None
    if day.weekday() >= SATURDAY:
        return "weekend"
    holidays = _calendar().regular_holidays
    if holidays is None:
        return UNSCHEDULED
    named = holidays.holidays(day, day, return_name=True)
    return str(named.iloc[0]) if len(named) else UNSCHEDULED
