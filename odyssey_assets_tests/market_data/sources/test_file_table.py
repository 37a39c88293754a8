"""Tables are read in the dominant date format, oldest first, or refused with a reason."""

import io
import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.file_table import DATE_FORMATS, FileTable, read_table

TODAY = date(2024, 6, 28)


def read(text: str) -> FileTable:
    return read_table(text.encode(), "AAA.csv", ("date", "timestamp"), TODAY, is_parquet=False)


def days(table: FileTable) -> list[str]:
    return [str(day) for day in table.dates.astype("datetime64[D]")]


@pytest.mark.parametrize("written", DATE_FORMATS)
@settings(max_examples=15, deadline=None)
@given(st.lists(st.dates(date(1995, 1, 1), TODAY), min_size=20, max_size=40, unique=True))
def test_dates_of_one_format_are_read_in_either_order(written: str, drawn: list[date]) -> None:
    known = sorted({*drawn, date(2001, 1, 30)})
    for ordered in (known, known[::-1]):
        lines = [f"{day.strftime(written)},1" for day in ordered]
        table = read("\n".join(["Date,Close", *lines]))
        assert days(table) == [str(day) for day in known]
        assert table.date_defects == [None] * len(known)


def test_dates_with_a_time_of_day_are_read_as_their_day() -> None:
    table = read("Date,Close\n2024-01-02 00:00:00-05:00,1\n2024-01-03T00:00:00,2\n2024-01-04,3\n")
    assert days(table) == ["2024-01-02", "2024-01-03", "2024-01-04"]


def test_dates_in_another_than_the_dominant_format_are_defects_of_the_day_before() -> None:
    table = read("date,close\n2024-01-02,1\n01/03/2024,2\n2024-01-04,3\nsoon,4\n")
    assert days(table) == ["2024-01-02", "2024-01-02", "2024-01-04", "2024-01-04"]
    assert table.date_defects == [None, "unreadable_date", None, "unreadable_date"]
    assert json.loads(table.content(1)) == {"date": "01/03/2024", "close": "2"}


def test_dates_unreadable_newest_first_take_the_day_before_in_time() -> None:
    table = read("date,close\n2024-01-04,3\nsoon,2\n2024-01-02,1\nnever,0\n")
    assert days(table) == ["2024-01-02", "2024-01-02", "2024-01-02", "2024-01-04"]
    assert table.columns["close"] == ["0", "1", "2", "3"]
    assert table.date_defects == ["unreadable_date", None, "unreadable_date", None]


def test_dates_that_fit_two_formats_equally_are_refused() -> None:
    with pytest.raises(SourceError, match="equally well"):
        read("date,close\n01/02/2024,1\n01/03/2024,2\n")


def test_dates_in_the_future_or_before_1900_are_defects() -> None:
    future = TODAY + timedelta(days=1)
    table = read(f"date,close\n1024-06-26,0\n2024-06-27,1\n{TODAY},2\n{future},3\n")
    assert days(table) == ["2024-06-27", "2024-06-27", str(TODAY), str(TODAY)]
    assert table.date_defects == ["unreadable_date", None, None, "future_date"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("date,close\n", "no rows"),
        ("day,close\n2024-01-02,1\n", "expected one column called date or timestamp"),
        ("date,timestamp,close\n2024-01-02,x,1\n", "expected one column"),
        ("date,close,Close\n2024-01-02,1,1\n", "twice"),
        ("date,close\nsoon,1\n", "no readable date"),
        ("date,close\n2099-01-02,1\n", "after today"),
        ('date,close\n"2024-01-02,1\n' + "x" * 200_000, "not CSV"),
    ],
)
def test_text_that_is_no_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(text)
    assert "AAA.csv" in str(caught.value)


def test_rows_of_other_lengths_are_marked_and_kept_whole() -> None:
    table = read("date,open,close\n2024-01-02,1,2\n2024-01-03,1,2,3\n2024-01-04,1\n2024-01-05\n")
    assert table.has_own_length.tolist() == [False, True, True, True]
    assert json.loads(table.content(1))["surplus field 3"] == "3"
    assert json.loads(table.content(2)) == {"date": "2024-01-04", "open": "1"}
    assert table.columns["close"] == ["2", "2", "", ""]


def test_bytes_with_a_mark_and_windows_line_ends_are_read() -> None:
    table = read("﻿Date,Adj Close\r\n2024-01-02,1\r\n\r\n2024-01-03,2\r\n")
    assert table.columns["adj_close"] == ["1", "2"]


def test_parquet_with_and_without_an_index_gives_the_same_table() -> None:
    frame = pd.DataFrame(
        {
            "Date": pd.DatetimeIndex(["2024-01-02", "2024-01-03"], tz="America/New_York"),
            "Close": [0.1 + 0.2, np.nan],
        }
    )
    for each in (frame, frame.set_index("Date")):
        payload = io.BytesIO()
        each.to_parquet(payload)
        table = read_table(payload.getvalue(), "AAA.parquet", ("date",), TODAY, is_parquet=True)
        assert days(table) == ["2024-01-02", "2024-01-03"]
        assert table.columns["close"] == [repr(0.1 + 0.2), ""]


def test_parquet_half_written_is_refused() -> None:
    payload = io.BytesIO()
    pd.DataFrame({"date": ["2024-01-02"], "close": [1.0]}).to_parquet(payload)
    half = payload.getvalue()[: len(payload.getvalue()) // 2]
    with pytest.raises(SourceError, match="half-written"):
        read_table(half, "AAA.parquet", ("date",), TODAY, is_parquet=True)
