"""Nothing in the log is missed or read twice, whatever happened to the log or to the cursor."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from odyssey_assets.infrastructure.check_log import (
    CheckResult,
    check_results_after,
    cursor_of,
    place_of,
)
from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets.infrastructure.home import Home

BARS = dg.AssetKey(["market_data", "bars"])
FAILURES = [{"ticker": "INTC", "window": "2024-07-01", "value": 1}]


@dg.asset_check(asset=BARS, name="fails")
def fails() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description="Too few.",
        metadata={"failed_partitions": FAILURES},
    )


@dg.asset_check(asset=BARS, name="passes")
def passes() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset(key=BARS)
def bars() -> None:
    """Stand for a table."""


def evaluate(instance: dg.DagsterInstance) -> str:
    """Materialize the asset with both checks; return the run."""
    return dg.materialize([bars, fails, passes], instance=instance).run_id


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Return the instance of a new home, with its own event log."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("ODYSSEY_HOME", "")
        with open_instance(Home(tmp_path / "home")) as opened:
            yield opened


def test_results_carry_what_the_checks_said(instance: dg.DagsterInstance) -> None:
    run_id = evaluate(instance)
    results, _ = check_results_after(instance, None)
    by_name = {result.check: result for result in results}
    assert set(by_name) == {"fails", "passes"}
    failed, passed = by_name["fails"], by_name["passes"]
    assert (failed.asset, failed.run_id, failed.passed) == ("market_data.bars", run_id, False)
    assert (failed.severity, failed.description) == ("WARN", "Too few.")
    assert failed.failures == tuple(FAILURES)
    assert (passed.passed, passed.severity, passed.failures) == (True, "ERROR", ())
    assert abs((datetime.now(UTC) - failed.at).total_seconds()) < 3600


def test_every_result_is_read_once_in_any_number_of_reads(instance: dg.DagsterInstance) -> None:
    runs = [evaluate(instance) for _ in range(3)]
    everything, _ = check_results_after(instance, None)
    assert [result.run_id for result in everything] == [run for run in runs for _ in "ab"]
    cursor: str | None = None
    read: list[CheckResult] = []
    for _ in range(8):
        results, cursor = check_results_after(instance, cursor, limit=1)
        read += results
    assert tuple(read) == everything
    assert check_results_after(instance, cursor) == ((), cursor)
    newest = evaluate(instance)
    results, _ = check_results_after(instance, cursor)
    assert {result.run_id for result in results} == {newest}


def test_old_cursor_reads_everything_since(instance: dg.DagsterInstance) -> None:
    evaluate(instance)
    _, old = check_results_after(instance, None)
    later = [evaluate(instance) for _ in range(2)]
    results, _ = check_results_after(instance, old)
    assert [result.run_id for result in results] == [run for run in later for _ in "ab"]


def test_cursor_that_the_log_does_not_know_reads_from_the_beginning(
    instance: dg.DagsterInstance,
) -> None:
    run_id = evaluate(instance)
    for cursor in ("", "-1", "nonsense", "7", "999999 some-run", "0 x", "-3 x"):
        results, _ = check_results_after(instance, cursor)
        assert [result.run_id for result in results] == [run_id, run_id], cursor


def test_places_given_out_anew_after_a_deleted_run_are_read(instance: dg.DagsterInstance) -> None:
    kept = evaluate(instance)
    deleted = evaluate(instance)
    results, cursor = check_results_after(instance, None)
    assert len(results) == 4
    instance.delete_run(deleted)
    newest = [evaluate(instance) for _ in range(2)]
    results, _ = check_results_after(instance, cursor)
    assert [result.run_id for result in results][-4:] == [run for run in newest for _ in "ab"]
    assert {result.run_id for result in results} == {kept, *newest}


def test_log_without_results_gives_the_cursor_back(instance: dg.DagsterInstance) -> None:
    assert check_results_after(instance, None) == ((), None)


def test_cursor_names_its_place(instance: dg.DagsterInstance) -> None:
    evaluate(instance)
    results, cursor = check_results_after(instance, None)
    assert cursor == cursor_of(results[-1])
    assert place_of(cursor) == results[-1].storage_id
    assert place_of(None) == place_of("nonsense") == -1
