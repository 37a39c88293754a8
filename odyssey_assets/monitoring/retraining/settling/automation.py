"""The sensor that settles: it compares what the ledger waits for with the runs that there are.

It keeps no cursor. Whatever was missed while the daemon was down is still unsettled in the ledger
when it comes back, and is settled then. Retrainings that a schedule or a person began get their
events here, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pandas as pd
from dagster._core.storage.tags import PARENT_RUN_ID_TAG

from odyssey_assets.core.sessions import last_completed_session
from odyssey_assets.infrastructure.failures import failure_of
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import (
    CELL_SEPARATOR,
    RANGE_END_TAG,
    RANGE_START_TAG,
    PartitionGrid,
)
from odyssey_assets.infrastructure.refresh import REFRESH_MARKET, RETRAIN
from odyssey_assets.infrastructure.run_lock import is_run_lock_free
from odyssey_assets.infrastructure.run_outcomes import (
    RunOutcome,
    outcome_of_request,
    outcome_of_run,
)
from odyssey_assets.infrastructure.run_tags import (
    BARS_BEFORE_TAG,
    BATCH_TAG,
    CAUSE_TAG,
    REINGEST_TAG,
)
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.automation import AT_WORK, NEW_WINDOW, ON_FAILED_CHECK
from odyssey_assets.monitoring.retraining.bars import changed_since, parsed
from odyssey_assets.monitoring.retraining.findings import Cause
from odyssey_assets.monitoring.retraining.requests import FIT, JUDGE, TRAIN
from odyssey_assets.monitoring.retraining.settlement import (
    failed,
    fetched_again,
    finished,
    started,
    unasked,
    unsettled_batches,
    unsettled_reingests,
)
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.settings import Settings

ON_RETRAINING = "on_retraining"
MAX_RUNS_LOOKED_AT = 20


def settling_sensor(grid: PartitionGrid) -> dg.SensorDefinition:
    """Return the sensor that enters in the ledger what came of every request."""

    @dg.sensor(
        name=ON_RETRAINING,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notes when retrainings began, how they ended, and what the gate decided.",
    )
    def settle(
        context: dg.SensorEvaluationContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.SkipReason:
        if not is_run_lock_free(home_of(settings).run_lock):
            return dg.SkipReason(AT_WORK)
        entered = 0
        for rows in new_rows(context.instance, grid, settings, warehouse):
            entered += warehouse.append(RETRAINING_EVENTS, rows).row_count
        return dg.SkipReason(f"{entered} entries in the ledger.")

    return settle


def new_rows(
    instance: dg.DagsterInstance, grid: PartitionGrid, settings: Settings, warehouse: Warehouse
) -> Iterator[pd.DataFrame]:
    """Yield rows to append, each made from the ledger as the ones before have left it."""
    ledger = warehouse.read(RETRAINING_EVENTS)
    yield from _rows_of_unasked(instance, grid, settings, set(ledger["batch"].dropna()))
    ledger = warehouse.read(RETRAINING_EVENTS)
    now = datetime.now(UTC)
    for request in unsettled_reingests(ledger):
        outcome = outcome_of_request(instance, REINGEST_TAG, request.run_key, now)
        if outcome is not None:
            yield from _rows_of_reingest(instance, outcome, request.run_key, settings, warehouse)
    ledger = warehouse.read(RETRAINING_EVENTS)
    for batch in unsettled_batches(ledger):
        outcome = outcome_of_request(instance, BATCH_TAG, batch.run_key, now) or outcome_of_run(
            instance, batch.run_key, now
        )
        if outcome is not None:
            yield from _rows_of_batch(instance, outcome, batch.run_key, settings, warehouse)


def _rows_of_batch(
    instance: dg.DagsterInstance,
    outcome: RunOutcome,
    batch: str,
    settings: Settings,
    warehouse: Warehouse,
) -> Iterator[pd.DataFrame]:
    run, ledger = outcome.run, warehouse.read(RETRAINING_EVENTS)
    if run.status != dg.DagsterRunStatus.QUEUED:
        yield started(ledger, batch, run.run_id, datetime.now(UTC))
    now = datetime.now(UTC)
    if outcome.state == "succeeded":
        decided, policies = warehouse.read(PROMOTIONS), learned_policies(settings)
        yield finished(ledger, batch, run.run_id, decided, now, policies=policies)
    elif outcome.state == "failed":
        yield failed(ledger, batch, run.run_id, failure_of(instance, run.run_id), now)


def _rows_of_reingest(
    instance: dg.DagsterInstance,
    outcome: RunOutcome,
    batch: str,
    settings: Settings,
    warehouse: Warehouse,
) -> Iterator[pd.DataFrame]:
    """Yield what follows from fetching again; what is still broken teaches nobody."""
    run, now, ledger = outcome.run, datetime.now(UTC), warehouse.read(RETRAINING_EVENTS)
    if outcome.state == "failed":
        yield failed(ledger, batch, run.run_id, failure_of(instance, run.run_id), now)
    elif outcome.state == "succeeded":
        yield fetched_again(
            ledger,
            batch,
            run.run_id,
            changed_since(parsed(run.tags[BARS_BEFORE_TAG]), warehouse),
            settings.retraining,
            now=now,
            requester=ON_FAILED_CHECK,
        )


def _rows_of_unasked(
    instance: dg.DagsterInstance, grid: PartitionGrid, settings: Settings, known: set[str]
) -> Iterator[pd.DataFrame]:
    """Yield events of retrainings that no finding asked for; their run stands for the batch."""
    trained = dg.RunsFilter(job_name=RETRAIN)
    opened = dg.RunsFilter(job_name=REFRESH_MARKET, tags={CAUSE_TAG: NEW_WINDOW})
    for filters in (trained, opened):
        for record in instance.get_run_records(filters, limit=MAX_RUNS_LOOKED_AT):
            run = record.dagster_run
            is_asked = BATCH_TAG in run.tags or PARENT_RUN_ID_TAG in run.tags
            if is_asked or run.run_id in known:
                continue
            subjects, cause = (
                _configured(run.run_config)
                if filters is trained
                else (_covered(run, grid), NEW_WINDOW)
            )
            at = record.create_timestamp
            as_of = last_completed_session(at)
            if settings.end is not None:
                as_of = min(as_of, settings.end)
            if subjects:
                yield unasked(run.run_id, subjects, cause, as_of, run.run_id, at)


def _configured(run_config: Mapping[str, Any]) -> tuple[Sequence[str], Cause]:
    """Return tickers and policies, and the cause, as the job `retrain` was configured."""
    ops = run_config.get("ops", {})
    tickers = ops.get(FIT, {}).get("config", {}).get("tickers", [])
    policies = ops.get(TRAIN, {}).get("config", {}).get("policies", [])
    cause: Cause = ops.get(JUDGE, {}).get("config", {}).get("cause", "person")
    return sorted({*tickers, *policies}), cause


def _covered(run: dg.DagsterRun, grid: PartitionGrid) -> Sequence[str]:
    """Return the tickers of a run over a range of cells."""
    first, last = (
        run.tags[name].split(CELL_SEPARATOR)[1] for name in (RANGE_START_TAG, RANGE_END_TAG)
    )
    return grid.tickers[grid.tickers.index(first) : grid.tickers.index(last) + 1]
