from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.market_data.gaps import fill_forward, find_gaps, land_actions

_PRESENT = st.sets(st.integers(3, 60), min_size=1).map(lambda days: np.array(sorted(days)))


@given(present=_PRESENT, max_fill=st.integers(0, 6), wait=st.integers(0, 9))
def test_fill_forward_stores_each_session_within_reach_of_a_row(
    present: np.ndarray, max_fill: int, wait: int
) -> None:
    last = int(present[-1]) + wait
    timeline = fill_forward(present, last, max_fill)

    expected = [
        (day, row, day != present[row])
        for day in range(int(present[0]), last + 1)
        for row in [int((present <= day).sum()) - 1]
        if day - present[row] <= max_fill
    ]
    found = zip(timeline.session, timeline.row, timeline.is_filled, strict=True)
    assert list(found) == expected


@given(present=_PRESENT, max_fill=st.integers(0, 6), cut=st.integers(3, 60))
def test_fill_forward_of_a_cut_history_is_the_head_of_the_whole(
    present: np.ndarray, max_fill: int, cut: int
) -> None:
    head = present[present <= cut]
    if not len(head):
        return
    whole, part = fill_forward(present, 60, max_fill), fill_forward(head, cut, max_fill)
    is_head = whole.session <= cut
    assert np.array_equal(whole.session[is_head], part.session)
    assert np.array_equal(whole.row[is_head], part.row)
    assert np.array_equal(whole.is_filled[is_head], part.is_filled)


def test_find_gaps_names_first_and_last_missing_session_and_whether_all_are_filled() -> None:
    calendar = sessions_between(date(2020, 1, 1), date(2020, 3, 31))
    present = np.array([4, 5, 7, 20])
    gaps = find_gaps("AAA", present, calendar[:25], max_fill_sessions=5)
    assert gaps["ticker"].tolist() == ["AAA"] * 3
    assert gaps["start"].tolist() == [calendar[6], calendar[8], calendar[21]]
    assert gaps["end"].tolist() == [calendar[6], calendar[19], calendar[24]]
    assert gaps["sessions"].tolist() == [1, 12, 4]
    assert gaps["is_filled"].tolist() == [True, False, True]


@given(present=_PRESENT)
def test_find_gaps_and_rows_together_are_all_sessions_since_the_first(present: np.ndarray) -> None:
    calendar = sessions_between(date(2020, 1, 1), date(2020, 4, 30))[:61]
    gaps = find_gaps("AAA", present, calendar, max_fill_sessions=5)
    assert len(present) + gaps["sessions"].sum() == 61 - present[0]


def test_find_gaps_before_the_first_row_are_none() -> None:
    calendar = sessions_between(date(2020, 1, 1), date(2020, 1, 31))
    assert find_gaps("AAA", np.arange(5, len(calendar)), calendar, 5).empty


@pytest.mark.parametrize(
    ("session", "landed"),
    [(9, None), (10, 0), (11, 1), (13, 3), (14, 4), (15, 4), (20, 4), (21, 5), (23, None)],
)
def test_land_actions_on_the_first_stored_session_from_their_day_on(
    session: int, landed: int | None
) -> None:
    timeline = fill_forward(np.array([10, 11, 20, 21]), 22, max_fill_sessions=2)
    assert timeline.session.tolist() == [10, 11, 12, 13, 20, 21, 22]
    dividend, split = land_actions(timeline, np.array([session]), np.array([0.5]), np.array([3.0]))
    where = [] if landed is None else [landed]
    assert dividend.nonzero()[0].tolist() == where
    assert (split != 1).nonzero()[0].tolist() == where


def test_land_actions_that_meet_multiplies_splits_and_puts_dividends_on_the_last_basis() -> None:
    timeline = fill_forward(np.array([10, 20]), 20, max_fill_sessions=0)
    dividend, split = land_actions(
        timeline, np.array([12, 15]), np.array([3.0, 0.5]), np.array([2.0, 4.0])
    )
    assert split.tolist() == [1.0, 8.0]
    assert dividend.tolist() == [0.0, 3.0 / 4.0 + 0.5]
