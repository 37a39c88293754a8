"""The event log: the same log as Dagster's own storage, in a fraction of the transactions."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets.infrastructure.event_log import BatchedSqliteEventLogStorage
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.partitions import build_grid, cell_key, range_tags
from odyssey_assets.settings import Settings

GRID = build_grid(
    Settings(
        start=date(2018, 1, 1), end=date(2020, 12, 31), tickers=("AAA", "BBB"), home=Path("unused")
    )
)
KEYS = GRID.cells.get_partition_keys()
PRICES, SIGNALS = dg.AssetKey(["market", "prices"]), dg.AssetKey(["market", "signals"])
CHECK = dg.AssetCheckKey(PRICES, "is_plausible")


class Nowhere(dg.IOManager):
    """Stores nothing; only the events matter here."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:  # noqa: ARG002 (Dagster's)
        context.add_output_metadata({"dagster/row_count": 7})

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        raise NotImplementedError


def definitions_of(check: dg.AssetCheckResult) -> dg.Definitions:
    single_run = dg.BackfillPolicy.single_run()

    @dg.asset(key=PRICES, partitions_def=GRID.cells, backfill_policy=single_run, code_version="1")
    def prices(context: dg.AssetExecutionContext) -> pd.DataFrame:
        newest = cell_key(GRID.window_list()[-1], "BBB")
        context.add_asset_metadata({"picture": "here"}, asset_key=PRICES, partition_key=newest)
        return pd.DataFrame()

    @dg.asset(
        key=SIGNALS,
        deps=[PRICES],
        partitions_def=GRID.cells,
        backfill_policy=single_run,
        code_version="1",
    )
    def signals() -> pd.DataFrame:
        return pd.DataFrame()

    @dg.asset_check(asset=PRICES, name=CHECK.name, partitions_def=GRID.cells)
    def is_plausible() -> dg.AssetCheckResult:
        return check

    return dg.Definitions(
        assets=[prices, signals],
        asset_checks=[is_plausible],
        jobs=[dg.define_asset_job("job", selection="*")],
        resources={"io_manager": Nowhere()},
    )


def run(instance: dg.DagsterInstance, check: dg.AssetCheckResult) -> str:
    job = definitions_of(check).resolve_job_def("job")
    tags = range_tags(KEYS[0], KEYS[-1])
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id


PASSED = dg.AssetCheckResult(passed=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("batched"))


@pytest.fixture(scope="module")
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")
        environment.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
        with open_instance(home) as opened:
            yield opened


@pytest.fixture(scope="module")
def passed_run(instance: dg.DagsterInstance) -> str:
    return run(instance, PASSED)


