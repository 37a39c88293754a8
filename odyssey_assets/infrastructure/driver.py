"""Runs jobs in order, in this process, on the home's Dagster instance.

What `odyssey run` does: the same jobs as the UI's, over a range of partitions, with one event a
step for whoever shows progress. The runs appear in the UI like any other.
"""

import gc
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Literal

import dagster as dg

from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure.failures import message_of
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.refresh import DRIVER_TAG, UNFINISHED

INSTANCE_CONFIG = Path(__file__).resolve().parents[2] / "dagster.yaml"
DRIVER = "odyssey run"
DRIVER_CONFIG = "driver.yaml"
UNCAPTURED_OUTPUT = """
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
COLLECTION_THRESHOLDS = (10_000, 20, 20)
"""Of the garbage collector: Python's own let it walk all that is loaded hundreds of times a run."""
StepKind = Literal["started", "succeeded", "failed", "skipped"]
STEP_KINDS: Mapping[dg.DagsterEventType, StepKind] = {
    dg.DagsterEventType.STEP_START: "started",
    dg.DagsterEventType.STEP_SUCCESS: "succeeded",
    dg.DagsterEventType.STEP_FAILURE: "failed",
    dg.DagsterEventType.STEP_SKIPPED: "skipped",
}
QUIET_LOGS: Mapping[str, object] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class StepEvent:
    """A step of a job began or ended, at `timestamp` (seconds since the epoch)."""

    job: str
    step: str
    kind: StepKind
    timestamp: float


@dataclass
class JobOutcome:
    """How one job went.

    Attributes:
        run_id: Dagster run.
        is_success: Whether every step succeeded.
        errors: Message of each failed step's first cause.
        warnings: Name and metadata of each check that did not pass.
        rows: Rows stored by asset, of the last materialization event.
        assets: Every asset that was materialized, rows or not.
    """

    run_id: str
    is_success: bool
    errors: list[str] = field(default_factory=list)
    warnings: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    assets: set[str] = field(default_factory=set)


def open_instance(home: Home) -> dg.DagsterInstance:
    """Return the home's Dagster instance; creates or updates its configuration.

    It differs from the instance of the UI in one thing: what steps print goes straight to the
    terminal. Dagster's way there, processes that tail a file, answers Ctrl-C with tracebacks.

    Raises:
        SettingsError: The configuration cannot be written, or the checkout lacks it.
    """
    prepare_instance(home)
    shared = (home.dagster / "dagster.yaml").read_text()
    (home.dagster / DRIVER_CONFIG).write_text(shared + UNCAPTURED_OUTPUT)
    return dg.DagsterInstance.from_config(str(home.dagster), DRIVER_CONFIG)


def prepare_instance(home: Home) -> None:
    """Create the home's folders, write its `dagster.yaml`, and name it as DAGSTER_HOME."""
    home.create()
    if not INSTANCE_CONFIG.exists():
        raise SettingsError(
            f"{INSTANCE_CONFIG} is missing. Odyssey runs from its checkout: install with "
            "`make install`."
        )
    template = Template(INSTANCE_CONFIG.read_text())
    configuration = template.substitute(DAGSTER_HOME=home.dagster)
    (home.dagster / "dagster.yaml").write_text(configuration)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["ODYSSEY_HOME"] = str(home.root)


def close_interrupted_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs of a driver that was killed as failed, free what they held; return their ids.

    Call it only while holding the home's run lock: then no such run can still be alive.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags={DRIVER_TAG: DRIVER}))
    for run in runs:
        instance.report_run_failed(run, "The process that ran it was killed.")
    _free_pools(instance)
    return [run.run_id for run in runs]


def _free_pools(instance: dg.DagsterInstance) -> None:
    """Take back the pool slots of runs that have ended: a killed process gives none back.

    Otherwise the next run that needs the pool would wait for ever.
    """
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)


def run_job(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    tags: Mapping[str, str],
    on_step: Callable[[StepEvent], None],
    run_config: Mapping[str, Any] | None = None,
) -> JobOutcome:
    """Run a job in this process and return how it went.

    Args:
        definitions: Code location.
        instance: Dagster instance of the home.
        job_name: Name of a job in `definitions`.
        tags: Run tags, such as the range of partitions.
        on_step: Called as each step starts, succeeds or fails.
        run_config: Configuration of the job's ops; None for a job without.

    Raises:
        KeyboardInterrupt: The process was interrupted; Dagster has recorded it.
    """
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, lambda entry: _forward(entry, job_name, on_step))
    with _rare_collections():
        result = definitions.resolve_job_def(job_name).execute_in_process(
            run_config={**QUIET_LOGS, **(run_config or {})},
            instance=instance,
            tags={**tags, DRIVER_TAG: DRIVER},
            run_id=run_id,
            raise_on_error=False,
        )
    if _is_interrupted(result):
        raise KeyboardInterrupt
    outcome = JobOutcome(run_id, result.success)
    for event in result.all_events:
        _collect(event, outcome)
    return outcome


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Collect garbage less often: steps hold arrays, which no collection frees any sooner."""
    former = gc.get_threshold()
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*former)


def _is_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return any(
        failure.error is not None
        and failure.error.cls_name == dg.DagsterExecutionInterruptedError.__name__
        for failure in failures
    )


def _forward(entry: dg.EventLogEntry, job_name: str, on_step: Callable[[StepEvent], None]) -> None:
    event = entry.dagster_event
    kind = None if event is None else STEP_KINDS.get(event.event_type)
    if event is not None and kind is not None and event.step_key is not None:
        on_step(StepEvent(job_name, event.step_key, kind, entry.timestamp))


def _collect(event: dg.DagsterEvent, outcome: JobOutcome) -> None:
    if event.is_step_failure and event.step_failure_data.error is not None:
        error = event.step_failure_data.error
        cause = error.cause or error
        outcome.errors.append(f"{event.step_key}: {message_of(cause)}")
    elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            name = f"{check.asset_key.to_user_string()}: {check.check_name}"
            outcome.warnings.append((name, {k: v.value for k, v in check.metadata.items()}))
    elif event.is_step_materialization and event.asset_key is not None:
        outcome.assets.add(event.asset_key.to_user_string())
        rows = event.materialization.metadata.get("dagster/row_count")
        if rows is not None:
            outcome.rows[event.asset_key.to_user_string()] = int(str(rows.value))
