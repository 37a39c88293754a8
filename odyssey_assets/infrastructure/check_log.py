"""Results of asset checks as the event log holds them, in the order in which they came.

The place in the log (storage id) is the cursor: it counts entries and knows no clock, so that
nothing is missed after a restart or after the clock was moved. A log may also be wiped, or lose a
run that a person deletes, and then gives its places out anew: the cursor names the run of its place
too, and a log that does not hold that run there is read again from its beginning. What a result
means belongs to whoever reads it, and so does knowing it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg

from odyssey_assets.infrastructure.event_log import FAILED_PARTITIONS

MAX_RESULTS_A_READ = 2000


@dataclass(frozen=True)
class CheckResult:
    """What a run said about one asset check.

    Attributes:
        storage_id: Its place in the event log.
        at: UTC moment.
        run_id: Dagster run.
        asset: Asset key, parts joined by a dot.
        check: Name of the check.
        passed: Whether it passed.
        severity: How bad a failure of it is.
        description: What the check says in words; empty if nothing.
        failures: Entries of its `failed_partitions`.
    """

    storage_id: int
    at: datetime
    run_id: str
    asset: str
    check: str
    passed: bool
    severity: Literal["WARN", "ERROR"]
    description: str
    failures: tuple[Mapping[str, Any], ...]


def check_results_after(
    instance: dg.DagsterInstance, cursor: str | None, limit: int = MAX_RESULTS_A_READ
) -> tuple[tuple[CheckResult, ...], str | None]:
    """Return the results after `cursor`, oldest first, and the cursor of the last of them.

    Args:
        instance: Dagster instance.
        cursor: What the last call returned; None begins with the first entry.
        limit: Results at most; the next call goes on where this one ended.
    """
    known = _parsed(cursor)
    if known is None:
        results = _read(instance, -1, limit)
    else:
        place, run_id = known
        results = _read(instance, place - 1, limit + 1)
        if results and (results[0].storage_id, results[0].run_id) == (place, run_id):
            results = results[1:]
        else:
            results = _read(instance, -1, limit)
    return results, cursor_of(results[-1]) if results else cursor


def cursor_of(result: CheckResult) -> str:
    """Return the cursor behind a result."""
    return f"{result.storage_id} {result.run_id}"


def place_of(cursor: str | None) -> int:
    """Return the storage id up to which a cursor has read; -1 if it has read nothing."""
    known = _parsed(cursor)
    return -1 if known is None else known[0]


def _read(instance: dg.DagsterInstance, after: int, limit: int) -> tuple[CheckResult, ...]:
    entries = instance.event_log_storage.get_logs_for_all_runs_by_log_id(
        after_cursor=after,
        dagster_event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        limit=limit,
    )
    return tuple(check_result(storage_id, entry) for storage_id, entry in entries.items())


def check_result(storage_id: int, entry: dg.EventLogEntry) -> CheckResult:
    """Return one entry of the event log as a result."""
    evaluation = entry.get_dagster_event().asset_check_evaluation_data
    listed = evaluation.metadata.get(FAILED_PARTITIONS)
    failures = listed.value if isinstance(listed, dg.JsonMetadataValue) else None
    return CheckResult(
        storage_id=storage_id,
        at=datetime.fromtimestamp(entry.timestamp, UTC),
        run_id=entry.run_id,
        asset=".".join(evaluation.asset_key.path),
        check=evaluation.check_name,
        passed=evaluation.passed,
        severity="ERROR" if evaluation.severity == dg.AssetCheckSeverity.ERROR else "WARN",
        description=evaluation.description or "",
        failures=tuple(failures) if isinstance(failures, list) else (),
    )


def _parsed(cursor: str | None) -> tuple[int, str] | None:
    place, _, run_id = (cursor or "").partition(" ")
    return (int(place), run_id) if place.isdigit() and int(place) > 0 and run_id else None
