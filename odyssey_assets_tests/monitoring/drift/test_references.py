import logging
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.monitoring.drift.panel import TickerPanel, build_panels
from odyssey_assets.monitoring.drift.references import (
    MIN_FORECASTS,
    PREFIX,
    ReferenceShelf,
    build_reference,
)
from odyssey_assets.monitoring.drift.serving_models import ServingModel, ServingRecord
from odyssey_assets_tests.monitoring.drift.small_world import (
    MODEL,
    small_settings,
    small_world,
    trained_windows,
)

WORLD = small_world(small_settings(), end=date(2013, 12, 31))
WINDOWS = trained_windows(WORLD)


def _panel() -> TickerPanel:
    return build_panels(WORLD.features, WORLD.predictions, ["AAA"], MODEL)["AAA"]


def _model(place: int = -1) -> ServingModel:
    record = ServingRecord(WORLD.folds, WORLD.challengers, (), MODEL, None)
    return record.regency("AAA", WINDOWS[place]).models[0]


def _shelf(folder: Path) -> ReferenceShelf:
    return ReferenceShelf(ModelStore(folder), "AAA", (WINDOWS[-1],))


def test_reference_of_a_model_holds_what_it_learned_from_and_earlier_forecasts() -> None:
    panel, model = _panel(), _model()
    reference = build_reference(panel, model)
    learned = panel.rows_between(model.train_start, model.train_end)
    expected = np.sort(panel.table[learned.start : learned.stop, 7])
    np.testing.assert_array_equal(reference.ascending[7, : len(learned)], expected)
    earlier = panel.forecasts_before(model.window.start)
    assert reference.counts[-1] == len(earlier) >= MIN_FORECASTS
    np.testing.assert_array_equal(reference.ascending[-1, : len(earlier)], np.sort(earlier))


def test_reference_of_the_first_model_has_no_forecasts() -> None:
    reference = build_reference(_panel(), _model(0))
    assert reference.counts[-1] == 0
    assert (reference.counts[:-1] > 0).all()


def test_reference_is_kept_and_recalled_without_the_rows(tmp_path: Path) -> None:
    panel, model, shelf = _panel(), _model(), _shelf(tmp_path)
    first = shelf.reference(panel, model)
    emptied = TickerPanel(panel.ticker, panel.days, panel.table.copy(), panel.forecast_by)
    emptied.table[:, :-1] = 0.0
    recalled = shelf.reference(emptied, model)
    assert recalled.ascending.tobytes() == first.ascending.tobytes()
    assert recalled.counts.tolist() == first.counts.tolist()


def test_altered_reference_is_made_anew_with_a_word_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    panel, model, shelf = _panel(), _model(), _shelf(tmp_path)
    first = shelf.reference(panel, model)
    (name,) = ModelStore(tmp_path).names((PREFIX, "AAA"))
    (tmp_path.joinpath(*name) / PAYLOAD).write_bytes(b"altered")
    with caplog.at_level(logging.WARNING):
        second = shelf.reference(panel, model)
    assert "made anew" in caplog.text
    assert second.ascending.tobytes() == first.ascending.tobytes()
    caplog.clear()
    shelf.reference(panel, model)
    assert caplog.text == ""


def test_reference_of_other_forecasts_is_another_one(tmp_path: Path) -> None:
    panel, model, shelf = _panel(), _model(), _shelf(tmp_path)
    shelf.reference(panel, model)
    changed = TickerPanel(panel.ticker, panel.days, panel.table.copy(), panel.forecast_by)
    changed.table[:, -1] += 1.0
    np.testing.assert_array_equal(
        shelf.reference(changed, model).ascending, build_reference(changed, model).ascending
    )
    assert len(ModelStore(tmp_path).names((PREFIX, "AAA"))) == 2


def test_references_of_windows_that_no_longer_run_are_not_kept(tmp_path: Path) -> None:
    panel, store = _panel(), ModelStore(tmp_path)
    ReferenceShelf(store, "AAA", (WINDOWS[-2],)).reference(panel, _model(-2))
    shelf = _shelf(tmp_path)
    shelf.reference(panel, _model(-2))
    shelf.reference(panel, _model(-1))
    assert [name[2] for name in store.names((PREFIX, "AAA"))] == [WINDOWS[-1].key]
