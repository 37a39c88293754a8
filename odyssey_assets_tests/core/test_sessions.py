from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.sessions import (
    CALENDAR_START,
    closing_reason,
    first_session_from,
    is_session,
    last_completed_session,
    last_completed_sessions,
    sessions_between,
)
from odyssey_assets.errors import SettingsError

NEW_YORK = ZoneInfo("America/New_York")


def test_sessions_of_a_year_leave_out_weekends_and_holidays() -> None:
    sessions = sessions_between(date(2024, 1, 1), date(2024, 12, 31))
    assert len(sessions) == 252
    assert sessions.dtype == "datetime64[us]"
    assert sessions.name == "date"
    assert (sessions.dayofweek < 5).all()
    holidays = ["2024-01-01", "2024-03-29", "2024-06-19", "2024-07-04", "2024-12-25"]
    assert not sessions.isin(pd.to_datetime(holidays)).any()


def test_sessions_know_unscheduled_closures() -> None:
    assert not is_session(date(2001, 9, 11))
    assert not is_session(date(2012, 10, 29))
    assert not is_session(date(2018, 12, 5))
    assert is_session(date(2018, 12, 6))


def test_sessions_between_includes_both_ends_and_may_be_empty() -> None:
    both = sessions_between(date(2024, 1, 2), date(2024, 1, 3))
    assert both.tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")]
    assert sessions_between(date(2024, 1, 6), date(2024, 1, 7)).empty
    assert sessions_between(date(2024, 1, 9), date(2024, 1, 8)).empty


@pytest.mark.parametrize(
    ("start", "end"),
    [(CALENDAR_START - timedelta(days=1), date(2020, 1, 1)), (date(2020, 1, 1), date(2199, 1, 1))],
)
def test_sessions_outside_the_calendar_are_refused(start: date, end: date) -> None:
    with pytest.raises(SettingsError, match="calendar covers 1990-01-01 to"):
        sessions_between(start, end)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2024, 7, 2, 15, 59, tzinfo=NEW_YORK), date(2024, 7, 1)),
        (datetime(2024, 7, 2, 16, 0, tzinfo=NEW_YORK), date(2024, 7, 2)),
        (datetime(2024, 7, 3, 13, 0, tzinfo=NEW_YORK), date(2024, 7, 3)),
        (datetime(2024, 7, 4, 20, 0, tzinfo=NEW_YORK), date(2024, 7, 3)),
        (datetime(2024, 7, 7, 12, 0, tzinfo=NEW_YORK), date(2024, 7, 5)),
        (datetime(2024, 7, 2, 20, 0, tzinfo=UTC), date(2024, 7, 2)),
        (datetime(2024, 7, 2, 19, 59), date(2024, 7, 1)),
        (datetime(2024, 1, 2, 20, 59, tzinfo=UTC), date(2023, 12, 29)),
        (datetime(2024, 1, 2, 21, 0, tzinfo=UTC), date(2024, 1, 2)),
    ],
)
def test_last_completed_session_closes_with_new_york(moment: datetime, expected: date) -> None:
    assert last_completed_session(moment) == expected


def test_last_completed_session_of_now_is_a_session_of_the_last_days() -> None:
    today = datetime.now(UTC).date()
    session = last_completed_session()
    assert is_session(session)
    assert today - timedelta(days=7) < session <= today


@settings(max_examples=30, deadline=None)
@given(moments=st.lists(st.datetimes(datetime(1990, 1, 3), datetime(2025, 12, 31)), max_size=5))
def test_last_completed_sessions_equal_the_one_of_each_moment(moments: list[datetime]) -> None:
    found = last_completed_sessions(np.array(moments, dtype="datetime64[us]"))
    assert [pd.Timestamp(day).date() for day in found] == [
        last_completed_session(moment) for moment in moments
    ]


def test_last_completed_sessions_before_the_calendar_are_its_first() -> None:
    found = last_completed_sessions(np.array(["1980-05-05T10:00"], dtype="datetime64[us]"))
    assert found.tolist() == [datetime(1990, 1, 2)]


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2024, 7, 4), "July 4th"),
        (date(2023, 1, 2), "New Year's Day"),  # Observed on the Monday after.
        (date(2024, 3, 29), "Good Friday"),
        (date(2018, 12, 5), "an unscheduled closing"),
        (date(2024, 7, 6), "weekend"),
        (date(2024, 7, 3), None),  # A half day is a session.
        (date(2024, 7, 5), None),
    ],
)
def test_closing_reason_names_the_holiday(day: date, reason: str | None) -> None:
    assert closing_reason(day) == reason


@settings(max_examples=30, deadline=None)
@given(day=st.dates(date(1990, 1, 3), date(2026, 6, 30)))
def test_first_session_from_is_the_next_day_that_new_york_trades(day: date) -> None:
    ahead = (day + timedelta(days=offset) for offset in range(15))
    assert first_session_from(day) == next(each for each in ahead if is_session(each))
