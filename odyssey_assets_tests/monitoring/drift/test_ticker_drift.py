import numpy as np
import pandas as pd

from odyssey_assets.monitoring.drift.panel import build_panels
from odyssey_assets.monitoring.drift.past_scores import PastScores
from odyssey_assets.monitoring.drift.serving_models import ServingRecord
from odyssey_assets.monitoring.drift.tabulation import tabulate
from odyssey_assets.monitoring.drift.ticker_drift import TickerDrift
from odyssey_assets_tests.monitoring.drift.small_world import (
    MODEL,
    small_settings,
    small_world,
    trained_windows,
)

SETTINGS = small_settings()
WORLD = small_world(SETTINGS)
WINDOWS = trained_windows(WORLD)


def _drift(known: pd.DataFrame | None, wanted: int) -> TickerDrift:
    panel = build_panels(WORLD.features, WORLD.predictions, ["AAA"], MODEL)["AAA"]
    record = ServingRecord(WORLD.folds, WORLD.challengers, (), MODEL, None)
    return TickerDrift(panel, record, WINDOWS[wanted:], PastScores(known), SETTINGS, None)


def _rows(wanted: int = 0) -> pd.DataFrame:
    measured = _drift(None, wanted)
    looks = [look for window in WINDOWS[wanted:] for look in measured.measure(window).looks]
    return tabulate(looks, [], SETTINGS.drift)[0]


def test_windows_to_measure_are_never_taken_from_what_is_known() -> None:
    spoiled = _rows().assign(score=0.5)
    newest = _drift(spoiled, -2).measure(WINDOWS[-1])
    fresh = _drift(None, -2).measure(WINDOWS[-1])
    for one, two in zip(newest.looks, fresh.looks, strict=True):
        np.testing.assert_array_equal(one.scores, two.scores)
    # What is known of older windows does count: their scores do not vary, so all is far off.
    assert newest.looks[0].judgement.is_drifted.sum() > fresh.looks[0].judgement.is_drifted.sum()


def test_windows_measured_in_any_order_are_the_same() -> None:
    forward, backward = _drift(None, 0), _drift(None, 0)
    ahead = [forward.measure(window) for window in WINDOWS]
    back = [backward.measure(window) for window in reversed(WINDOWS)][::-1]
    for one, two in zip(ahead, back, strict=True):
        for left, right in zip(one.looks, two.looks, strict=True):
            np.testing.assert_array_equal(left.scores, right.scores)
            np.testing.assert_array_equal(left.judgement.p_values, right.judgement.p_values)


def test_newest_sample_is_that_of_the_last_look() -> None:
    found = _drift(None, -1).measure(WINDOWS[-1])
    assert found.newest is not None
    assert found.newest.look == found.looks[-1].look
    assert found.newest.sample.shape[0] == found.looks[-1].look.sessions
    assert found.newest.reference.shape[0] == found.looks[-1].reference_rows.max()
