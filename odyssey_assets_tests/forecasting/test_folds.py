from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import Window, window_of, windows_between
from odyssey_assets.forecasting.folds import Fold, plan_challenger, plan_folds
from odyssey_assets.settings_sections import ForecastingSettings

SESSIONS = sessions_between(date(2010, 1, 1), date(2019, 12, 31)).to_numpy()
WINDOWS = windows_between(date(2010, 1, 1), date(2019, 12, 31))


@st.composite
def _sessions(draw: st.DrawFn) -> np.ndarray:
    """Draw a listing day, a last day, and missing sessions: one stretch and some single ones."""
    first = draw(st.integers(0, 1500))
    days = SESSIONS[first : draw(st.integers(first + 1, len(SESSIONS)))]
    is_kept = np.random.default_rng(draw(st.integers(0, 99))).random(len(days)) > 0.02
    gap = draw(st.integers(0, len(days) - 1))
    is_kept[gap : gap + draw(st.integers(0, 300))] = False
    return days[is_kept]


_SETTINGS = st.builds(
    ForecastingSettings,
    horizon_sessions=st.sampled_from([1, 5, 20]),
    embargo_sessions=st.integers(0, 30),
    min_train_years=st.integers(1, 4),
    warmup_sessions=st.integers(0, 300),
    min_valid_sessions=st.integers(10, 80),
)


def _trained(days: np.ndarray, config: ForecastingSettings) -> list[Fold]:
    return [fold for fold in plan_folds(days, WINDOWS, config) if fold.reason is None]


@given(days=_sessions(), config=_SETTINGS)
@settings(max_examples=150, deadline=None)
def test_labels_end_before_the_next_part_with_the_embargo_kept(
    days: np.ndarray, config: ForecastingSettings
) -> None:
    for fold in _trained(days, config):
        last_train_label = fold.train.stop - 1 + config.horizon_sessions
        last_valid_label = fold.valid.stop - 1 + config.horizon_sessions
        assert fold.valid.start - last_train_label > config.embargo_sessions
        assert fold.test.start - last_valid_label > config.embargo_sessions


@given(days=_sessions(), config=_SETTINGS)
@settings(max_examples=150, deadline=None)
def test_parts_of_a_trained_fold_lie_in_order_and_where_they_belong(
    days: np.ndarray, config: ForecastingSettings
) -> None:
    for fold in _trained(days, config):
        train, valid, test = (days[part.rows] for part in (fold.train, fold.valid, fold.test))
        assert train[-1] < valid[0] <= valid[-1] < test[0] <= test[-1]
        half_year_before = np.datetime64(fold.window.shift(-1).start)
        start, end = np.datetime64(fold.window.start), np.datetime64(fold.window.end)
        assert train[-1] < half_year_before <= valid[0]
        assert valid[-1] < start <= test[0]
        assert test[-1] < end
        assert train[0] == days[config.warmup_sessions]
        assert len(valid) >= config.min_valid_sessions
        years = pd.DateOffset(years=config.min_train_years)
        assert pd.Timestamp(train[0]) + years <= pd.Timestamp(half_year_before)
        assert fold.trained_as_of == days[fold.test.start - 1].astype("datetime64[D]").item()


@given(days=_sessions(), config=_SETTINGS)
@settings(max_examples=60, deadline=None)
def test_every_window_has_one_fold_and_a_skipped_one_holds_no_session(
    days: np.ndarray, config: ForecastingSettings
) -> None:
    folds = plan_folds(days, WINDOWS, config)
    assert tuple(fold.window for fold in folds) == WINDOWS
    for fold in folds:
        if fold.reason is not None:
            assert fold == Fold(fold.window, reason=fold.reason)


@given(days=_sessions(), config=_SETTINGS)
@settings(max_examples=60, deadline=None)
def test_test_parts_of_adjacent_windows_share_no_session(
    days: np.ndarray, config: ForecastingSettings
) -> None:
    tested = [days[fold.test.rows] for fold in _trained(days, config)]
    joined = np.concatenate([np.empty(0, days.dtype), *tested])
    assert len(np.unique(joined)) == len(joined)


