"""Old runs go, unless somebody still needs them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from odyssey_assets.infrastructure.check_log import check_results_after
from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets.infrastructure.event_log import BatchedSqliteEventLogStorage
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.run_retention import newest_makers, remove_old_runs, unread_runs

WINDOWS = dg.StaticPartitionsDefinition(["2023-07-01", "2024-01-01"])
READER = "on_drift"
ORIGIN = RemoteRepositoryOrigin(
    InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file="odyssey.py")), "repository"
)
FUTURE = datetime.now(UTC) + timedelta(days=1)


@dg.asset(partitions_def=WINDOWS)
def table() -> None:
    """Stand for a table with windows."""


@dg.asset
def summary() -> None:
    """Stand for a table without."""


@dg.asset_check(asset=summary)
def is_good() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Return the instance of a new home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("ODYSSEY_HOME", "")
        with open_instance(Home(tmp_path / "home")) as opened:
            yield opened


def make(instance: dg.DagsterInstance, window: str | None = None) -> str:
    """Materialize a window of the table, or the summary with its check; return the run."""
    if window is None:
        return dg.materialize([summary, is_good], instance=instance).run_id
    return dg.materialize([table], instance=instance, partition_key=window).run_id


def remember(
    instance: dg.DagsterInstance,
    cursor: str | None,
    status: InstigatorStatus = InstigatorStatus.RUNNING,
    name: str = READER,
) -> None:
    """Let a sensor have read up to a cursor."""
    origin = RemoteInstigatorOrigin(ORIGIN, name)
    data = SensorInstigatorData(cursor=cursor)
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, status, data))


def ids(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def test_runs_go_whose_materializations_were_made_anew(instance: dg.DagsterInstance) -> None:
    old = make(instance, "2023-07-01")
    windows = {make(instance, "2023-07-01"), make(instance, "2024-01-01")}
    earlier = make(instance)
    kept = {*windows, make(instance)}
    assert newest_makers(instance) == kept
    assert remove_old_runs(instance, FUTURE, (READER,)) == 2
    assert ids(instance) == kept
    storage = instance.event_log_storage
    assert isinstance(storage, BatchedSqliteEventLogStorage)
    for run_id in (old, earlier):
        assert not Path(storage.path_for_shard(run_id)).exists()
    assert instance.get_materialized_partitions(table.key) == set(WINDOWS.get_partition_keys())
    assert remove_old_runs(instance, FUTURE, (READER,)) == 0


def test_young_runs_and_runs_under_way_stay(instance: dg.DagsterInstance) -> None:
    make(instance)
    make(instance)
    before = ids(instance)
    assert remove_old_runs(instance, datetime.now(UTC) - timedelta(days=1), (READER,)) == 0

    @dg.job
    def unfinished() -> None:
        """Never end."""

    waiting = instance.create_run_for_job(unfinished).run_id
    assert remove_old_runs(instance, FUTURE, (READER,)) == 1
    assert waiting in ids(instance)
    assert len(ids(instance) & before) == 1


def test_runs_whose_checks_were_not_read_stay(instance: dg.DagsterInstance) -> None:
    read = make(instance)
    _, cursor = check_results_after(instance, None)
    unread = make(instance)
    newest = make(instance)
    remember(instance, cursor)
    remember(instance, None, InstigatorStatus.STOPPED, name="on_warning")
    assert unread_runs(instance, (READER, "on_warning")) == {unread, newest}
    assert remove_old_runs(instance, FUTURE, (READER, "on_warning")) == 1
    assert ids(instance) == {unread, newest}
    assert read not in ids(instance)


def test_sensor_that_has_read_nothing_keeps_every_run_with_checks(
    instance: dg.DagsterInstance,
) -> None:
    runs = {make(instance), make(instance)}
    remember(instance, None)
    assert unread_runs(instance, (READER,)) == runs
    assert unread_runs(instance, ("another",)) == set()
    assert remove_old_runs(instance, FUTURE, (READER,)) == 0
