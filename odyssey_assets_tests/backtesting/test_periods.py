from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.periods import Period, common_span, periods_of
from odyssey_assets.core.sessions import sessions_between

DATES = sessions_between(date(2014, 11, 3), date(2016, 8, 31)).to_numpy()


def of_kind(kind: str) -> list[Period]:
    return [period for period in periods_of(DATES, None) if period.kind == kind]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("year", ["2014", "2015", "2016"]),
        ("window", ["2014-07-01", "2015-01-01", "2015-07-01", "2016-01-01", "2016-07-01"]),
    ],
)
def test_periods_of_a_kind_are_named_and_split_the_sessions(kind: str, names: list[str]) -> None:
    periods = of_kind(kind)
    pieces = [DATES[period.rows] for period in periods]

    assert [period.name for period in periods] == names
    assert np.concatenate(pieces).tolist() == DATES.tolist()
    for period, piece in zip(periods, pieces, strict=True):
        assert str(piece[0]) >= period.name
    assert pieces[1][0] == np.datetime64("2015-01-02")


def test_whole_holds_every_session() -> None:
    assert of_kind("whole") == [Period("whole", "whole", slice(0, len(DATES)))]


def test_common_holds_the_sessions_of_the_span_with_both_ends() -> None:
    first, last = DATES[10], DATES[20]
    common = [period for period in periods_of(DATES, (first, last)) if period.kind == "common"]

    assert common == [Period("common", "common", slice(10, 21))]


def daily(**spans: tuple[int, int]) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"strategy": name, "date": DATES[start:stop]})
        for name, (start, stop) in spans.items()
    ]
    return pd.concat(frames, ignore_index=True)


def test_common_span_begins_with_the_last_and_ends_with_the_first_strategy() -> None:
    span = common_span(daily(early=(0, 100), late=(30, 100), stopped=(10, 90)))
    assert span == (DATES[30], DATES[89])


def test_strategies_that_never_overlap_have_no_common_span() -> None:
    assert common_span(daily(old=(0, 10), new=(10, 20))) is None
    assert common_span(daily(old=(0, 11), new=(10, 20))) == (DATES[10], DATES[10])