def test_default_fold_purges_ten_sessions_before_each_boundary() -> None:
    [fold] = plan_folds(SESSIONS, [Window(date(2015, 1, 1))], ForecastingSettings())
    days = SESSIONS.astype("datetime64[D]")
    assert days[fold.train.start] == days[252]
    assert days[fold.train.rows][-1] == np.datetime64("2014-06-16")
    assert days[fold.valid.rows][0] == np.datetime64("2014-07-01")
    assert days[fold.valid.rows][-1] == np.datetime64("2014-12-16")
    assert days[fold.test.rows][0] == np.datetime64("2015-01-02")
    assert days[fold.test.rows][-1] == np.datetime64("2015-06-30")
    assert fold.trained_as_of == date(2014, 12, 31)


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (date(2009, 7, 1), "no session of this ticker is stored from 2009-07-01"),
        (date(2010, 7, 1), "only 0 sessions lie before it"),
        (date(2012, 1, 1), "the warm-up ends on 2011-01-03"),
    ],
)
def test_window_with_too_little_history_is_skipped_with_its_reason(
    window: date, reason: str
) -> None:
    [fold] = plan_folds(SESSIONS, [Window(window)], ForecastingSettings())
    assert fold.reason is not None
    assert reason in fold.reason


def test_window_after_a_trading_halt_is_skipped_for_want_of_validation() -> None:
    is_halted = (np.datetime64("2016-08-01") <= SESSIONS) & (np.datetime64("2017-01-01") > SESSIONS)
    [fold] = plan_folds(SESSIONS[~is_halted], [Window(date(2017, 1, 1))], ForecastingSettings())
    assert fold.reason == (
        "validation needs 60 sessions from 2016-07-01 after purging 10, and 10 remain"
    )


def test_listing_on_a_leap_day_needs_training_until_the_28th_of_february() -> None:
    days = SESSIONS[np.datetime64("2012-02-29") <= SESSIONS]
    config = ForecastingSettings(warmup_sessions=0)
    folds = plan_folds(days, windows_between(date(2015, 1, 1), date(2016, 1, 1)), config)
    assert [fold.reason is None for fold in folds] == [False, False, True]


def test_default_challenger_learns_the_half_year_before_its_day_purged_at_both_ends() -> None:
    fold = plan_challenger(SESSIONS, date(2015, 2, 27), ForecastingSettings())
    days = SESSIONS.astype("datetime64[D]")
    assert fold.window == Window(date(2015, 1, 1))
    assert days[fold.train.start] == days[252]
    assert days[fold.train.rows][-1] == np.datetime64("2014-08-13")
    assert days[fold.valid.rows][0] == np.datetime64("2014-08-28")
    assert days[fold.valid.rows][-1] == np.datetime64("2015-02-12")
    assert days[fold.test.rows][0] == np.datetime64("2015-03-02")
    assert days[fold.test.rows][-1] == np.datetime64("2015-06-30")
    assert fold.trained_as_of == date(2015, 2, 27)
    assert fold.key == "2015-02-27"


@given(days=_sessions(), config=_SETTINGS, at=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_challenger_of_the_last_session_before_a_window_is_planned_as_its_fold(
    days: np.ndarray, config: ForecastingSettings, at: float
) -> None:
    """Where that session is the last day of June, both halves begin on the same day."""
    folds = _trained(days, config)
    for fold in folds[int(at * len(folds)) :]:
        assert fold.trained_as_of is not None
        assert fold.key == fold.window.key
        if (fold.trained_as_of.month, fold.trained_as_of.day) in ((6, 30), (12, 31)):
            challenger = plan_challenger(days, fold.trained_as_of, config)
            assert (challenger.train, challenger.valid) == (fold.train, fold.valid)
            assert challenger.window == fold.window.shift(-1)
            assert challenger.key == fold.trained_as_of.isoformat()
            assert len(challenger.test) == 0


def test_validation_half_year_begins_on_the_last_day_of_a_shorter_month() -> None:
    fold = plan_challenger(SESSIONS, date(2016, 8, 30), ForecastingSettings())
    first = SESSIONS[fold.valid.start].astype("datetime64[D]")
    assert first == np.datetime64("2016-02-29"), "half a year before 31 August"


def test_challenger_before_the_first_session_is_skipped_with_its_reason() -> None:
    fold = plan_challenger(SESSIONS, date(2009, 12, 1), ForecastingSettings())
    assert fold.reason == "no session of this ticker is stored up to 2009-12-01"
    assert fold.window == window_of(date(2009, 12, 1))
