"""Dagster's SQLite event log, made for runs over hundreds of partitions.

The stock storage opens three connections an event (about 14 ms each) and keeps a copy of the
planned event for every partition of every check. This one keeps its connections, writes a batch in
one transaction a database, and settles the partitions of a check when a run over a range evaluates
it once. Tables, readers and everything else are Dagster's own: the webserver and the daemon see the
same log.

Batches arrive because the package sets DAGSTER_EVENT_BATCH_SIZE.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData

FAILED_PARTITIONS = "failed_partitions"
MIRRORED_EVENTS = frozenset(
    {
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    }
)


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """Stores batches of asset events in one transaction, and check results by partition.

    The connections to the index and to the run seen last stay open between calls: whoever closes
    the last connection to a database writes its whole log back, after every single event.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: dict[str, db.Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Build the storage from `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    def wipe(self) -> None:
        """Delete all events; the connections are to files that are no longer there."""
        self._close_all()
        super().wipe()

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        self._close_all()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        """Open a transaction on one database; one thread at a time, as in the stock storage."""
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> db.Engine:
        """Return the engine of a database, with the one connection that stays open."""
        if shard not in self._open:
            if shard not in self._initialized_dbs:
                self._prepare(shard)
            for other in set(self._open) - {INDEX_SHARD_NAME}:
                self._open.pop(other).dispose()
            # The lock lets one thread in at a time: one connection serves them all.
            self._open[shard] = self._new_engine(shard, db.pool.StaticPool)
            db.event.listen(self._open[shard], "connect", _sync_at_checkpoints)
        return self._open[shard]

    def _prepare(self, shard: str) -> None:
        """Create the tables of a database that has none; by connections of its own."""
        self._initdb(self._new_engine(shard, db.NullPool))
        self._initialized_dbs.add(shard)

    def _new_engine(self, shard: str, pool: type[db.Pool]) -> db.Engine:
        return db.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=pool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )

    def _close_all(self) -> None:
        with self._db_lock:
            while self._open:
                self._open.popitem()[1].dispose()

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of any runs; materializations together, all others one by one."""
        batch = [event for event in events if event.dagster_event_type in MIRRORED_EVENTS]
        for run_id in dict.fromkeys(event.run_id for event in batch):
            own = [event for event in batch if event.run_id == run_id]
            rows = [self._event_to_row(event) for event in own]
            with self.run_connection(run_id) as connection:
                connection.execute(SqlEventLogStorageTable.insert(), rows)
            self._mirror(own, rows)
        for event in events:
            if event.dagster_event_type not in MIRRORED_EVENTS:
                self.store_event(event)

    def _mirror(self, events: Sequence[dg.EventLogEntry], rows: Sequence[dict[str, Any]]) -> None:
        """Copy the events to the index, which answers queries across runs."""
        newest: dict[str, tuple[dg.EventLogEntry, int]] = {}
        with self.index_transaction() as connection:
            ids = [_insert(connection, row) for row in rows]
            self._store_asset_event_tags(connection, events, ids)
            for event, row, event_id in zip(events, rows, ids, strict=True):
                newest[f"{row['asset_key']} {row['dagster_event_type']}"] = (event, event_id)
            for event, event_id in newest.values():
                self._store_asset_event(connection, event, event_id)

    def _store_asset_check_evaluation_planned(
        self, event: dg.EventLogEntry, event_id: int | None
    ) -> None:
        """Note that a run will evaluate a check, with a row for each of its partitions.

        A row of a partition carries no copy of the event: the event lists all partitions, so the
        copies of a run over 500 partitions would fill megabytes.
        """
        planned = event.get_dagster_event().asset_check_planned_data
        if planned.partitions_subset is None:
            super()._store_asset_check_evaluation_planned(event, event_id)
            return
        rows = [
            {
                "asset_key": planned.asset_key.to_string(),
                "check_name": planned.check_name,
                "partition": partition,
                "run_id": event.run_id,
                "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
                "evaluation_event_timestamp": datetime.fromtimestamp(event.timestamp, UTC),
                "evaluation_event_storage_id": event_id,
            }
            for partition in planned.partitions_subset.get_partition_keys()
        ]
        with self.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.insert(), rows)

    def _update_asset_check_evaluation(self, event: dg.EventLogEntry, event_id: int | None) -> None:
        """Store a check's result; one without a partition settles all partitions of its run.

        Partitions that a failed result lists in `failed_partitions` fail, the others pass; a
        failure that is in no partition of the run fails all of them.
        """
        super()._update_asset_check_evaluation(event, event_id)
        evaluation = event.get_dagster_event().asset_check_evaluation_data
        if evaluation.partition is not None:
            return
        planned = AssetCheckExecutionsTable.update().where(
            db.and_(
                AssetCheckExecutionsTable.c.asset_key == evaluation.asset_key.to_string(),
                AssetCheckExecutionsTable.c.check_name == evaluation.check_name,
                AssetCheckExecutionsTable.c.run_id == event.run_id,
                AssetCheckExecutionsTable.c.partition.is_not(None),
            )
        )
        succeeds = {"execution_status": AssetCheckExecutionRecordStatus.SUCCEEDED.value}
        fails = {
            "execution_status": AssetCheckExecutionRecordStatus.FAILED.value,
            "evaluation_event": dg.serialize_value(event),
        }
        failed = set(_failed_partition_keys(evaluation))
        is_failed = AssetCheckExecutionsTable.c.partition.in_(failed)
        with self.index_connection() as connection:
            connection.execute(planned.values(**succeeds))
            if evaluation.passed:
                return
            settled = connection.execute(planned.where(is_failed).values(**fails)).rowcount
            if not failed or settled < len(failed):
                connection.execute(planned.values(**fails))


def _sync_at_checkpoints(connection: Any, _: object) -> None:
    """Wait for the disk at checkpoints, not after every event.

    The databases write ahead, so a killed process loses nothing. A power cut may lose the newest
    events of the log, never its consistency; the tables of the warehouse are safe either way.
    """
    connection.execute("PRAGMA synchronous=NORMAL")


def _insert(connection: db.Connection, row: Mapping[str, Any]) -> int:
    result = connection.execute(SqlEventLogStorageTable.insert().values(**row))
    return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0


def _failed_partition_keys(evaluation: dg.AssetCheckEvaluation) -> Iterable[str]:
    """Return the keys of the partitions that a check's metadata lists as failed."""
    listed = evaluation.metadata.get(FAILED_PARTITIONS)
    failures = listed.value if isinstance(listed, dg.JsonMetadataValue) else None
    for failure in failures if isinstance(failures, list) else ():
        names = [failure.get("window"), failure.get("ticker")]
        yield "|".join(str(name) for name in names if name is not None)
