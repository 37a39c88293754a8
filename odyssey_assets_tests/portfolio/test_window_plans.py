from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.core.windows import Window, half_year_before, parse_window, window_of
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.window_plans import plan_inside, plan_windows
from odyssey_assets_tests.portfolio.small_training import (
    FIRST_TRAINED,
    NEWEST,
    WINDOWS,
    small_market,
)

MARKET = small_market()
DAYS = MARKET.panel.dates


def until(market: PortfolioMarket, sessions: int) -> PortfolioMarket:
    """Return the market as it was known after so many sessions."""
    view = market.until(sessions - 1)
    return PortfolioMarket(view.panel, view.forecasts, view.half_widths, view.horizon)


def test_spans_learn_before_the_half_year_that_validates_and_end_before_the_window() -> None:
    for plan in plan_windows(MARKET, WINDOWS, 1)[2:]:
        assert plan.spans is not None
        valid_start = np.datetime64(plan.window.shift(-1).start)
        learned = DAYS[plan.spans.first : plan.spans.valid_first]
        validated = DAYS[plan.spans.valid_first : plan.spans.stop]
        assert learned[0] == DAYS[0]
        assert learned[-1] < valid_start
        assert validated[0] >= valid_start
        assert validated[-1] < np.datetime64(plan.window.start)
        assert np.isin(DAYS[np.datetime64(plan.window.start) > DAYS], [*learned, *validated]).all()


def test_learning_begins_with_the_first_forecast() -> None:
    plan = plan_windows(small_market(first_forecast=40), [NEWEST], 1)[0]
    assert plan.spans is not None
    assert plan.spans.first == 40


@pytest.mark.parametrize(
    ("windows", "minimum", "reason"),
    [
        (("2015-01-01",), 1, "no forecasts before 2014-07-01"),
        (("2015-07-01",), 1, "no forecasts before 2015-01-01"),
        (("2016-07-01",), 3, "2 half years with forecasts before 2016-01-01, needs 3"),
        (("2018-01-01",), 1, "no session from 2018-01-01 to before 2018-07-01 is stored"),
    ],
)
def test_window_that_cannot_be_trained_says_why(
    windows: tuple[str, ...], minimum: int, reason: str
) -> None:
    (plan,) = plan_windows(MARKET, [parse_window(key) for key in windows], minimum)
    assert (plan.spans, plan.reason) == (None, reason)


def test_market_without_forecasts_trains_nothing() -> None:
    plans = plan_windows(small_market(first_forecast=10_000), WINDOWS, 1)
    assert all(plan.reason is not None for plan in plans)
    assert all((plan.reason or "").startswith("no forecasts before") for plan in plans)


def test_half_year_without_forecasts_cannot_validate() -> None:
    forecasts = MARKET.forecasts.copy()
    forecasts[(np.datetime64("2016-07-01") <= DAYS) & (np.datetime64("2017-01-01") > DAYS)] = np.nan
    (plan,) = plan_windows(replace(MARKET, forecasts=forecasts), [NEWEST], 1)
    assert plan.reason == "no forecasts to validate on from 2016-07-01 to before 2017-01-01"


def test_single_session_with_forecasts_is_too_little() -> None:
    last_of_half_year = int(np.searchsorted(DAYS, np.datetime64("2015-07-01"))) - 1
    market = small_market(first_forecast=last_of_half_year)
    (plan,) = plan_windows(market, [FIRST_TRAINED], 1)
    assert plan.reason == "only one session with forecasts before 2015-07-01"


@pytest.mark.parametrize("window", WINDOWS[1:4], ids=lambda window: window.key)
def test_plan_of_a_windows_last_day_is_that_of_the_window_after(window: Window) -> None:
    """Each of these half years ends with a session, so that validation is the same half year."""
    last = window.start - timedelta(days=1)
    assert np.datetime64(last) in DAYS
    (own,) = plan_windows(MARKET, [window], 1)
    inside = plan_inside(MARKET, last, 1)
    assert (inside.spans, inside.reason) == (own.spans, own.reason)
    assert inside.window == window.shift(-1)


def test_validation_inside_a_window_is_the_half_year_that_the_day_ends() -> None:
    plan = plan_inside(MARKET, date(2017, 3, 15), 1)
    assert plan.window == NEWEST
    assert plan.spans is not None
    bounds = [DAYS[row].item() for row in (plan.spans.valid_first, plan.spans.stop - 1)]
    assert bounds == [date(2016, 9, 16), date(2017, 3, 15)]
    assert DAYS[plan.spans.valid_first - 1].item() == date(2016, 9, 15)
    assert plan.spans.first == 0


def test_day_without_a_session_is_planned_as_the_session_before_it() -> None:
    friday, monday = date(2017, 3, 17), date(2017, 3, 20)
    plans = [plan_inside(MARKET, friday + timedelta(days=days), 1) for days in range(3)]
    assert plans[0].spans is not None
    assert plans == [plans[0]] * 3
    assert plan_inside(MARKET, monday, 1) != plans[0]
    assert plan_inside(MARKET, date(2099, 1, 1), 1) == plan_inside(MARKET, DAYS[-1].item(), 1)


@pytest.mark.parametrize(
    ("as_of", "window", "minimum", "reason"),
    [
        ("2014-12-31", "2014-07-01", 1, "no session up to 2014-12-31 is stored"),
        ("2015-02-02", "2015-01-01", 1, "no forecasts before 2014-08-03"),
        ("2016-05-31", "2016-01-01", 3, "2 half years with forecasts before 2015-12-01, needs 3"),
        ("2015-07-01", "2015-07-01", 1, "only one session with forecasts before 2015-01-02"),
    ],
)
def test_day_that_cannot_be_trained_for_says_why(
    as_of: str, window: str, minimum: int, reason: str
) -> None:
    plan = plan_inside(MARKET, date.fromisoformat(as_of), minimum)
    assert (plan.spans, plan.reason) == (None, reason)
    assert plan.window == parse_window(window)


def test_half_year_without_forecasts_cannot_validate_inside_a_window() -> None:
    forecasts = MARKET.forecasts.copy()
    forecasts[np.datetime64("2016-09-01") <= DAYS] = np.nan
    plan = plan_inside(replace(MARKET, forecasts=forecasts), date(2017, 3, 15), 1)
    assert plan.reason == "no forecasts to validate on from 2016-09-16 to before 2017-03-16"


@given(
    as_of=st.dates(date(2014, 12, 1), date(2017, 5, 1)),
    first_forecast=st.integers(0, 420),
    minimum=st.integers(1, 3),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_plan_inside_obeys_its_day_and_no_later_session_changes_it(
    as_of: date, first_forecast: int, minimum: int
) -> None:
    market = small_market(first_forecast=first_forecast)
    plan = plan_inside(market, as_of, minimum)
    known = int(np.searchsorted(DAYS, np.datetime64(as_of), side="right"))
    assert (plan.spans is None) == (plan.reason is not None)
    if known == 0:
        return
    last = DAYS[known - 1].item()
    assert plan.window == window_of(last)
    assert plan_inside(until(market, known), as_of, minimum) == plan
    if plan.spans is not None:
        valid_start = half_year_before(last + timedelta(days=1))
        assert plan.spans.first == first_forecast
        assert plan.spans.stop == known
        assert DAYS[plan.spans.valid_first - 1].item() < valid_start
        assert DAYS[plan.spans.valid_first].item() >= valid_start
