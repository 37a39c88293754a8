from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.monitoring.drift.panel import COLUMNS, TickerPanel, build_panels
from odyssey_assets_tests.monitoring.drift.small_world import MODEL, small_settings, small_world

WORLD = small_world(small_settings(), ("AAA", "BBB"), end=date(2012, 12, 31))


def _panel(shuffle: bool = False) -> TickerPanel:
    features = WORLD.features.sample(frac=1, random_state=0) if shuffle else WORLD.features
    other = WORLD.predictions.assign(model="ridge", prediction=9.0)
    predictions = pd.concat([other, WORLD.predictions])
    return build_panels(features, predictions, ["BBB", "CCC"], MODEL)["BBB"]


def test_panel_of_shuffled_rows_is_sorted_and_has_the_model_s_own_forecasts() -> None:
    panel = _panel(shuffle=True)
    own = WORLD.features[WORLD.features["ticker"] == "BBB"]
    np.testing.assert_array_equal(panel.table[:, :-1], own[list(COLUMNS[:-1])].to_numpy())
    made = WORLD.predictions[WORLD.predictions["ticker"] == "BBB"]
    is_made = panel.forecast_by != ""
    np.testing.assert_array_equal(panel.table[is_made, -1], made["prediction"].to_numpy())
    assert np.isnan(panel.table[~is_made, -1]).all()
    assert (panel.forecast_by[is_made] == made["model_sha256"].to_numpy()).all()


def test_panel_of_an_unknown_ticker_is_empty() -> None:
    empty = build_panels(WORLD.features, WORLD.predictions, ["CCC"], MODEL)["CCC"]
    assert len(empty.days) == 0
    assert empty.table.shape == (0, len(COLUMNS))


def test_rows_between_days_without_sessions_hold_those_inside() -> None:
    panel = _panel()
    rows = panel.rows_between(date(2011, 1, 1), date(2011, 1, 9))
    assert panel.days[rows.start] == np.datetime64("2011-01-03")
    assert panel.days[rows.stop - 1] == np.datetime64("2011-01-07")


def test_sample_keeps_the_forecasts_of_one_model_alone() -> None:
    panel = _panel()
    rows = panel.rows_between(date(2012, 6, 1), date(2012, 7, 31))
    sample = panel.sample(rows.start, rows.stop, "BBB-2012-07-01")
    is_late = panel.days[rows.start : rows.stop] >= np.datetime64("2012-07-01")
    np.testing.assert_array_equal(np.isfinite(sample[:, -1]), is_late)
    assert np.isfinite(panel.table[rows.start : rows.stop, -1]).all()


def test_forecasts_before_a_day_are_those_and_name_their_content() -> None:
    panel = _panel()
    before = panel.forecasts_before(date(2012, 7, 1))
    assert 0 < len(before) < len(panel.forecasts_before(date(2013, 1, 1)))
    changed = TickerPanel(panel.ticker, panel.days, panel.table.copy(), panel.forecast_by)
    changed.table[-1, -1] += 1.0
    for day, is_same in ((date(2012, 7, 1), True), (date(2013, 1, 1), False)):
        assert (panel.forecasts_sha256(day) == changed.forecasts_sha256(day)) is is_same
