"""Figures about runs, stages and checks from the home's Dagster history, for Prometheus.

They cannot come from the published database: a run that fails publishes nothing, so its failure
would never show, and a publication does not know how the run that makes it will end. The history
is read through Dagster's own storages, which keeps no writer waiting.
"""

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import sqlalchemy as db
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.stats import RunStepKeyStatsSnapshot, StepEventStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.runs.sqlite import SqliteRunStorage
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.event_log import BatchedSqliteEventLogStorage
from odyssey_assets.infrastructure.stages import check_step, stage_of

RECENT_RUNS = 500
OUTCOMES: Mapping[dg.DagsterRunStatus, str] = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}
EVALUATED = (
    AssetCheckExecutionRecordStatus.SUCCEEDED.value,
    AssetCheckExecutionRecordStatus.FAILED.value,
)


@dataclass(frozen=True)
class _History:
    """Recent runs, newest first; steps of each job's newest run; newest result of each check."""

    runs: Sequence[dg.RunRecord] = ()
    steps: Mapping[str, Sequence[RunStepKeyStatsSnapshot]] = field(default_factory=dict)
    checks: Sequence[dg.AssetCheckEvaluation] = ()


@dataclass(frozen=True)
class _Stage:
    seconds: float
    is_failed: bool


class RunMetrics:
    """The figures of one home's Dagster history; safe to ask from several threads at once."""

    name = "runs"

    def __init__(self, history: Path) -> None:
        """Remember where to read.

        Args:
            history: Folder that holds `runs.db` and the folder `runs` of event logs.
        """
        self._history = history
        self._lock = threading.Lock()
        self._steps: dict[str, Sequence[RunStepKeyStatsSnapshot]] = {}

    def families(self) -> list[Family]:
        """Return every metric with its values; without values before the first run.

        Raises:
            WarehouseError: The history cannot be read.
        """
        try:
            with self._lock:
                history = self._read()
        except (db.exc.SQLAlchemyError, sqlite3.Error, dg.DagsterError, OSError) as error:
            raise WarehouseError(
                f"The runs in {self._history} cannot be read: {error}. `odyssey doctor` says "
                "whether the Dagster instance is whole."
            ) from error
        return [
            *_run_families(history.runs), *_stage_families(history), _check_family(history.checks)
        ]  # fmt: skip

    def _read(self) -> _History:
        """Return what happened lately; the steps of a run that has ended are read once."""
        databases = (self._history / "runs.db", self._history / "runs" / "index.db")
        if not all(database.exists() for database in databases):
            return _History()
        runs = SqliteRunStorage.from_local(str(self._history)).get_run_records(limit=RECENT_RUNS)
        newest = {job: run.dagster_run.run_id for job, run in _newest_finished(runs).items()}
        events = BatchedSqliteEventLogStorage(str(self._history / "runs"))
        try:
            known = self._steps
            self._steps = {
                run_id: known[run_id] if run_id in known else _steps_of(events, run_id)
                for run_id in newest.values()
            }
            checks = _newest_evaluations(events)
        finally:
            events.dispose()
        return _History(runs, {job: self._steps[run_id] for job, run_id in newest.items()}, checks)


def _steps_of(
    events: BatchedSqliteEventLogStorage, run_id: str
) -> Sequence[RunStepKeyStatsSnapshot]:
    """Return the steps of a finished run; none if its events were cleared away."""
    if not Path(events.path_for_shard(run_id)).exists():
        return []
    return events.get_step_stats_for_run(run_id)


def _newest_evaluations(events: BatchedSqliteEventLogStorage) -> list[dg.AssetCheckEvaluation]:
    table = AssetCheckExecutionsTable
    newest = (
        db.select(db.func.max(table.c.id))
        .where(table.c.evaluation_event.is_not(None), table.c.execution_status.in_(EVALUATED))
        .group_by(table.c.asset_key, table.c.check_name)
    )
    with events.index_connection() as connection:
        stored = connection.execute(
            db.select(table.c.evaluation_event).where(table.c.id.in_(newest)).order_by(table.c.id)
        ).fetchall()
    entries = (dg.deserialize_value(str(event), EventLogEntry) for (event,) in stored)
    return [entry.get_dagster_event().asset_check_evaluation_data for entry in entries]