def index_rows(dagster_home: Path, statement: str, *values: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(dagster_home / "history" / "runs" / "index.db") as connection:
        return connection.execute(statement, values).fetchall()


def test_instance_of_a_home_stores_its_events_in_batches(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)


def test_run_over_a_range_leaves_the_log_that_dagster_s_own_storage_leaves(
    instance: dg.DagsterInstance,
    passed_run: str,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as stock_instance:
        stock = run(stock_instance, PASSED)
        logs = [
            [
                (entry.dagster_event_type, entry.step_key, entry.get_dagster_event().partition)
                for entry in each.all_logs(run_id)
                if entry.is_dagster_event
            ]
            for each, run_id in ((instance, passed_run), (stock_instance, stock))
        ]
        for key in (PRICES, SIGNALS):
            expected = stock_instance.get_latest_materialization_event(key)
            found = instance.get_latest_materialization_event(key)
            assert found is not None
            assert expected is not None
            assert found.asset_materialization == expected.asset_materialization
            assert instance.get_materialized_partitions(key) == set(KEYS)
    assert sorted(map(str, logs[0])) == sorted(map(str, logs[1]))
    run_of = {home.dagster: passed_run, tmp_path: stock}
    for statement in (
        "select dagster_event_type, step_key, asset_key, partition from event_logs "
        "where run_id = ? order by 1, 3, 4",
        "select t.asset_key, t.key, t.value from asset_event_tags as t "
        "join event_logs as e on e.id = t.event_id where e.run_id = ? order by 1, 2, 3",
        "select asset_key, last_materialization is null from asset_keys where ? is not null",
        "select check_name, partition from asset_check_executions where run_id = ? order by 1, 2",
    ):
        found_rows, expected_rows = (
            index_rows(folder, statement, run_id) for folder, run_id in run_of.items()
        )
        assert found_rows == expected_rows
        assert found_rows


def test_tags_in_the_index_belong_to_the_event_with_their_partition(
    passed_run: str, home: Home
) -> None:
    mismatched = index_rows(
        home.dagster,
        "select count(*), count(*) filter (where instr(e.partition, t.value) = 0) "
        "from asset_event_tags as t join event_logs as e on e.id = t.event_id "
        "where t.key like 'dagster/partition/%' and e.run_id = ?",
        passed_run,
    )
    assert mismatched == [(2 * 2 * len(KEYS), 0)]


def test_metadata_of_one_partition_stays_with_it(
    instance: dg.DagsterInstance, passed_run: str
) -> None:
    records = instance.fetch_materializations(PRICES, limit=1000).records
    shown = [
        record.partition_key
        for record in records
        if record.run_id == passed_run
        and record.asset_materialization
        and "picture" in record.asset_materialization.metadata
    ]
    assert shown == [cell_key(GRID.window_list()[-1], "BBB")]


def statuses(home: Home, run_id: str) -> dict[str, str]:
    rows = index_rows(
        home.dagster,
        "select partition, execution_status from asset_check_executions "
        "where partition is not null and run_id = ?",
        run_id,
    )
    return dict(rows)


def failed_in(*partitions: dict[str, str | None]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed_partitions": list(partitions)},
    )


def test_check_of_a_range_that_passes_settles_every_partition(passed_run: str, home: Home) -> None:
    assert statuses(home, passed_run) == dict.fromkeys(KEYS, "SUCCEEDED")


def test_check_of_a_range_that_fails_settles_the_partitions_it_lists(
    instance: dg.DagsterInstance, home: Home
) -> None:
    run_id = run(instance, failed_in({"ticker": "BBB", "window": "2019-01-01"}))
    expected = dict.fromkeys(KEYS, "SUCCEEDED") | {"2019-01-01|BBB": "FAILED"}
    assert statuses(home, run_id) == expected


def test_check_of_windows_settles_the_windows_that_entries_without_a_ticker_list(
    instance: dg.DagsterInstance, home: Home
) -> None:
    # Two subjects of one window are one failed partition.
    window = "2019-07-01"
    failed = failed_in({"policy": "a", "window": window}, {"policy": "b", "window": window})
    windows = GRID.windows.get_partition_keys()

    @dg.asset(partitions_def=GRID.windows, backfill_policy=dg.BackfillPolicy.single_run())
    def returns() -> pd.DataFrame:
        return pd.DataFrame()

    @dg.asset_check(asset=returns, partitions_def=GRID.windows)
    def are_plausible() -> dg.AssetCheckResult:
        return failed

    result = dg.materialize(
        [returns, are_plausible],
        instance=instance,
        resources={"io_manager": Nowhere()},
        tags=range_tags(windows[0], windows[-1]),
        raise_on_error=False,
    )
    expected = dict.fromkeys(windows, "SUCCEEDED") | {window: "FAILED"}
    assert statuses(home, result.run_id) == expected


@pytest.mark.parametrize(
    "result",
    [
        failed_in({"ticker": None, "window": None}),
        failed_in({"ticker": "AAA", "window": "1999-01-01"}),
        dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN),
    ],
)
def test_failure_in_no_partition_of_the_run_fails_all_of_them(
    instance: dg.DagsterInstance, home: Home, result: dg.AssetCheckResult
) -> None:
    assert statuses(home, run(instance, result)) == dict.fromkeys(KEYS, "FAILED")


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[BatchedSqliteEventLogStorage]:
    opened = BatchedSqliteEventLogStorage(str(tmp_path / "log"))
    yield opened
    opened.dispose()


def event_of(run_id: str, number: int) -> dg.EventLogEntry:
    event = dg.DagsterEvent(
        dg.DagsterEventType.STEP_START.value, "job", step_key="step", message=str(number)
    )
    return dg.EventLogEntry(None, 10, "", run_id, float(number), dagster_event=event)  # type: ignore[no-untyped-call]  # Dagster has it so


def messages(storage: BatchedSqliteEventLogStorage, run_id: str) -> list[str | None]:
    return [entry.get_dagster_event().message for entry in storage.get_logs_for_run(run_id)]


def test_runs_that_write_in_turn_keep_their_own_logs(
    storage: BatchedSqliteEventLogStorage,
) -> None:
    for number in range(6):
        storage.store_event(event_of(f"run{number % 3}", number))
    assert [messages(storage, f"run{run}") for run in range(3)] == [
        ["0", "3"], ["1", "4"], ["2", "5"],
    ]  # fmt: skip


def test_event_is_seen_by_other_programs_at_once(
    storage: BatchedSqliteEventLogStorage, tmp_path: Path
) -> None:
    other = BatchedSqliteEventLogStorage(str(tmp_path / "log"))
    for number in range(3):
        writer, reader = (storage, other) if number % 2 else (other, storage)
        writer.store_event(event_of("run", number))
        assert len(messages(reader, "run")) == number + 1
    other.dispose()


def test_storage_that_is_disposed_leaves_nothing_open_and_answers_again(
    storage: BatchedSqliteEventLogStorage, tmp_path: Path
) -> None:
    storage.store_event(event_of("run", 0))
    assert list((tmp_path / "log").glob("*.db-wal"))
    storage.dispose()
    assert not list((tmp_path / "log").glob("*.db-wal"))
    assert messages(storage, "run") == ["0"]


def test_wiped_log_is_empty_and_takes_new_events(storage: BatchedSqliteEventLogStorage) -> None:
    storage.store_event(event_of("run", 0))
    storage.wipe()
    assert messages(storage, "run") == []
    storage.store_event(event_of("run", 1))
    assert messages(storage, "run") == ["1"]
