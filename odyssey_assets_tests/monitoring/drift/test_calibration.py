import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from odyssey_assets.monitoring.drift.calibration import Null, calibrate, from_scale, to_scale
from odyssey_assets.monitoring.tables import METHODS

COLUMNS, CHECKPOINTS = 30, 3
RATE = 0.05
EVERY = np.ones(COLUMNS, dtype=bool)


def _windows(generator: np.random.Generator, count: int) -> np.ndarray:
    """Return scores of unchanged windows: columns of unlike size that share part of their luck."""
    shared = generator.normal(size=(count, 1, 1, 1))
    own = generator.normal(size=(count, 1, COLUMNS, 1))
    look = 0.3 * generator.normal(size=(count, CHECKPOINTS, COLUMNS, 1))
    size = np.linspace(0.05, 0.4, COLUMNS)[:, None] * np.array([1.0, 0.5, 0.4, 1.0])
    return np.asarray(size * np.exp(0.35 * (0.5 * shared + 0.8 * own + look)))


def _alarms(windows: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return whether any look of the present window alarms, by method."""
    calibration = calibrate(Null(windows, float(len(windows))), EVERY, RATE)
    looks = [calibration.judge(scores, at).is_drifted for at, scores in enumerate(present)]
    return np.asarray(np.any(looks, axis=(0, 1)))


@pytest.mark.parametrize("count", [8, 20])
def test_unchanged_windows_of_dependent_columns_alarm_at_most_at_the_rate(count: int) -> None:
    generator = np.random.default_rng(count)
    alarms = []
    for _ in range(400):
        windows = _windows(generator, count + 1)
        alarms.append(_alarms(windows[:-1], windows[-1]))
    # Four standard errors above the wanted share.
    assert (np.mean(alarms, axis=0) <= RATE + 4 * np.sqrt(RATE * (1 - RATE) / 400)).all()


def test_windows_with_three_columns_far_off_alarm() -> None:
    generator = np.random.default_rng(0)
    found = []
    for _ in range(50):
        windows = _windows(generator, 21)
        windows[-1, :, :3] *= 12.0
        found.append(_alarms(windows[:-1], windows[-1]))
    assert (np.mean(found, axis=0) > 0.95).all()


@given(seed=st.integers(0, 2**32 - 1), moved=st.integers(0, COLUMNS), factor=st.floats(1.0, 20.0))
@settings(max_examples=60, deadline=None)
def test_verdict_of_a_look_is_benjamini_hochbergs_on_its_p_values(
    seed: int, moved: int, factor: float
) -> None:
    windows = _windows(np.random.default_rng(seed), 13)
    present = windows[-1, 1].copy()
    present[:moved] *= factor
    family = np.arange(COLUMNS) % 3 != 0
    judged = calibrate(Null(windows[:-1], 12.0), family, RATE).judge(present, 1)
    for method in range(len(METHODS)):
        p_values = judged.p_values[family, method]
        rejected = stats.false_discovery_control(p_values, method="bh") <= RATE
        np.testing.assert_array_equal(judged.is_drifted[family, method], rejected)
    is_above = present > judged.thresholds
    np.testing.assert_array_equal(judged.is_drifted, is_above)


def test_p_values_of_a_growing_score_fall() -> None:
    windows = _windows(np.random.default_rng(1), 12)
    calibration = calibrate(Null(windows, 12.0), EVERY, RATE)
    judged = [calibration.judge(windows[0, 0] * factor, 0).p_values for factor in (3.0, 4.0, 6.0)]
    assert (np.diff(judged, axis=0) <= 0).all()


def test_columns_without_scores_are_left_out_and_change_nothing() -> None:
    windows = _windows(np.random.default_rng(2), 12)
    present = windows[-1, 0].copy()
    known = calibrate(Null(windows[:-1, :, 5:], 11.0), EVERY[5:], RATE).judge(present[5:], 0)
    windows[:, :, :5] = np.nan
    present[:5] = np.nan
    judged = calibrate(Null(windows[:-1], 11.0), EVERY, RATE).judge(present, 0)
    assert np.isnan(judged.p_values[:5]).all()
    assert np.isnan(judged.thresholds[:5]).all()
    assert not judged.is_drifted[:5].any()
    assert (judged.past_scores[:5] == 0).all()
    np.testing.assert_array_equal(judged.p_values[5:], known.p_values)
    np.testing.assert_array_equal(judged.thresholds[5:], known.thresholds)


def test_column_with_two_earlier_scores_has_no_p_value() -> None:
    windows = _windows(np.random.default_rng(3), 10)
    windows[2:, :, 0] = np.nan
    judged = calibrate(Null(windows, 10.0), EVERY, RATE).judge(windows[5, 0], 0)
    assert np.isnan(judged.p_values[0]).all()
    assert np.isfinite(judged.p_values[1:]).all()
    assert judged.past_scores[0].tolist() == [2, 2, 2, 2]


def test_constant_columns_alarm_only_when_they_move() -> None:
    windows = _windows(np.random.default_rng(4), 12)
    windows[:, :, 0] = 0.0
    still, moved = windows[-1, 0].copy(), windows[-1, 0].copy()
    moved[0] = 5.0
    calibration = calibrate(Null(windows[:-1], 11.0), EVERY, RATE)
    assert not calibration.judge(still, 0).is_drifted[0].any()
    assert calibration.judge(moved, 0).is_drifted[0].all()


def test_past_of_constants_with_one_wild_window_gives_finite_figures() -> None:
    windows = np.zeros((12, CHECKPOINTS, COLUMNS, 4))
    windows[3] = 1.0
    judged = calibrate(Null(windows, 12.0), EVERY, RATE).judge(np.full((COLUMNS, 4), 0.5), 0)
    assert np.isfinite(judged.p_values).all()
    assert np.isfinite(judged.thresholds).all()


def test_family_without_a_score_has_no_verdict() -> None:
    windows = np.full((5, CHECKPOINTS, COLUMNS, 4), np.nan)
    judged = calibrate(Null(windows, 5.0), EVERY, RATE).judge(windows[0, 0], 0)
    assert not judged.is_drifted.any()
    assert np.isnan(judged.p_values).all()


@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_scales_of_any_score_lead_back_to_it(scores: list[float]) -> None:
    values = np.array(scores)
    np.testing.assert_allclose(from_scale(to_scale(values)), values, atol=1e-12)


def test_past_that_wanders_beyond_all_bounds_gives_no_threshold_and_no_drift() -> None:
    windows = _windows(np.random.default_rng(1), 12)
    wild = METHODS.index("wasserstein")
    windows[::2, :, 0, wild] = 1e300
    judged = calibrate(Null(windows, 12.0), EVERY, RATE).judge(windows[1, 1], 1)
    assert np.isnan(judged.thresholds[0, wild])
    assert not judged.is_drifted[0, wild]
    assert np.isfinite(np.delete(judged.thresholds[:, wild], 0)).all()
