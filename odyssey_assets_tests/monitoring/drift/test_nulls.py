import numpy as np

from odyssey_assets.monitoring.drift.nulls import BLOCK_SESSIONS, DRAWS, drawn_null, null_of
from odyssey_assets.monitoring.drift.panel import COLUMNS, build_panels
from odyssey_assets.monitoring.drift.references import build_reference
from odyssey_assets.monitoring.drift.serving_models import ServingRecord
from odyssey_assets.monitoring.tables import METHODS
from odyssey_assets_tests.monitoring.drift.small_world import (
    MODEL,
    small_settings,
    small_world,
    trained_windows,
)

WORLD = small_world(small_settings())
PANEL = build_panels(WORLD.features, WORLD.predictions, ["AAA"], MODEL)["AAA"]
RECORD = ServingRecord(WORLD.folds, WORLD.challengers, (), MODEL, None)
NEWEST = RECORD.regency("AAA", trained_windows(WORLD)[-1]).models[0]


def test_null_of_windows_of_unlike_length_leaves_gaps() -> None:
    shape = (len(COLUMNS), len(METHODS))
    null = null_of([{21: np.ones(shape)}, {21: np.zeros(shape), 42: np.ones(shape)}, {}], (21, 42))
    assert null.independent == 3.0
    assert np.isnan(null.scores[0, 1]).all()
    assert (null.scores[1, 1] == 1.0).all()
    assert np.isnan(null.scores[2]).all()


def test_drawn_null_of_a_model_is_the_same_each_time_and_another_for_each_seed() -> None:
    reference = build_reference(PANEL, NEWEST)
    one, two, other = (drawn_null(PANEL, NEWEST, reference, (21, 63), seed) for seed in (1, 1, 2))
    assert one.scores.tobytes() == two.scores.tobytes()
    assert (one.scores[:, :, 0] != other.scores[:, :, 0]).any()
    assert one.scores.shape == (DRAWS, 2, len(COLUMNS), len(METHODS))
    learned = len(PANEL.rows_between(NEWEST.train_start, NEWEST.train_end))
    assert one.independent == learned / BLOCK_SESSIONS


def test_drawn_null_has_no_scores_of_forecasts_and_fewer_sessions_lie_farther_off() -> None:
    null = drawn_null(PANEL, NEWEST, build_reference(PANEL, NEWEST), (21, 105), 0)
    assert np.isnan(null.scores[:, :, -1]).all()
    median = np.median(null.scores[:, :, :-1], axis=0)
    assert (median[0] > median[1]).mean() > 0.9
    assert (null.scores[..., METHODS.index("ks")][:, :, :-1] <= 1.0).all()
