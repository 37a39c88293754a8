from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.portfolio.contender import Rebalance, Stretch
from odyssey_assets.portfolio.policies.equal_weight import EqualWeight
from odyssey_assets.portfolio.schedule import NOBODY, is_rebalance_session, stretch_in_force

DATES = sessions_between(date(2019, 12, 11), date(2021, 3, 10)).to_numpy().astype("datetime64[D]")
RULE = EqualWeight(0.2, 0.8)
EVERY: tuple[Rebalance, ...] = ("daily", "weekly", "monthly", "once")


def test_week_is_rebalanced_on_its_first_session_as_the_calendar_counts_weeks() -> None:
    is_first = is_rebalance_session(DATES, "weekly")
    weeks = [day.isocalendar()[:2] for day in DATES.tolist()]
    expected = [row == 0 or week != weeks[row - 1] for row, week in enumerate(weeks)]
    assert is_first.tolist() == expected


def test_month_is_rebalanced_on_its_first_session() -> None:
    is_first = is_rebalance_session(DATES, "monthly")
    months = [(day.year, day.month) for day in DATES.tolist()]
    expected = [row == 0 or month != months[row - 1] for row, month in enumerate(months)]
    assert is_first.tolist() == expected


def test_holiday_on_monday_moves_the_week_to_tuesday() -> None:
    days = dict(zip(DATES.tolist(), is_rebalance_session(DATES, "weekly"), strict=True))
    assert date(2020, 1, 20) not in days
    assert days[date(2020, 1, 21)]
    assert not days[date(2020, 1, 22)]


@pytest.mark.parametrize("rebalance", ["daily", "once"])
def test_every_session_counts_for_who_may_decide_at_any_time(rebalance: Rebalance) -> None:
    assert is_rebalance_session(DATES, rebalance).all()


@given(cut=st.integers(1, len(DATES)), rebalance=st.sampled_from(EVERY))
def test_schedule_of_a_cut_history_is_the_cut_schedule(cut: int, rebalance: Rebalance) -> None:
    whole, known = (is_rebalance_session(dates, rebalance) for dates in (DATES, DATES[:cut]))
    assert known.tolist() == whole[:cut].tolist()


def test_stretch_holds_from_its_start_to_the_next_one() -> None:
    stretches = [Stretch(date(2020, 1, 1), RULE), Stretch(date(2020, 7, 1), RULE)]
    found = dict(zip(DATES.tolist(), stretch_in_force(stretches, DATES), strict=True))

    assert {stretch for day, stretch in found.items() if day.year == 2019} == {NOBODY}
    assert [found[date(2020, 1, 2)], found[date(2020, 6, 30)]] == [0, 0]
    assert [found[date(2020, 7, 1)], found[date(2021, 3, 10)]] == [1, 1]


def test_stretch_without_a_start_holds_from_the_beginning() -> None:
    assert (stretch_in_force([Stretch(None, RULE)], DATES) == 0).all()


def test_no_stretch_holds_never() -> None:
    assert (stretch_in_force([], DATES) == NOBODY).all()
