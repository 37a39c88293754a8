import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import stats

from odyssey_assets.monitoring.quality.chance import (
    MIN_PAST_WINDOWS,
    MIN_WINDOW_SESSIONS,
    chance_limits,
    next_limits,
)

RATE = 0.05
SESSIONS = 2 * MIN_WINDOW_SESSIONS


def rows(windows: int, seed: int, subject: str = "AAA") -> pd.DataFrame:
    """Return one made-up figure of a subject over equally long windows."""
    starts = pd.date_range("2000-01-01", periods=windows, freq="6MS")
    badness = np.random.default_rng(seed).normal(size=windows * SESSIONS)
    return pd.DataFrame(
        {"subject": subject, "window": np.repeat(starts, SESSIONS), "badness": badness}
    )


def limits_of(frame: pd.DataFrame) -> np.ndarray:
    found = chance_limits(frame[["badness"]], frame[["subject", "window"]], RATE)
    pd.testing.assert_index_equal(found.index, frame.index)
    return found["badness"].to_numpy()


@given(
    worst=st.lists(
        st.floats(-10, 10, allow_subnormal=False) | st.just(float("nan")), min_size=1, max_size=12
    ),
    rate=st.floats(0.001, 0.5),
)
@hypothesis_settings(deadline=None)
def test_limit_is_the_bound_of_students_t_for_one_further_value(
    worst: list[float], rate: float
) -> None:
    found = next_limits(np.array(worst), rate)
    for at, limit in enumerate(found):
        past = [value for value in worst[:at] if value == value]
        if len(past) < MIN_PAST_WINDOWS:
            assert np.isnan(limit)
            continue
        scale = np.std(past, ddof=1) * (1 + 1 / len(past)) ** 0.5
        expected = np.mean(past) + stats.t.isf(rate, len(past) - 1) * scale
        assert limit == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_next_value_of_the_same_kind_passes_its_limit_as_often_as_was_asked() -> None:
    drawn = np.random.default_rng(0).normal(3.0, 2.0, (4000, 9))
    passed = [values[-1] > next_limits(values, RATE)[-1] for values in drawn]
    # Four standard errors of a share of 4000.
    assert np.mean(passed) == pytest.approx(RATE, abs=4 * (RATE * (1 - RATE) / 4000) ** 0.5)


def test_rows_of_a_window_share_the_limit_that_the_worst_of_earlier_windows_sets() -> None:
    frame = rows(7, seed=1)
    worst = frame["badness"].to_numpy().reshape(7, SESSIONS).max(axis=1)
    expected = np.repeat(next_limits(worst, RATE), SESSIONS)
    np.testing.assert_array_equal(limits_of(frame), expected)
    assert np.isfinite(expected).sum() == (7 - MIN_PAST_WINDOWS) * SESSIONS


def test_window_counts_from_so_many_known_sessions_on() -> None:
    for known, has_limit in ((MIN_WINDOW_SESSIONS - 1, False), (MIN_WINDOW_SESSIONS, True)):
        frame = rows(MIN_PAST_WINDOWS + 1, seed=2)
        frame.loc[known : SESSIONS - 1, "badness"] = np.nan
        assert np.isfinite(limits_of(frame)[-1]) == has_limit


def test_subjects_and_the_order_of_rows_do_not_matter() -> None:
    one, two = rows(6, 3), rows(6, 4, "BBB")
    both = pd.concat([one, two], ignore_index=True).sample(frac=1.0, random_state=0)
    found = pd.Series(limits_of(both), both.index).sort_index().to_numpy()
    np.testing.assert_array_equal(found, np.concatenate([limits_of(one), limits_of(two)]))


def test_no_rows_have_no_limits() -> None:
    assert len(limits_of(rows(1, 0).iloc[:0])) == 0
