import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import window_starts
from odyssey_assets.features.regime import MIN_FIT_SESSIONS, regime_states
from odyssey_assets.features.series import FloatArray
from odyssey_assets_tests.features.markets import END, START

CENTRES = np.array([[0.1, 0.02, 12.0], [0.2, 0.0, 20.0], [0.6, -0.1, 45.0]])
CALENDAR = sessions_between(START, END)
UNKNOWN_SESSIONS = 21


def planted() -> tuple[FloatArray, FloatArray]:
    """Return observations around three far-apart centres and the centre of each."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 30, size=len(CALENDAR))
    truth = np.repeat(generator.integers(0, 3, size=len(CALENDAR)), lengths)[: len(CALENDAR)]
    noise = generator.normal(0.0, 0.03, (len(CALENDAR), 3)) * CENTRES.std(axis=0)
    observations = CENTRES[truth] + noise
    observations[:UNKNOWN_SESSIONS] = np.nan
    return observations, truth.astype(np.float64)


def first_fitted_session() -> int:
    """Return the first session of the first window with enough observations behind it."""
    starts = np.flatnonzero(np.diff(window_starts(CALENDAR).astype(np.int64), prepend=0))
    return int(starts[starts >= UNKNOWN_SESSIONS + MIN_FIT_SESSIONS][0])


def test_planted_states_are_found_in_order_of_volatility() -> None:
    observations, truth = planted()
    first = first_fitted_session()

    states = regime_states(observations, CALENDAR)

    assert np.isnan(states.state[:first]).all()
    assert np.array_equal(states.state[first:], truth[first:])


def test_strength_is_the_lead_of_the_own_centre_over_the_next() -> None:
    observations, truth = planted()
    states = regime_states(observations, CALENDAR)
    starts = window_starts(CALENDAR)

    for row in (first_fitted_session(), len(CALENDAR) - 1):
        known = (starts < starts[row]) & (np.arange(len(CALENDAR)) >= UNKNOWN_SESSIONS)
        past = observations[known]
        centres = np.array([past[truth[known] == state].mean(axis=0) for state in range(3)])
        distances = np.sqrt((((observations[row] - centres) / past.std(axis=0)) ** 2).sum(axis=1))
        expected = np.delete(distances, int(truth[row])).min() - distances[int(truth[row])]
        assert states.strength[row] == pytest.approx(expected, rel=1e-9)


def test_duration_counts_sessions_since_the_change_across_windows() -> None:
    observations, _ = planted()
    observations[500:503] = np.nan
    states = regime_states(observations, CALENDAR)

    last, changed_at = np.nan, 0
    for row, state in enumerate(states.state):
        if np.isnan(state):
            assert np.isnan(states.duration[row])
            continue
        if state != last:
            last, changed_at = state, row
        assert states.duration[row] == row - changed_at
    assert np.isnan(states.duration[500:503]).all()


def test_states_of_a_window_do_not_see_the_window() -> None:
    observations, _ = planted()
    boundary = int(np.searchsorted(CALENDAR, pd.Timestamp("2012-07-01")))
    altered = observations.copy()
    altered[boundary + 10 :] *= 3.0

    one = regime_states(observations, CALENDAR)
    two = regime_states(altered, CALENDAR)

    assert np.array_equal(one.strength[: boundary + 10], two.strength[: boundary + 10], True)
    assert not np.array_equal(one.strength[boundary + 10 :], two.strength[boundary + 10 :])


@pytest.mark.parametrize("kind", ["constant", "two_points", "unknown"])
def test_past_that_has_no_three_states_gives_null(kind: str) -> None:
    observations = np.ones((len(CALENDAR), 3))
    if kind == "two_points":
        observations[::2] = 2.0
    elif kind == "unknown":
        observations, _ = planted()
        observations[:, 2] = np.nan

    states = regime_states(observations, CALENDAR)

    for values in (states.state, states.duration, states.strength):
        assert np.isnan(values).all()
