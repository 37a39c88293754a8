"""What nobody needs goes, what anybody needs stays, and one failing work stops no other."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from odyssey_assets.errors import TrainingError
from odyssey_assets.infrastructure.alerting import outbox_of
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.maintenance import (
    maintenance_job,
    remove_deleted_runs,
    remove_leftovers,
    remove_orphans,
)
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.tracking import DATABASE, Tracker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import WarehouseSettings

NAMED, ORPHAN = ("xgboost", "SPY", "2024-01-01", "aaa"), ("xgboost", "SPY", "2024-01-01", "bbb")
CHECKPOINT = ("checkpoints", "ppo-2024-01-01-seed-0-key-1")
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=2)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Return a store of a named model, an orphan and a checkpoint."""
    made = ModelStore(tmp_path / "models")
    for name in (NAMED, ORPHAN, CHECKPOINT):
        made.save(name, b"payload", {}, {})
    return made


def test_orphan_models_go_and_named_ones_and_checkpoints_stay(store: ModelStore) -> None:
    assert remove_orphans(store, {NAMED}, LATER) == 1
    assert store.find(ORPHAN) is None
    assert store.find(NAMED) is not None
    assert store.find(CHECKPOINT) is not None
    assert remove_orphans(store, {NAMED}, LATER) == 0


def test_young_models_stay_since_their_row_may_follow(store: ModelStore) -> None:
    assert remove_orphans(store, {NAMED}, NOW) == 0
    assert store.find(ORPHAN) is not None


def test_nothing_goes_where_no_table_names_a_model(store: ModelStore, tmp_path: Path) -> None:
    assert remove_orphans(store, set(), LATER) == 0
    assert store.find(ORPHAN) is not None
    assert remove_orphans(ModelStore(tmp_path / "nowhere"), {NAMED}, LATER) == 0


def test_leftovers_of_killed_processes_go_after_a_day(store: ModelStore) -> None:
    folder = store.folder / ".saving-abc"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"half")
    (store.folder / ".removing-abc").mkdir()
    (store.folder / ".key-abc").write_text("half a key")
    assert remove_leftovers(store.folder, NOW) == 0
    assert remove_leftovers(store.folder, LATER) == 3
    assert not folder.exists()
    assert (store.folder / ".signing_key").exists()
    assert store.find(NAMED) is not None


def test_runs_deleted_in_mlflow_go_with_their_artifacts(tmp_path: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    home = Home(tmp_path)
    assert remove_deleted_runs(home) == 0
    tracker = Tracker(home.mlflow)
    kept, deleted = tracker.start_run("SPY", {}), tracker.start_run("QQQ", {})
    assert remove_deleted_runs(home) == 0
    client = MlflowClient(tracking_uri=tracker.uri)
    for run_id in (kept, deleted):
        client.log_text(run_id, "text", "note.txt")
    client.delete_run(deleted)
    assert remove_deleted_runs(home) == 1
    assert client.get_run(kept).info.run_id == kept
    with pytest.raises(MlflowException):
        client.get_run(deleted)
    assert [path.parent.parent.name for path in home.mlflow.rglob("note.txt")] == [kept]


def test_mlflow_database_that_is_damaged_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.mlflow.mkdir()
    (home.mlflow / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(TrainingError, match=DATABASE):
        remove_deleted_runs(home)


def test_job_does_every_work_and_says_how_much_it_removed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, warehouse=WarehouseSettings(keep_published=1))
    home = Home(tmp_path)
    home.create()
    (home.mlflow / DATABASE).write_bytes(b"no database at all" * 100)
    for name in ("1.duckdb", "2.duckdb"):
        (home.published_states / name).touch()
    store = ModelStore(home.models)
    for model in (NAMED, ORPHAN):
        store.save(model, b"payload", {}, {})
    long_ago = (NOW - timedelta(days=60)).timestamp()
    os.utime(store.folder.joinpath(*ORPHAN), (long_ago, long_ago))
    outbox_of(home).mkdir()
    (outbox_of(home) / "old.sent").touch()
    os.utime(outbox_of(home) / "old.sent", (long_ago, long_ago))

    result = maintenance_job(lambda _: {NAMED}, ("on_drift",)).execute_in_process(
        instance=dg.DagsterInstance.local_temp(str(home.dagster)),
        resources={"settings": settings, "warehouse": Warehouse(home, settings.warehouse)},
    )
    (output,) = [
        event.step_output_data for event in result.all_events if event.is_successful_output
    ]
    found: dict[str, Any] = {name: value.value for name, value in output.metadata.items()}
    (problem,) = found.pop("problems")
    assert problem.startswith("mlflow_runs: ")
    assert found == {
        "published_states": 1, "orphan_models": 1, "leftovers": 0, "dagster_runs": 0,
        "alert_marks": 1,
    }  # fmt: skip