def _newest_finished(runs: Iterable[dg.RunRecord]) -> dict[str, dg.RunRecord]:
    """Return by job the newest run that has ended; `runs` come newest first."""
    newest: dict[str, dg.RunRecord] = {}
    for run in runs:
        if run.dagster_run.status in OUTCOMES and run.end_time is not None:
            newest.setdefault(run.dagster_run.job_name, run)
    return newest


def _run_families(runs: Sequence[dg.RunRecord]) -> list[Family]:
    duration = _gauge("run_duration_seconds", "Length of the newest run that ended.", "job_name")
    failed = _gauge("run_is_failed", "Whether the newest run that ended had failed.", "job_name")
    ended = _gauge(
        "run_end_timestamp_seconds",
        "When the newest run with that outcome ended, seconds since the epoch.",
        *("job_name", "outcome"),
    )
    recent = _gauge(
        "runs_recent", f"Outcomes of the newest {RECENT_RUNS} runs.", "job_name", "outcome"
    )
    working = _gauge("runs_in_progress", "Runs that have not ended, queued ones too.", "job_name")
    for job, run in sorted(_newest_finished(runs).items()):
        is_failed = run.dagster_run.status is dg.DagsterRunStatus.FAILURE
        failed.add_metric([job], float(is_failed))
        if run.start_time is not None and run.end_time is not None:
            duration.add_metric([job], run.end_time - run.start_time)
    by_outcome: dict[tuple[str, str], list[float | None]] = {}
    unfinished = {run.dagster_run.job_name: 0 for run in runs}
    for run in runs:
        job, outcome = run.dagster_run.job_name, OUTCOMES.get(run.dagster_run.status)
        if outcome is None:
            unfinished[job] += 1
        else:
            by_outcome.setdefault((job, outcome), []).append(run.end_time)
    for (job, outcome), ends in sorted(by_outcome.items()):
        recent.add_metric([job, outcome], len(ends))
        known = [end for end in ends if end is not None]
        if known:
            ended.add_metric([job, outcome], max(known))
    for job, count in sorted(unfinished.items()):
        working.add_metric([job], count)
    return [duration, failed, ended, recent, working]


def _stage_families(history: _History) -> list[Family]:
    check_steps = {check_step(each.asset_key.path, each.check_name) for each in history.checks}
    duration = _gauge(
        "stage_duration_seconds",
        "Time of the stage's steps in the newest run that ended, added up.",
        *("job_name", "stage"),
    )
    failed = _gauge(
        "stage_is_failed", "Whether a step of the stage failed in that run.", "job_name", "stage"
    )
    for job, steps in sorted(history.steps.items()):
        for name, stage in _stages(steps, check_steps).items():
            duration.add_metric([job, name], stage.seconds)
            failed.add_metric([job, name], float(stage.is_failed))
    return [duration, failed]


def _stages(steps: Iterable[RunStepKeyStatsSnapshot], check_steps: set[str]) -> dict[str, _Stage]:
    stages: dict[str, _Stage] = {}
    for step in steps:
        if step.start_time is None or step.end_time is None:
            continue
        name = stage_of(step.step_key, check_steps)
        before = stages.get(name, _Stage(0.0, is_failed=False))
        stages[name] = _Stage(
            before.seconds + step.end_time - step.start_time,
            before.is_failed or step.status is StepEventStatus.FAILURE,
        )
    return dict(sorted(stages.items()))


def _check_family(checks: Iterable[dg.AssetCheckEvaluation]) -> Family:
    passed = _gauge(
        "check_is_passed",
        "Whether the newest evaluation of the check passed, for the partitions it was about.",
        *("asset", "check", "severity"),
    )
    for check in checks:
        labels = [".".join(check.asset_key.path), check.check_name, check.severity.value.lower()]
        passed.add_metric(labels, float(check.passed))
    return passed


def _gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"odyssey_{name}", description, labels=labels)
