from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.windows import (
    Window,
    half_year_before,
    parse_window,
    window_of,
    window_starts,
    windows_between,
)
from odyssey_assets.errors import SettingsError

_DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
_WINDOWS = _DAYS.map(window_of)


@given(day=_DAYS)
def test_window_of_a_day_holds_it_and_no_other_window_does(day: date) -> None:
    window = window_of(day)
    assert window.start <= day < window.end
    assert window.shift(-1).end == window.start
    assert window.shift(1).start == window.end


@pytest.mark.parametrize(
    ("day", "key", "end"),
    [
        (date(2024, 1, 1), "2024-01-01", date(2024, 7, 1)),
        (date(2024, 6, 30), "2024-01-01", date(2024, 7, 1)),
        (date(2024, 7, 1), "2024-07-01", date(2025, 1, 1)),
        (date(2024, 12, 31), "2024-07-01", date(2025, 1, 1)),
    ],
)
def test_window_bounds_are_the_half_years(day: date, key: str, end: date) -> None:
    assert window_of(day).key == key
    assert window_of(day).end == end


@given(window=_WINDOWS)
def test_window_key_parses_back(window: Window) -> None:
    assert parse_window(window.key) == window


@given(window=_WINDOWS, one=st.integers(-40, 40), two=st.integers(-40, 40))
def test_window_shifts_add_up(window: Window, one: int, two: int) -> None:
    assert window.shift(one).shift(two) == window.shift(one + two)
    assert (window.shift(one) < window) == (one < 0)


@pytest.mark.parametrize("start", [date(2024, 1, 2), date(2024, 4, 1), date(2024, 12, 1)])
def test_window_that_is_no_half_year_is_refused(start: date) -> None:
    with pytest.raises(SettingsError, match=f"found {start}"):
        Window(start)


@pytest.mark.parametrize("key", ["", "2024", "2024-13-01", "01.01.2024", "2024-01-01|AAPL"])
def test_parse_window_of_another_text_names_what_was_found(key: str) -> None:
    with pytest.raises(SettingsError, match="named like 2024-01-01; found"):
        parse_window(key)


@given(days=st.tuples(_DAYS, _DAYS).map(sorted))
def test_windows_between_are_adjacent_and_reach_from_the_first_to_the_last(
    days: list[date],
) -> None:
    windows = windows_between(*days)
    assert windows[0] == window_of(days[0])
    assert windows[-1] == window_of(days[1])
    assert all(window.shift(1) == after for window, after in pairwise(windows))


def test_windows_between_reversed_days_are_none() -> None:
    assert windows_between(date(2024, 7, 1), date(2024, 6, 30)) == ()


@given(days=st.lists(st.dates(date(1960, 1, 1), date(2100, 12, 31)), max_size=20))
def test_window_starts_equal_the_window_of_each_day(days: list[date]) -> None:
    expected = np.array([window_of(day).start for day in days], dtype="datetime64[us]")
    series = pd.Series(pd.to_datetime(days)).astype("datetime64[us]")
    assert np.array_equal(window_starts(series), expected)
    assert np.array_equal(window_starts(pd.DatetimeIndex(series)), expected)
    assert window_starts(series).dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2017, 3, 16), date(2016, 9, 16)),
        (date(2017, 8, 31), date(2017, 2, 28)),
        (date(2024, 8, 30), date(2024, 2, 29)),
        (date(2017, 6, 30), date(2016, 12, 30)),
        (date(2017, 12, 31), date(2017, 6, 30)),
        (date(2017, 12, 1), date(2017, 6, 1)),
    ],
)
def test_half_year_before_is_the_same_day_of_the_month_or_its_last(day: date, before: date) -> None:
    assert half_year_before(day) == before


@given(window=_WINDOWS)
def test_half_year_before_a_window_is_the_start_of_the_one_before(window: Window) -> None:
    assert half_year_before(window.start) == window.shift(-1).start


@given(days=st.tuples(_DAYS, _DAYS).map(sorted))
def test_half_year_before_keeps_the_order_of_days_and_is_181_to_184_days_long(
    days: list[date],
) -> None:
    early, late = (half_year_before(day) for day in days)
    assert early <= late
    # pandas counts months on its own and clamps as a calendar does.
    assert pd.Timestamp(early) == pd.Timestamp(days[0]) - pd.DateOffset(months=6)
    assert 181 <= (days[0] - early).days <= 184
