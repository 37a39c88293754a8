"""How long Dagster remembers: old runs go with their events, unless somebody still needs them.

Needed are runs that made the newest materialization of something, since the UI would show it as
missing, runs that are not over, and runs with results of checks that a sensor has not read yet.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorStatus, SensorInstigatorData
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from odyssey_assets.infrastructure.check_log import check_results_after, place_of

RUNS_A_CALL = 1000
IDS_A_QUERY = 500
EVERY_RESULT = 1_000_000


def remove_old_runs(
    instance: dg.DagsterInstance, before: datetime, readers: Collection[str]
) -> int:
    """Delete runs that nobody needs and that were made before a moment; return how many.

    Args:
        instance: Dagster instance.
        before: Runs made later stay.
        readers: Names of the sensors that read results of checks.
    """
    old = instance.get_run_records(
        dg.RunsFilter(created_before=before), limit=RUNS_A_CALL, ascending=True
    )
    if not old:
        return 0
    needed = newest_makers(instance) | unread_runs(instance, readers)
    gone = [
        record.dagster_run
        for record in old
        if record.dagster_run.is_finished and record.dagster_run.run_id not in needed
    ]
    for run in gone:
        instance.delete_run(run.run_id)
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        _remove_file(instance, run.run_id)
    return len(gone)


def newest_makers(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs that made the newest materialization of an asset or of a partition."""
    storage = instance.event_log_storage
    makers: set[str] = set()
    for key in storage.all_asset_keys():
        newest = storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        ids = sorted(newest.values())
        for start in range(0, len(ids), IDS_A_QUERY):
            events = storage.get_asset_event_summary_records(
                event_type=dg.DagsterEventType.ASSET_MATERIALIZATION,
                asset_key=key,
                storage_ids=ids[start : start + IDS_A_QUERY],
            )
            makers |= {event.run_id for event in events if event.run_id is not None}
        last = instance.get_latest_materialization_event(key)
        makers |= {last.run_id} if last is not None else set()
    return makers


def unread_runs(instance: dg.DagsterInstance, readers: Collection[str]) -> set[str]:
    """Return the runs with results of checks that some running sensor has not read."""
    states = [
        state
        for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        if state.instigator_name in readers and state.status != InstigatorStatus.STOPPED
    ]
    cursors = [
        state.instigator_data.cursor
        for state in states
        if isinstance(state.instigator_data, SensorInstigatorData)
    ]
    if not cursors:
        return set()
    oldest = min(cursors, key=place_of)
    results, _ = check_results_after(instance, oldest, EVERY_RESULT)
    return {result.run_id for result in results}


def _remove_file(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove the emptied database of a run's events, which Dagster leaves behind."""
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        path = Path(storage.path_for_shard(run_id))
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
