from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.infrastructure.model_store import ModelStore, StoredModel
from odyssey_assets_tests.forecasting.small_market import fast_settings, small_market
from odyssey_assets_tests.recording_tracker import RecordingTracker

MARKET = small_market()
WINDOWS = tuple(parse_window(key) for key in ("2018-01-01", "2018-07-01"))


class FullDisk(ModelStore):
    """A store that keeps two models and then cannot write."""

    def save(
        self,
        name_parts: Sequence[str],
        payload: bytes,
        content: Mapping[str, Any],
        provenance: Mapping[str, Any],
    ) -> StoredModel:
        if len(list(self.folder.rglob("manifest.json"))) == 2:
            raise ModelError("the disk is full")
        return super().save(name_parts, payload, content, provenance)


def _forecast(store: ModelStore, tracker: RecordingTracker) -> set[str]:
    folds = forecast_windows(
        MARKET.features,
        MARKET.labels,
        MARKET.bars,
        {"AAA": WINDOWS, "BBB": WINDOWS[:1]},
        fast_settings(),
        store,
        tracker,
    ).folds
    return set(folds["mlflow_run_id"])


def test_each_ticker_has_one_run_with_folds_as_steps(tmp_path: Path) -> None:
    tracker = RecordingTracker()
    run_ids = _forecast(ModelStore(tmp_path), tracker)
    assert run_ids == set(tracker.tags) == set(tracker.metrics)
    [aaa] = [run for run, tags in tracker.tags.items() if tags["ticker"] == "AAA"]
    assert tracker.tags[aaa] == {"ticker": "AAA", "source": "simulated", "simulated": "true"}
    steps = {(name, step) for name, _, step in tracker.metrics[aaa]}
    assert {("xgboost.rmse", 201801), ("xgboost.rmse", 201807)} <= steps
    assert ("xgboost.best_iteration", 201801) in steps
    assert not any(name == "historical_mean.information_coefficient" for name, _ in steps)
    assert tracker.parameters[aaa]["folds"] == 2
    assert tracker.parameters[aaa]["xgboost.max_depth"] == 3
    assert len(str(tracker.parameters[aaa]["data_sha256"])) == 64
    assert tracker.failed == []


def test_call_that_fits_nothing_leaves_no_run_and_keeps_the_old_ids(tmp_path: Path) -> None:
    store, tracker = ModelStore(tmp_path), RecordingTracker()
    first = _forecast(store, tracker)
    idle = RecordingTracker()
    assert _forecast(store, idle) == first
    assert idle == RecordingTracker()


def test_failed_call_closes_its_runs_as_failed_with_what_was_fitted(tmp_path: Path) -> None:
    tracker = RecordingTracker()
    with pytest.raises(ModelError, match="disk is full"):
        _forecast(FullDisk(tmp_path), tracker)
    assert tracker.failed == list(tracker.tags)
    assert _recorded_folds(tracker) == 2


def test_interrupted_run_leaves_models_that_the_next_call_uses(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="disk is full"):
        _forecast(FullDisk(tmp_path), RecordingTracker())
    tracker = RecordingTracker()
    _forecast(ModelStore(tmp_path), tracker)
    assert _recorded_folds(tracker) == 3 * 3 - 2


def _recorded_folds(tracker: RecordingTracker) -> int:
    folds = {
        (run_id, name.split(".")[0], step)
        for run_id, metrics in tracker.metrics.items()
        for name, _, step in metrics
    }
    return len(folds)
