from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.monitoring.drift.serving_models import ServingRecord
from odyssey_assets_tests.monitoring.drift.small_world import (
    MODEL,
    small_settings,
    small_world,
    trained_windows,
)

WORLD = small_world(small_settings(), end=date(2013, 12, 31))
WINDOW = trained_windows(WORLD)[-1]
CHALLENGER = {
    "ticker": "AAA",
    "model": MODEL,
    "model_sha256": "challenger",
    "model_name": f"{MODEL}/AAA/as-of",
    "data_sha256": "data",
    "trained_as_of": pd.Timestamp("2013-08-15"),
    "train_start": pd.Timestamp("2010-04-01"),
    "train_end": pd.Timestamp("2013-01-31"),
}


def _record(*reigns: Reign, store: ModelStore | None = None) -> ServingRecord:
    challengers = pd.DataFrame([CHALLENGER])
    return ServingRecord(WORLD.folds, challengers, reigns, MODEL, store)


def _reign(sha: str, after: date) -> Reign:
    return Reign("AAA", WINDOW, after, (MODEL, "AAA", sha), sha)


def test_window_without_a_reign_is_served_by_its_own_model_throughout() -> None:
    (model,) = _record().regency("AAA", WINDOW).models
    fold = WORLD.folds[WORLD.folds["window"] == pd.Timestamp(WINDOW.start)].iloc[0]
    assert model.model_sha256 == fold["model_sha256"]
    assert (model.train_start, model.train_end) == (
        fold["train_start"].date(), fold["train_end"].date()
    )  # fmt: skip
    assert (model.sees_from, model.serves_from) == (WINDOW.start, WINDOW.start)
    assert model.serves_to == date(2013, 12, 31)


def test_reigns_follow_one_another_and_a_rollback_brings_the_first_model_back() -> None:
    record = _record(
        _reign("challenger", date(2013, 9, 13)), _reign(f"AAA-{WINDOW.key}", date(2013, 10, 1))
    )
    own, challenger, back = record.regency("AAA", WINDOW).models
    assert own.serves_to == date(2013, 9, 13)
    assert (challenger.serves_from, challenger.serves_to) == (date(2013, 9, 14), date(2013, 10, 1))
    assert challenger.sees_from == date(2013, 8, 16)
    assert challenger.train_end == date(2013, 1, 31)
    assert (back.model_sha256, back.sees_from) == (own.model_sha256, WINDOW.start)
    assert (back.serves_from, back.serves_to) == (date(2013, 10, 2), date(2013, 12, 31))


def test_reign_of_a_model_nobody_recorded_is_passed_over() -> None:
    (model,) = _record(_reign("unknown", date(2013, 9, 13))).regency("AAA", WINDOW).models
    assert model.model_sha256 == f"AAA-{WINDOW.key}"


def test_window_without_a_model_says_why() -> None:
    skipped = Window(date(2010, 1, 1))
    assert "training needs" in (_record().regency("AAA", skipped).reason or "")
    assert _record().regency("ZZZ", WINDOW).reason == "no fold is stored"
    assert skipped not in _record().windows("AAA")
    assert _record().windows("AAA") == trained_windows(WORLD)


def test_inputs_are_those_that_the_stored_model_was_given(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    (model,) = _record().regency("AAA", WINDOW).models
    content = {"input_features": list(MODEL_FEATURES[:5]), "features": list(MODEL_FEATURES[:2])}
    stored = store.save(model.name.split("/"), b"model", content, {})
    assert _record(store=store).inputs(model) == frozenset(MODEL_FEATURES[:5])
    (stored.folder / PAYLOAD).write_bytes(b"altered")
    assert _record(store=store).inputs(model) == frozenset(MODEL_FEATURES)


@pytest.mark.parametrize("has_store", [True, False])
def test_inputs_of_a_model_without_a_file_are_all_it_may_see(
    has_store: bool, tmp_path: Path
) -> None:
    record = _record(store=ModelStore(tmp_path) if has_store else None)
    (model,) = record.regency("AAA", WINDOW).models
    assert record.inputs(model) == frozenset(MODEL_FEATURES)
